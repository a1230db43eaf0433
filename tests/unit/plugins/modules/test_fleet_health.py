# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._fleet_drift import drift

Run = t.Callable[..., dict[str, t.Any]]

A, B = {"kernel": "a", "cpus": 2}, {"kernel": "b", "cpus": 2}


@pytest.mark.parametrize(
    ("nodes", "verdict", "said"),
    [
        ({"n1": A, "n2": A}, "pass", [("nodes alike", "2 nodes", "alike")]),
        (
            {"n1": A, "n2": A, "n3": {**B, "cpus": 4}},
            "warn",
            [("n3 like the others", "kernel b, CPUs 4", "kernel a (2 nodes), CPUs 2 (2 nodes)")],
        ),
        ({"n1": A, "n2": B}, "warn", [("n2 like the others", "kernel b", "kernel a (1 node)")]),
        (
            {"n1": A, "n2": {"cpus": 2}},
            "not_verified",
            [("n2 compared with the others", "could not be read: kernel", None)],
        ),
        ({"n1": A}, "not_verified", [("nodes alike", "fewer than two nodes were read", "two or more")]),
    ],
)
def test_nodes_that_differ_are_named(
    run_module: Run, nodes: dict[str, t.Any], verdict: str, said: list[tuple[str, str, str | None]]
) -> None:
    result = run_module("fleet_health", check=True, drift=drift(nodes))
    assert (result["verdict"], result["failed"], result["changed"]) == (verdict, False, False)
    assert [(one["name"], one["observed"], one["expected"]) for one in result["checks"]] == said
    assert all(bool(one["remedy"]) is (one["verdict"] != "pass") for one in result["checks"])
    assert result["facts"] == {"compared": list(nodes)}


def test_without_a_majority_nobody_is_told_to_change(run_module: Run) -> None:
    (check,) = run_module("fleet_health", drift=drift({"n1": A, "n2": B}))["checks"]
    assert check["remedy"].startswith("As many nodes have the one as the other")


def test_a_difference_can_fail(run_module: Run) -> None:
    result = run_module("fleet_health", drift=drift({"n1": A, "n2": B}), fail_on=["warn"])
    assert result["failed"] and "n2 like the others: warn" in result["msg"]


@pytest.mark.parametrize("given", [{}, {"compared": ["n1", "n2"], "nodes": {"n1": [1]}, "unseen": {}}])
def test_something_else_is_refused(run_module: Run, given: dict[str, t.Any]) -> None:
    result = run_module("fleet_health", drift=given)
    assert result["failed"] and "not what the filter fleet_drift returns" in result["msg"]
