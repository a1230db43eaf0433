# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.unit.plugins.plugin_utils import acceptance_samples as samples
from tests.unit.plugins.plugin_utils import load_samples

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    file = tmp_path / "latest.json"
    file.write_text(json.dumps(samples.document(samples.bad())))
    return str(file)


@pytest.mark.parametrize(
    ("nodes", "strict", "verdict", "failed"),
    [
        (["gpu-a01"], False, "fail", True),
        (["gpu-a04"], False, "not_verified", False),
        (["gpu-a04"], True, "not_verified", True),
        (["nobody"], False, "not_verified", False),
        (["gpu-a04", "gpu-a02"], False, "fail", True),
    ],
)
def test_a_node_has_the_verdict_of_the_report(
    run_module: Run, path: str, nodes: list[str], strict: bool, verdict: str, failed: bool
) -> None:
    result = run_module("acceptance_health", check=True, path=path, nodes=nodes, strict=strict)
    assert (result["verdict"], result["failed"], result["changed"]) == (verdict, failed, False)


def test_the_fleet_has_statements_of_its_own(run_module: Run, path: str) -> None:
    result = run_module("acceptance_health", path=path, nodes=[""])
    assert result["verdict"] == "pass"
    assert "HBM copy 4 GiB against the fleet" in [check["name"] for check in result["checks"]]
    assert result["facts"] == {"started": "2026-11-22T15:40:11+00:00", "tier": "standard", "verdict": "fail"}


def test_a_failure_names_what_to_do(run_module: Run, path: str) -> None:
    result = run_module("acceptance_health", path=path, nodes=["gpu-a03"])
    assert "Wrong results: fail, observed 1 of 8: gpu 1: 3.0" in result["msg"]
    assert "Take gpu-a03 out" in result["msg"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no report at"),
        ("{", "could not be read"),
        ("[]", "is no such report"),
        ('{"fleet": {}}', "is no such report: KeyError 'statements'"),
        (
            '{"fleet": {"n1": {}}, "statements": [{"node": "n1", "name": "a", "verdict": "fine"}]}',
            "is no such report",
        ),
    ],
)
def test_without_a_report_nothing_is_verified(
    run_module: Run, tmp_path: pathlib.Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "r.json").write_text(content)
    result = run_module("acceptance_health", path=str(tmp_path / "r.json"), nodes=["n1"])
    assert (result["verdict"], result["failed"]) == ("not_verified", False)
    assert said in result["checks"][0]["observed"] and result["checks"][0]["remedy"]


def test_the_remedy_can_be_that_of_another_report(run_module: Run, tmp_path: pathlib.Path) -> None:
    given = {"path": str(tmp_path / "r.json"), "nodes": ["deep gateway"]}
    found = [run_module("acceptance_health", **given), run_module("acceptance_health", remedy="Run it.", **given)]
    assert [one["checks"][0]["remedy"] for one in found] == ["Run playbooks/burn_in.yml.", "Run it."]


def test_a_report_of_a_load_test_is_told_per_target(run_module: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(load_samples.document()))
    result = run_module("acceptance_health", path=str(tmp_path / "r.json"), nodes=["deep gateway"])
    assert (result["verdict"], result["failed"]) == ("pass", False)
    assert [one["name"] for one in result["checks"]] == ["deep gateway: requests answered"]
