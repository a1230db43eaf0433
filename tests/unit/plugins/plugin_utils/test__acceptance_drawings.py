# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_drawings as drawings
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def tips(drawing: dict[str, t.Any]) -> list[str]:
    """Return the place and value of every mark of a drawing."""
    marks = drawing.get("rows" if drawing["shape"] in ("bars", "ranges") else "cells") or []
    return [one["tip"] for one in marks] + [dot["tip"] for line in drawing.get("lines", []) for dot in line["dots"]]


def titled(found: list[dict[str, t.Any]], title: str) -> dict[str, t.Any]:
    (one,) = (one for one in found if one["title"] == title)
    return one


def test_every_figure_of_a_node_is_drawn_with_its_own_value() -> None:
    run = samples.healthy()
    drawn = [tip for one in drawings.of_node(samples.document(run), "gpu-a01") for tip in tips(one)]
    shown = _acceptance_kinds
    for one in run["measurements"]:
        if one["node"] != "gpu-a01" or one["peer"] or one["kind"] not in ("gemm", "hbm_copy", "h2d", "d2h", "p2p"):
            continue
        place = one["subject"].replace(" -> ", " to ")
        assert any(tip.startswith(f"{place}: {shown.with_unit(one['value'], one['unit'])}") for tip in drawn), one
    curve = next(one for one in run["measurements"] if one["kind"] == "all_reduce")
    for size, speed in curve["series"]:
        assert any(tip.endswith(f"{shown.size(size)}: {shown.with_unit(speed, 'GB/s')}") for tip in drawn)


def test_temperatures_are_the_readings_over_time() -> None:
    found = titled(drawings.of_node(samples.document(samples.bad()), "gpu-a02"), "Temperature under load per GPU")
    assert found["rows"][5]["tip"] == "gpu 5: 60 to 91 °C, median 83.2 °C"
    assert found["rows"][5]["verdict"] == "fail"


def test_a_spread_over_all_cards_is_no_card() -> None:
    run = samples.healthy(("n1",))
    said = {"statistic": "spread", "gpus": 8}
    run["measurements"].append(samples.measurement("n1", "temperature", "8 GPUs", 8.0, "degC", parameters=said))
    found = titled(drawings.of_node(samples.document(run), "n1"), "Temperature under load per GPU")
    assert [row["label"] for row in found["rows"]] == [f"gpu {gpu}" for gpu in range(8)]


def test_a_card_that_was_not_measured_keeps_its_row() -> None:
    found = titled(drawings.of_node(samples.document(samples.bad()), "gpu-a01"), "Host to GPU 512 MiB per GPU")
    assert [(row["label"], row["text"]) for row in found["rows"]][-1] == ("gpu 7", "not measured")


def test_a_failure_without_parameters_joins_the_drawing_of_its_kind() -> None:
    run = samples.healthy(("n1",))
    for one in run["measurements"]:
        if one["subject"] == "gpu 2 -> gpu 3":
            one |= {"value": None, "parameters": {}}
    (found,) = (one for one in drawings.of_node(samples.document(run), "n1") if one["shape"] == "matrix")
    assert "gpu 2 to gpu 3: not measured" in tips(found) and len(tips(found)) == 56


def test_gpus_are_in_the_order_of_their_numbers() -> None:
    assert sorted(["gpu 10", "gpu 2", "gpu 1"], key=drawings.natural) == ["gpu 1", "gpu 2", "gpu 10"]
    assert sorted(["b", "2", "a10", "a9"], key=drawings.natural) == ["2", "a9", "a10", "b"]


def test_few_nodes_show_each_rail_of_each_pair() -> None:
    found = titled(drawings.of_fleet(samples.document(samples.bad())), "RDMA write bandwidth 8 MiB, per pair")
    assert len(found["cells"]) == 6 * 4
    low = [one["tip"] for one in found["cells"] if one["verdict"] == "fail"]
    assert low == [
        f"{pair} to mlx5_2: 196.2 Gb/s"
        for pair in ("gpu-a01 → gpu-a03", "gpu-a02 → gpu-a03", "gpu-a03 → gpu-a01", "gpu-a03 → gpu-a02")
    ]


def test_more_nodes_show_the_worst_rail_of_each_pair() -> None:
    run = samples.healthy([f"n{place}" for place in range(5)])
    for one in run["measurements"]:
        if (one["node"], one["peer"], one["subject"]) == ("n0", "n1", "mlx5_2 -> mlx5_2"):
            one["value"] = 196.2 if one["kind"] == "rdma_write_bw" else 9.7
    found = drawings.of_fleet(samples.document(run))
    bandwidth = titled(found, "RDMA write bandwidth 8 MiB, per pair of nodes (its worst HCA)")
    assert len(bandwidth["cells"]) == 20
    assert "n0 to n1: 196.2 Gb/s" in tips(bandwidth)
    assert "n0 to n1: 9.7 us" in tips(titled(found, "RDMA write latency 8 B, per pair of nodes (its worst HCA)"))


def test_a_matrix_that_nobody_could_read_is_left_out() -> None:
    ends = [{"node": f"n{place}", "peer": f"n{place + 1}"} for place in range(70)]
    run = samples.healthy(("n1",)) | {"fleet": {f"n{place}": samples.H20 for place in range(71)}}
    said = {"bytes": 8 << 20}
    run["measurements"] = [
        samples.measurement("", "rdma_write_bw", "a -> a", 390.0, "Gb/s", parameters=said) | one for one in ends
    ]
    assert drawings.of_fleet(samples.document(run)) == []


def test_nodes_are_compared_by_their_slowest_card() -> None:
    found = titled(drawings.of_fleet(samples.document(samples.bad())), "GEMM bf16 8192, the slowest of each node")
    assert [(row["label"], row["text"], row["verdict"]) for row in found["rows"]] == [
        ("gpu-a01", "140.4 TFLOP/s", "pass"),
        ("gpu-a02", "114 TFLOP/s", "fail"),
        ("gpu-a03", "140.4 TFLOP/s", "pass"),
    ]


def test_of_many_nodes_the_slowest_are_drawn() -> None:
    names = [f"n{place}" for place in range(40)]
    run = {"schema": 1, "tier": "quick", "started": "2026-11-22", "fleet": dict.fromkeys(names, samples.H20)}
    run["measurements"] = [
        samples.measurement(name, "gemm", "gpu 0", 140.0 - place, "TFLOP/s") for place, name in enumerate(names)
    ]
    (found,) = drawings.of_fleet(samples.document(run))
    assert len(found["rows"]) == drawings.MOST_ROWS
    assert found["rows"][0]["label"] == "n39" and "the last 32" in found["title"]


@pytest.mark.parametrize("name", ["gpu-a04", "nobody"])
def test_a_node_without_figures_has_no_drawings(name: str) -> None:
    assert drawings.of_node(samples.document(samples.bad()), name) == []


def test_lines_are_named_by_what_differs() -> None:
    found = titled(
        drawings.of_fleet(samples.document(samples.healthy())), "All-reduce across nodes: bandwidth by message size"
    )
    assert [line["name"] for line in found["lines"]] == ["Ring, 16 GPUs", "Tree, 16 GPUs"]
    assert [floor["text"] for floor in found["floors"]] == ["floor 170 GB/s at 8 GiB"]
