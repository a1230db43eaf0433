# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_page as page
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


@pytest.mark.parametrize(
    ("fleet", "text"),
    [
        ({"a": samples.H20, "b": samples.H20}, "2 nodes, each 8 × NVIDIA H20, 4 × 400 Gb/s"),
        ({"a": samples.H20}, "1 node, 8 × NVIDIA H20, 4 × 400 Gb/s"),
        ({"a": {"gpu": "NVIDIA H200", "gpus": 2}}, "1 node, 2 × NVIDIA H200"),
        ({"a": {"gpu": "NVIDIA H200", "nics": 8}}, "1 node, ? × NVIDIA H200, 8 × NICs"),
        ({"a": samples.H20, "b": {}}, "2 nodes of 2 kinds"),
        ({"a": {}, "b": {}}, "2 nodes"),
    ],
)
def test_the_fleet_in_words(fleet: dict[str, dict[str, object]], text: str) -> None:
    assert page.fleet_text(fleet) == text


def test_the_verdict_stands_in_the_title() -> None:
    assert page.page(samples.document(samples.bad()))["title"].startswith("Acceptance failed: 4 nodes")


def test_every_drawing_has_an_id_of_its_own() -> None:
    shown = page.page(samples.document(samples.bad()))
    ids = [one["id"] for one in [*shown["drawings"], *(one for node in shown["nodes"] for one in node["drawings"])]]
    assert len(ids) == len(set(ids)) > 20


def test_of_many_nodes_only_the_bad_ones_are_drawn() -> None:
    run = samples.healthy([f"n{place:02}" for place in range(page.DRAWN_NODES + 1)])
    for one in run["measurements"]:
        if one["node"] == "n07" and one["kind"] == "hbm_copy":
            one["value"] = 1000.0
    shown = page.page(samples.document(run))
    assert [node["name"] for node in shown["nodes"]] == ["n07"]
    assert shown["not_drawn"] == page.DRAWN_NODES


def test_a_node_says_what_it_is_and_what_is_wrong_with_it() -> None:
    nodes = {node["name"]: node for node in page.page(samples.document(samples.bad()))["nodes"]}
    assert nodes["gpu-a02"]["facts"] == "8 × NVIDIA H20, 4 × 400 Gb/s, driver 580.159.04"
    assert nodes["gpu-a04"]["problem"].startswith("unreachable")
    assert nodes["gpu-a04"]["drawings"] == []
