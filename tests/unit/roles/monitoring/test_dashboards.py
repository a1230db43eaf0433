# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dashboards are what their table says, Prometheus takes every query, and none reads a series that nobody writes."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest
import yaml

from tests import dashboards
from tests.lab import panels, paths, promtool

PANELS = [(name, panel) for name, found in dashboards.DASHBOARDS.items() for panel in found]
RULES = paths.ROOT / "roles/monitoring/files/rules"


@pytest.mark.parametrize("name", sorted(dashboards.files()))
def test_files_are_what_the_table_says(name: str) -> None:
    text = (dashboards.FOLDER / name).read_text(encoding="utf-8")
    assert text == dashboards.files()[name], "run python -m tests.dashboards"


def test_there_is_no_other_file() -> None:
    assert {path.name for path in dashboards.FOLDER.iterdir()} == set(dashboards.files())


def test_prometheus_takes_every_query(tmp_path: pathlib.Path) -> None:
    queries = [dashboards.query(text) for _name, panel in PANELS for text in panel.queries.values()]
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(queries)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    argv = [promtool.program("promtool"), "check", "rules", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_our_own_series_exist() -> None:
    recorded = set(re.findall(r"record: (\S+)", (RULES / "recording.yml").read_text(encoding="utf-8")))
    recorded |= {"gpufleet:slo_budget", *(f"gpufleet:slo_bad_ratio:rate{one}" for one in ("5m", "30m", "1h", "6h"))}
    read = {
        name for _n, panel in PANELS for text in panel.queries.values() for name in re.findall(r"gpufleet:[\w:]+", text)
    }
    assert read - recorded == set()


def test_dcgm_counters_that_are_read_are_asked_for() -> None:
    asked = set(
        re.findall(r"^(DCGM_\w+)", (RULES.parent / "dcgm_counters.csv").read_text(encoding="utf-8"), re.MULTILINE)
    )
    texts = [text for _n, panel in PANELS for text in panel.queries.values()]
    texts += [path.read_text(encoding="utf-8") for path in RULES.glob("*.yml")]
    assert {name for text in texts for name in re.findall(r"DCGM_\w+", text)} - asked == set()


def test_panels_fill_rows_without_lying_on_each_other() -> None:
    for text in dashboards.files().values():
        seen: set[tuple[int, int]] = set()
        for panel in json.loads(text)["panels"]:
            place = panel["gridPos"]
            cells = {(x, place["y"]) for x in range(place["x"], place["x"] + place["w"])}
            assert not cells & seen and place["x"] + place["w"] <= 24
            seen |= cells


def test_empty_panels_are_listed_with_what_they_need() -> None:
    def ask(query: str) -> int:
        return 0 if "DCGM" in query or "requests_waiting" in query else 3

    lines, bad = panels.look(ask)
    assert any(line == "fleet / GPU utilization: no data (needs cards)" for line in lines)
    assert bad == ["fleet / Requests waiting", "deployment / Requests waiting"]
