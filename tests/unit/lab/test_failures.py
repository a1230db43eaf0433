# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every failure is a deployment that can be planned, and known to the diagnosis; what an operator misses is named."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._signatures import SIGNATURES
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import plan
from tests.lab import failures
from tests.lab.engine_image import model_shapes
from tests.lab.shell import LabError
from tests.unit.plugins.plugin_utils.wishes import facts, fleet

HOSTS = ["lab1", "lab2"]
CASE = failures.CASES["context"]
LOGS = {f"lab{rank + 1}-gpufleet-engine-broken-rank{rank}.log": f"{CASE.line}\n" for rank in range(2)}
TOLD = f"Cause (lab1, rank 0): {CASE.cause}.\nWhat to do: {CASE.fix}.\nThe lines that show it:\n  | {CASE.line} (4096)"


@pytest.mark.parametrize("case", failures.CASES)
def test_a_failure_is_not_seen_before_the_start(case: str) -> None:
    known = failures.variables(case, HOSTS)
    image = "{{ ray_cluster_image }}"
    model = {"directory": "/models/tiny-qwen2", "config": model_shapes.CONFIGS["tiny-qwen2"], "bytes": 1, "problem": ""}
    nodes = {
        name: {"facts": facts(f"10.77.0.1{at}"), "platform": "x", "gpus": 1} for at, name in enumerate(HOSTS, start=1)
    }
    wishes = fleet(
        deployments=known["engine_deployments"],
        nodes=nodes,
        models={"tiny-qwen2": model},
        images={image: {"archive_problem": ""}},
        gateway={"nodes": ["lab1"], "ports": {"gateway_port": 443}},
        ray={**fleet().ray, "gpu_containers": False},
    )
    ranks = plan(wishes)["deployments"][0]["ranks"]
    assert [(rank["node"], rank["unit"]) for rank in ranks] == [(host, failures.UNIT) for host in HOSTS]


@pytest.mark.parametrize("case", failures.CASES)
def test_a_failure_has_a_signature(case: str) -> None:
    assert any(failures.CASES[case].fix in one.fix for one in SIGNATURES)


def test_an_unknown_case_names_those_there_are() -> None:
    with pytest.raises(LabError, match="there is no case x; there are context, "):
        failures.variables("x", HOSTS)


@pytest.mark.parametrize(
    ("told", "logs", "missing"),
    [
        (TOLD, LOGS, []),
        ("no known cause", LOGS, ["the cause", "the fix", "a line with"]),
        (TOLD.replace("  | ", ""), LOGS, ["a line with"]),
        (TOLD + "\n  | x" * 10, LOGS, ["brevity: 11 lines"]),
        (TOLD, {}, ["the log lab1-gpufleet-engine-broken-rank0.log", "the log lab2", ".* in a log"]),
        (TOLD, {**LOGS, "lab2-gpufleet-engine-broken-rank1.log": ""}, ["the log lab2"]),
    ],
)
def test_what_an_operator_misses_is_named(told: str, logs: dict[str, str], missing: list[str]) -> None:
    report: dict[str, t.Any] = {"failures": [{"message": told}]}
    found = failures.lacks(CASE, report, logs, HOSTS)
    assert len(found) == len(missing), found
    assert all(re.match(word, one) for word, one in zip(missing, found, strict=True))
