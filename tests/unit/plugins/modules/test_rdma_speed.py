# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import rdma_speed

Run = t.Callable[..., dict[str, t.Any]]
WISH = {"node": "n2", "peer": "n1", "hca": "mlx5_0", "peer_hca": "mlx5_0"}


def test_what_is_wished_is_measured(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[t.Any] = []

    def measure(wish: dict[str, t.Any], host: object) -> list[dict[str, t.Any]]:
        seen.append(dict(wish))
        return [{"value": 1.0}]

    monkeypatch.setattr(rdma_speed, "measure", measure)
    result = run_module("rdma_speed", side="client", address="10.0.0.1", gid_index=3, **WISH)
    assert (result["changed"], result["measurements"]) == (False, [{"value": 1.0}])
    assert {key: seen[0][key] for key in ("gid_index", "gpu", "numa_node", "port", "tests", "address")} == {
        "gid_index": 3,
        "gpu": None,
        "numa_node": None,
        "port": 18515,
        "address": "10.0.0.1",
        "tests": ["rdma_write_bw", "rdma_write_lat"],
    }


def test_a_client_needs_an_address(run_module: Run) -> None:
    result = run_module("rdma_speed", side="client", **WISH)
    assert result["failed"]
    assert "address" in result["msg"]
