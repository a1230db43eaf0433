# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import rdma_health
from tests.fakes.rdma.tree import make_host

Run = t.Callable[..., dict[str, t.Any]]

EXPECT = {"hcas": 4, "storage_hcas": 2, "rate_gbps": 400, "link_layer": "InfiniBand", "gdr": "any"}


@pytest.fixture
def site(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the module look at the reference site."""
    monkeypatch.setattr(rdma_health, "Host", lambda: make_host(tmp_path, "h20x8"))


@pytest.mark.usefixtures("site")
def test_a_healthy_node(run_module: Run) -> None:
    result = run_module("rdma_health", check=True, expect=EXPECT, strict=True)
    assert (result["verdict"], result["failed"], result["changed"]) == ("pass", False, False)
    facts = result["facts"]
    assert facts["hcas"] == ["mlx5_0", "mlx5_1", "mlx5_4", "mlx5_5"]
    assert facts["devices"]["mlx5_2"]["hca_type"] == "MT4123"
    assert facts["pcie_settings"]["0000:13:00.0"]["relaxed_ordering"] is True
    assert facts["counters"]["ports"]["mlx5_0/1"]["link_downed"] == 0
    assert "RoCE GIDs" in facts["not_applicable"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("options", "verdict", "failed"),
    [
        ({"expect": {**EXPECT, "hcas": 8}}, "fail", True),
        ({"expect": {}}, "not_verified", False),
        ({"expect": {}, "strict": True}, "not_verified", True),
        ({"expect": {**EXPECT, "max_read_request": 8192}, "fail_on": ["warn"]}, "warn", True),
        ({"expect": {**EXPECT, "max_read_request": 8192}}, "warn", False),
    ],
)
def test_the_verdict_fails_as_wished(run_module: Run, options: dict[str, t.Any], verdict: str, failed: bool) -> None:
    result = run_module("rdma_health", **options)
    assert (result["verdict"], result["failed"]) == (verdict, failed)


def test_mistakes_are_told(run_module: Run) -> None:
    result = run_module("rdma_health", expect={"hca": 4, "gdr": "yes"})
    assert result["failed"] and "unknown hca" in result["msg"] and "expect.gdr" in result["msg"]
