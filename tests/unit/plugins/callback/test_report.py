# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.plugins.loader import action_loader, filter_loader

from ansible_collections.gpufleet.inference.plugins.callback import report

RUN = {"name": "kernel | Run it", "ansible.builtin.command": "true"}
PROVE = {"name": "prove | Look", "toy_health": {}}
ENDPOINT = {
    "name": "tiny",
    "url": "https://10.77.0.11:8443",
    "model": "m",
    "api_key_path": "/k",
    "certificate_path": "/c",
}


def test_the_report_comes_back_in_three_forms(play: t.Any) -> None:
    play.role("os_tuning", [RUN, PROVE])
    hand_over = {
        "name": "Hand over",
        "ansible.builtin.set_stats": {
            "data": {"gpufleet_endpoints": [ENDPOINT | {"admin_token": "hunter2"}]},
            "per_host": False,
            "aggregate": True,
        },
    }
    fleet = {"table": ["tiny fits"], "explained": ["tiny\n  A=1: why"]}
    plan = {"name": "Plan", "ansible.builtin.set_fact": {"engine_fleet": fleet}}
    done = play.run(roles=["os_tuning"], tasks=[plan, hand_over])
    data = done.report
    assert (data["playbook"], data["verdict"], data["check_mode"]) == ("toy", "warn", False)
    assert data["endpoints"] == [ENDPOINT]
    assert data["plan"] == ["tiny fits", "tiny", "  A=1: why"]
    assert data["counts"] == {"pass": 2, "warn": 2, "not_verified": 0, "fail": 0, "changed": 2, "failures": 0}
    assert data["nodes"][0]["changed"] == [{"role": "os_tuning", "stage": "kernel", "task": "Run it"}]
    assert data["checks"][0]["module"] == "toy_health"

    names = sorted(path.name for path in (done.folder / "reports").iterdir())
    stamp = data["started"].replace("-", "").replace(":", "")
    assert names == [f"{stamp}-toy.json", f"{stamp}-toy.md", "last.json", "last.md"]
    page = (done.folder / "reports" / "last.md").read_text()
    assert page.startswith("# toy: warn\n")
    assert "## Plan\n\n```\ntiny fits\ntiny\n  A=1: why\n```\n" in page

    assert done.text.index("PLAY RECAP") < done.text.index("REPORT toy: warn")
    assert "          → Turn swap off." in done.lines
    assert "reports  reports/last.json, reports/last.md" in done.lines
    for path in (done.folder / "reports").iterdir():
        assert "hunter2" not in path.read_text()


def test_a_failure_makes_it_fail_and_a_rescued_one_does_not(play: t.Any) -> None:
    broken = {"name": "Break", "ansible.builtin.fail": {"msg": "no disk"}}
    data = play.run(tasks=[broken]).report
    assert data["verdict"] == "fail"
    assert {(one["host"], one["task"], one["message"]) for one in data["failures"]} == {
        ("lab1", "Break", "no disk"),
        ("lab2", "Break", "no disk"),
    }
    data = play.run(tasks=[{"name": "Try", "block": [broken], "rescue": [RUN]}, PROVE]).report
    assert (data["verdict"], data["failures"]) == ("warn", [])


def test_a_proof_that_fails_its_task_still_brings_its_checks(play: t.Any) -> None:
    data = play.run("--limit", "lab1", tasks=[{"name": "prove | Look", "toy_health": {"bad": True}}]).report
    assert [check["verdict"] for check in data["checks"]] == ["pass", "warn", "fail"]
    assert data["failures"][0]["message"] == "did not pass: swap (warn), THP (fail)"


def test_unreachable_is_a_failure_of_its_own_kind(play: t.Any) -> None:
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    data = play.run("--limit", "lab1", tasks=[PROVE], vars=away).report
    assert (data["verdict"], data["failures"][0]["unreachable"]) == ("fail", True)


def test_a_run_without_news_is_written_but_not_printed(play: t.Any) -> None:
    done = play.run(tasks=[RUN | {"changed_when": False}])
    assert "REPORT" not in done.text
    assert done.report["verdict"] == "not_verified"


@pytest.mark.parametrize("argument", ["--syntax-check", "--list-tasks", "--list-hosts"])
def test_no_run_no_report(play: t.Any, argument: str) -> None:
    done = play.run(argument, tasks=[RUN])
    assert done.rc == 0
    assert "REPORT" not in done.text
    assert not (done.folder / "reports").exists()


def test_check_mode_is_said(play: t.Any) -> None:
    write = {"name": "Write", "ansible.builtin.copy": {"content": "x", "dest": "out"}}
    done = play.run("--check", "--limit", "lab1", tasks=[write])
    assert done.report["check_mode"] is True
    assert "1 task would change" in done.text


def test_the_directory_is_an_option(play: t.Any) -> None:
    play.run(tasks=[PROVE], environment={"GPUFLEET_REPORT_DIRECTORY": str(play.folder / "a" / "b")})
    assert (play.folder / "a" / "b" / "last.json").exists()
    (play.folder / "ansible.cfg").open("a").write("[gpufleet]\nreport_directory = elsewhere\n")
    play.run(tasks=[PROVE])
    assert (play.folder / "elsewhere" / "last.json").exists()


def test_a_report_that_cannot_be_written_is_a_warning(play: t.Any) -> None:
    (play.folder / "reports").write_text("a file is in the way")
    done = play.run(tasks=[PROVE])
    assert done.rc == 0
    assert "The report could not be written to reports" in " ".join(done.text.split())
    assert "REPORT toy: warn" in done.text


def test_write_atomically_replaces_and_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "last.json"
    for text in ("{}", json.dumps({"a": "é"})):
        report.write_atomically(target, text)
        assert target.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [target]


def test_write_atomically_keeps_the_old_file_when_it_fails(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "last.json"
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        report.write_atomically(target, "new")
    assert list(tmp_path.iterdir()) == [target]


def test_what_is_loaded_before_the_forks_exists() -> None:
    """A name that is gone would not be noticed: runs would only become slower."""
    assert filter_loader.get(report.FILTER) is not None
    assert action_loader.get(report.ACTION, class_only=True) is not None
    report.load_once()
