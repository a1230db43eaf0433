# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _verdict
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def test_the_verdicts_are_those_of_the_modules() -> None:
    assert _acceptance.VERDICTS == _verdict.VERDICTS


def unverified(document: dict[str, t.Any], origin: str = "coverage") -> list[tuple[str, str, str]]:
    return [(one["node"], one["name"], one["observed"]) for one in document["checks"] if one["origin"] == origin]


def test_every_measurement_is_judged_and_keeps_its_place() -> None:
    run = samples.healthy()
    document = samples.document(run)
    told = document["checks"][: len(document["measurements"])]
    assert [one["origin"] for one in told] == ["threshold"] * len(run["measurements"])
    for given, judged, check in zip(run["measurements"], document["measurements"], told, strict=True):
        assert {key: judged[key] for key in given} == given
        assert (judged["verdict"], judged["node"]) == (check["verdict"], check["node"])
        assert judged["floor"] == samples.limit(given, {}, {})
    assert sum(document["counts"].values()) == len(document["checks"])


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], "not_verified"),
        (["pass"], "pass"),
        (["warn", "pass"], "warn"),
        (["warn", "not_verified"], "not_verified"),
        (["fail", "not_verified"], "fail"),
    ],
)
def test_the_worst_counts_and_nothing_is_no_pass(verdicts: list[str], worst: str) -> None:
    assert _acceptance.worst(verdicts) == worst


def test_a_node_carries_its_own_verdict() -> None:
    document = samples.document(samples.bad())
    assert {name: one["verdict"] for name, one in document["nodes"].items()} == {
        "gpu-a01": "fail",
        "gpu-a02": "fail",
        "gpu-a03": "fail",
        "gpu-a04": "not_verified",
    }
    assert document["verdict"] == "fail"
    good = samples.document(samples.healthy(("a", "b")))
    assert good["nodes"]["a"]["counts"]["fail"] == 0


def test_a_node_that_gave_nothing_is_told_with_its_reason() -> None:
    document = samples.document(samples.bad())
    assert ("gpu-a04", "burn-in of the node", "unreachable: no route to host within 20 s") in unverified(document)


def test_a_node_without_any_measurement_is_told() -> None:
    run = samples.healthy(("n1",))
    run["fleet"]["n2"] = {}
    assert ("n2", "burn-in of the node", "no measurement came from this node") in unverified(samples.document(run))


@pytest.mark.parametrize("kind", ["gemm", "h2d", "p2p", "all_reduce", "temperature", "wrong_result", "clock_throttle"])
def test_a_kind_that_nobody_measured_on_a_node_is_not_verified(kind: str) -> None:
    run = samples.healthy(("n1", "n2"))
    run["measurements"] = [one for one in run["measurements"] if (one["node"], one["kind"]) != ("n2", kind)]
    found = unverified(samples.document(run))
    assert [(node, seen) for node, _name, seen in found] == [("n2", "not measured in this run")]


@pytest.mark.parametrize("kind", ["nccl_all_reduce", "nccl_transport"])
def test_what_is_measured_over_all_nodes_is_missed_once(kind: str) -> None:
    run = samples.healthy(("n1", "n2"))
    run["measurements"] = [one for one in run["measurements"] if one["kind"] != kind]
    assert [node for node, _name, _seen in unverified(samples.document(run))] == [""]


def test_both_ends_of_a_pair_were_looked_at() -> None:
    run = samples.healthy(("n1", "n2"))
    run["measurements"] = [one for one in run["measurements"] if not (one["node"] == "n2" and one["peer"])]
    assert unverified(samples.document(run)) == []


def test_one_node_has_no_fabric_and_one_card_no_neighbour() -> None:
    assert unverified(samples.document(samples.healthy(("n1",)))) == []
    run = samples.healthy(("n1",))
    run["fleet"]["n1"]["gpus"] = 1
    run["measurements"] = [one for one in run["measurements"] if one["kind"] not in ("p2p", "all_reduce")]
    assert unverified(samples.document(run)) == []


def test_what_the_burn_in_judged_itself_counts() -> None:
    run = samples.healthy()
    run["checks"] = [
        {"node": "gpu-a01", "name": "blame", "verdict": "fail", "observed": "mlx5_2 explains 4 slow pairs"}
    ]
    document = samples.document(run)
    assert (document["verdict"], document["nodes"]["gpu-a01"]["verdict"]) == ("fail", "fail")
    assert unverified(document, "burn-in") == [("gpu-a01", "blame", "mlx5_2 explains 4 slow pairs")]


def test_the_run_is_left_as_it_was() -> None:
    run = samples.bad()
    before = copy.deepcopy(run)
    samples.document(run)
    assert run == before


def test_without_an_earlier_run_nothing_is_compared() -> None:
    assert samples.document(samples.healthy())["comparison"] == {}


def test_the_baseline_in_use_is_named() -> None:
    stored = {"captured": "2026-10-01T00:00:00Z", "tier": "soak", "source": "baseline of this fleet", "rows": []}
    document = samples.document(samples.healthy(), baseline=stored)
    assert document["baseline"] == {key: stored[key] for key in ("captured", "tier", "source")}
    assert samples.document(samples.healthy())["baseline"] == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "schema 2; this release reads schema 1"),
        ({"started": "yesterday"}, "'yesterday', which is no ISO 8601 time"),
        ({"measurements": [{"node": "n1"}]}, "Measurement 0 has no kind, subject, value, unit."),
        ({"measurements": [samples.measurement("x", "gemm", "gpu 0", 1.0, "")]}, "of x, which is not in the fleet"),
    ],
)
def test_a_run_in_another_form_is_refused(change: dict[str, t.Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        samples.document(samples.healthy() | change)


def test_a_run_without_its_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="The run has no fleet, measurements"):
        samples.document({"schema": 1, "tier": "quick", "started": "2026-11-22T00:00:00Z"})
