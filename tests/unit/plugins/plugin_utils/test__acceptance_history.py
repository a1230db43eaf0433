# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_history as history
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def keep(root: pathlib.Path, started: str, **other: t.Any) -> dict[str, t.Any]:
    """Write a report as tasks/report.yml does."""
    document = samples.document(samples.healthy(("n1",), started)) | other
    folder = history.free(root, started)
    folder.mkdir(parents=True)
    (folder / "acceptance.json").write_text(json.dumps(document))
    return document


def read(root: pathlib.Path, baseline: str = "") -> dict[str, t.Any]:
    return history.read(str(root), baseline, samples.healthy(("n1",), "2026-11-22T12:00:00+00:00"))


def test_the_newest_older_run_is_the_previous_one(tmp_path: pathlib.Path) -> None:
    for day in (20, 18, 19, 23):
        keep(tmp_path, f"2026-11-{day}T00:00:00+00:00")
    found = read(tmp_path)
    assert found["previous"]["started"] == "2026-11-20T00:00:00+00:00"
    assert [one["started"][8:10] for one in found["history"]] == ["20", "19", "18"]
    assert set(found["history"][0]) == {"started", "verdict", "headline"}
    assert found["notes"] == []


def test_another_tier_or_fleet_is_not_compared_but_another_driver_is(tmp_path: pathlib.Path) -> None:
    keep(tmp_path, "2026-11-20T00:00:00Z", tier="quick")
    keep(tmp_path, "2026-11-20T01:00:00Z", fleet={"n1": samples.H20, "n2": samples.H20})
    keep(tmp_path, "2026-11-20T02:00:00Z", fleet={"n1": {**samples.H20, "gpus": 4}})
    assert read(tmp_path)["previous"] == {}
    keep(tmp_path, "2026-11-20T03:00:00Z", fleet={"n1": {**samples.H20, "driver": "570.1"}})
    assert read(tmp_path)["previous"]["started"] == "2026-11-20T03:00:00Z"


def test_a_long_history_is_cut(tmp_path: pathlib.Path) -> None:
    for hour in range(history.SHOWN + 3):
        keep(tmp_path, f"2026-11-20T{hour:02}:00:00Z")
    found = read(tmp_path)["history"]
    assert [one["started"][11:13] for one in (found[0], found[-1])] == ["10", "03"]


def test_what_is_no_report_is_a_note(tmp_path: pathlib.Path) -> None:
    keep(tmp_path, "2026-11-20T00:00:00Z")
    for name, content in (("a", "{"), ("b", "[]"), ("c", '{"started": "soon"}'), ("d", '{"started": "2026-11-21"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "acceptance.json").write_text(content)
    found = read(tmp_path)
    assert found["previous"]["started"] == "2026-11-20T00:00:00Z"
    assert sorted(note.split("/")[-2] for note in found["notes"]) == ["a", "b", "c", "d"]


def test_no_directory_is_no_history(tmp_path: pathlib.Path) -> None:
    found = read(tmp_path / "none")
    assert (found["previous"], found["history"], found["notes"]) == ({}, [], [])
    assert found["path"] == str(tmp_path / "none/20261122T120000Z")
    assert found["root"] == str(tmp_path / "none")


def test_no_run_is_overwritten(tmp_path: pathlib.Path) -> None:
    names = []
    for _again in range(3):
        folder = history.free(tmp_path, "2026-11-22T13:00:00+01:00")
        folder.mkdir()
        names.append(folder.name)
    assert names == ["20261122T120000Z", "20261122T120000Z-2", "20261122T120000Z-3"]


def test_a_baseline_is_read_or_told_to_be_none(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "baseline.json"
    assert read(tmp_path, str(path))["baseline"] == {}
    path.write_text('{"schema": 1, "rows": []}')
    assert read(tmp_path, str(path))["baseline"] == {"schema": 1, "rows": []}
    for broken in ("{", '{"schema": 2, "rows": []}', "[]"):
        path.write_text(broken)
        found = read(tmp_path, str(path))
        assert found["baseline"] == {} and "not used as baseline" in found["notes"][0], broken
