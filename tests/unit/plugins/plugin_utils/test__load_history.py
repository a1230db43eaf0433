# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_history as load_history
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan
from tests.unit.plugins.plugin_utils import load_samples as samples

NOW = "2026-11-22T12:00:00+00:00"


def keep(root: pathlib.Path, **wishes: t.Any) -> None:
    document = samples.document(samples.wishes(**wishes))
    path = root / document["started"].replace(":", "") / "load_test.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def read(root: pathlib.Path, **wishes: t.Any) -> dict[str, t.Any]:
    sweep = _load_plan.sweep(samples.wishes(**wishes))
    return load_history.read(str(root), NOW, "gpu1", sweep, ["deep gateway"])


def test_the_newest_of_the_same_loads_is_the_one_to_compare_with(tmp_path: pathlib.Path) -> None:
    for hour in ("08", "10", "09"):
        keep(tmp_path, started=f"2026-11-22T{hour}:00:00+00:00")
    found = read(tmp_path)
    assert found["previous"]["started"] == "2026-11-22T10:00:00+00:00"
    assert [one["started"][11:13] for one in found["history"]] == ["10", "09", "08"]
    assert found["history"][0]["best"]["deep gateway"] > 351
    assert found["notes"] == []


@pytest.mark.parametrize(
    "other",
    [
        {"concurrency": [2]},
        {"lengths": [{"name": "32/12", "input": 64, "output": 12}]},
        {"host": "gpu2"},
        {"targets": [samples.target("other gateway")]},
        {"started": "2026-11-23T00:00:00+00:00"},
    ],
)
def test_other_runs_are_no_norm(tmp_path: pathlib.Path, other: dict[str, t.Any]) -> None:
    keep(tmp_path, **other)
    assert read(tmp_path)["previous"] == {}


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"started": "then", "sweep": {}, "host": "", "fleet": {}, "points": [], "verdict": ""}']
)
def test_what_cannot_be_read_is_a_note(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/load_test.json").write_text(text, encoding="utf-8")
    found = read(tmp_path)
    assert found["previous"] == {} and "was left out" in found["notes"][0]


def test_a_run_never_overwrites_another(tmp_path: pathlib.Path) -> None:
    first = read(tmp_path)["path"]
    pathlib.Path(first).mkdir()
    assert read(tmp_path)["path"] == f"{first}-2"
    assert read(tmp_path / "absent")["previous"] == {}
