# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One folder per image and kind of GPU."""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils._kernel_cache import mount, owned, variables


def test_each_image_and_kind_of_gpu_has_its_own() -> None:
    cases = [
        ("a:1", "", ""),
        ("a:1", "sha256:1", ""),
        ("a:1", "sha256:2", ""),
        ("a:2", "sha256:1", ""),
        ("a:1", "", "h20-96"),
    ]
    found = [mount("/var/cache/gpufleet/engine", *case) for case in cases]
    assert len({one for [one] in found}) == len(cases)
    assert all(
        one.startswith("/var/cache/gpufleet/engine/") and one.endswith(":/var/cache/gpufleet") for [one] in found
    )
    assert found[0] == mount("/var/cache/gpufleet/engine", "a:1", "", "")


def test_without_a_directory_there_is_none() -> None:
    assert mount("", "a:1", "", "") == []
    assert variables({"X": "x"}, []) == {}


def test_variables_point_below_the_mount() -> None:
    [(name, (value, reason))] = variables({"X_CACHE": "x"}, mount("/c", "a:1", "", "")).items()
    assert (name, value) == ("X_CACHE", "/var/cache/gpufleet/x") and reason


def test_a_rank_knows_where_its_kernels_lie_on_the_node() -> None:
    found = owned(mount("/var/cache/gpufleet/engine", "a:1", "", "h200"), "r1")["cache"]
    assert found["directory"].startswith("/var/cache/gpufleet/engine/") and found["directory"].endswith("-h200")
    assert found["name"] == "r1" and owned([], "r1") == {}
