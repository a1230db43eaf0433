# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_tables as tables
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def check(node: str, verdict: str, **other: t.Any) -> dict[str, t.Any]:
    empty: dict[str, t.Any] = {
        "value": 100.0,
        "unit": "TFLOP/s",
        "peer": "",
        "kind": "gemm",
        "subject": "gpu 0",
        "title": "GEMM bf16",
        "origin": "threshold",
        "name": "GEMM bf16, gpu 0",
    }
    seen = {"observed": "100", "expected": "at least 128", "remedy": f"Look at {node}.", "source": ""}
    return {"node": node, "verdict": verdict, **empty, **seen, **other}


def test_the_same_fault_of_several_nodes_is_one_finding() -> None:
    (found,) = tables.findings([check("n1", "fail"), check("n2", "fail", subject="gpu 3")], ("fail",))
    assert [(one["where"], one["observed"]) for one in found["seen"]] == [("n1", "gpu 0: 100"), ("n2", "gpu 3: 100")]
    assert found["remedy"] == "Look at the node."
    assert (found["name"], found["expected"], found["more"]) == ("GEMM bf16", "at least 128", 0)


def test_a_fault_of_one_node_keeps_its_name_in_the_remedy() -> None:
    (found,) = tables.findings([check("n1", "fail"), check("n1", "fail", subject="gpu 1")], ("fail",))
    assert found["remedy"] == "Look at n1."
    assert found["seen"] == [{"where": "n1", "observed": "gpu 0, gpu 1: 100"}]


def test_the_worst_comes_first_and_what_passed_not_at_all() -> None:
    checks = [check("n1", "pass"), check("n2", "warn"), check("n3", "fail"), check("n4", "not_verified")]
    assert [one["verdict"] for one in tables.findings(checks, ("fail", "warn"))] == ["fail", "warn"]
    assert [one["seen"][0]["where"] for one in tables.findings(checks, ("not_verified",))] == ["n4"]


def test_what_misses_its_threshold_is_not_told_again() -> None:
    behind = {"origin": "fleet", "subject": "", "name": "GEMM bf16 against the fleet"}
    found = tables.findings(
        [check("n1", "fail"), check("n1", "warn", **behind), check("n2", "warn", **behind)], ("fail", "warn")
    )
    assert [(one["name"], one["seen"][0]["where"]) for one in found] == [
        ("GEMM bf16", "n1"),
        ("GEMM bf16 against the fleet", "n2"),
    ]


def test_many_nodes_are_cut_and_counted() -> None:
    (found,) = tables.findings([check(f"n{place}", "fail") for place in range(20)], ("fail",))
    assert len(found["seen"]) + found["more"] == 20 and found["more"]


def test_the_overview_shows_the_slowest_pair_and_the_hottest_card() -> None:
    found = tables.overview(samples.document(samples.bad()))
    titles = [one["title"] for one in found["columns"]]
    rows = {row["node"]: dict(zip(titles, row["cells"], strict=True)) for row in found["rows"]}
    assert rows["gpu-a01"]["GPU to GPU"] == {"text": "202.5", "verdict": "fail"}
    assert rows["gpu-a02"]["Temperature under load"] == {"text": "91", "verdict": "fail"}
    assert rows["gpu-a02"]["GEMM bf16"] == {"text": "140.9", "verdict": "fail"}
    assert rows["gpu-a01"]["Host to GPU"]["verdict"] == "not_verified"
    assert {cell["text"] for cell in rows["gpu-a04"].values()} == {"–"}
    assert {cell["verdict"] for cell in rows["gpu-a04"].values()} == {"not_verified"}
    assert "All-reduce across nodes" not in titles


def test_history_shows_each_run_under_its_own_column() -> None:
    old = samples.document(samples.healthy(started="2026-11-20T00:00:00Z"))
    old["headline"] = [one for one in old["headline"] if one["kind"] == "gemm"]
    past = [{key: old[key] for key in ("started", "verdict", "headline")}]
    found = tables.history(samples.document(samples.healthy(), history=past))
    assert [row["started"][:10] for row in found["rows"]] == ["2026-11-22", "2026-11-20"]
    assert found["rows"][1]["cells"][0] == found["rows"][0]["cells"][0] != "–"
    assert set(found["rows"][1]["cells"][1:]) == {"–"}


def test_what_has_no_drawing_is_in_the_table_of_its_node() -> None:
    found = tables.undrawn(samples.document(samples.bad()), "gpu-a01")
    assert [(one["name"], one["verdict"]) for one in found] == [
        ("Clock throttling", "pass"),
        ("Wrong results", "pass"),
        ("Host to GPU 512 MiB", "not_verified"),
        ("NCCL transport", "pass"),
    ]
    assert found[0]["where"].startswith("gpu 0, gpu 1")


def test_the_method_names_each_tool_with_a_command() -> None:
    found = tables.method(samples.document(samples.healthy())["measurements"])
    rows = {(one["kind"], one["tool"]): one for one in found}
    assert rows["RDMA write bandwidth", "ib_write_bw 6.06"]["command"] == "ib_write_bw -d mlx5_0 --report_gbits"
    assert rows["RDMA write bandwidth", "ib_write_bw 6.06"]["figures"] == 8


def test_a_regression_is_told_with_its_places() -> None:
    before = samples.document(samples.healthy(("gpu-a01", "gpu-a02", "gpu-a03"), "2026-11-20T00:00:00Z"))
    found = tables.comparison(samples.document(samples.bad(), before)["comparison"])
    rows = {row["label"]: row for row in found["rows"]}
    assert rows["GEMM bf16 8192"]["places"] == ["gpu-a02: gpu 5: 140.8 to 114 TFLOP/s"]
    assert len(rows["GPU to GPU 1 GiB"]["places"]) + rows["GPU to GPU 1 GiB"]["more"] == 14
    assert found["missing"] == ["gpu-a01: gpu 7: Host to GPU 512 MiB"]
