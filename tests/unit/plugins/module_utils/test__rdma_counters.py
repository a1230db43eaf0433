# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _rdma_counters, _rdma_sysfs
from tests.fakes.rdma.tree import CLASS, NET, make_host

HOUR = 3600.0


@pytest.mark.parametrize(
    ("counter", "count", "seconds", "verdict"),
    [
        ("link_downed", 0, 2, None),
        ("link_downed", 1, 2, "fail"),
        ("link_downed", 1, 30 * 24 * HOUR, "fail"),
        ("symbol_error", 20, 2, None),  # 20 in two seconds are not yet 120 in an hour
        ("symbol_error", 120, HOUR, None),
        ("symbol_error", 121, HOUR, "fail"),
        ("symbol_error", 200, 2 * HOUR, None),
        ("symbol_error", 21, 2, "warn"),
        ("link_error_recovery", 5, 2, None),
        ("link_error_recovery", 6, 2, "warn"),
        ("port_rcv_errors", 20, 2, None),
        ("port_rcv_errors", 21, 2, "warn"),
        ("port_xmit_discards", 201, 2, "warn"),
        ("local_ack_timeout_err", 2, 2, None),
        ("local_ack_timeout_err", 3, 2, "warn"),
        ("rnr_nak_retry_err", 1, HOUR, "fail"),
        ("roce_slow_restart", 21, 2, "warn"),
        ("carrier_changes", 2, 2, None),
        ("carrier_changes", 3, HOUR, "warn"),
    ],
)
def test_limits(counter: str, count: int, seconds: float, verdict: str | None) -> None:
    assert _rdma_counters.too_fast({counter: count}, seconds).get(counter) == verdict


def test_every_counter_has_a_limit_that_can_be_exceeded() -> None:
    for counter in _rdma_counters.WATCHED:
        assert counter in _rdma_counters.too_fast({counter: 10**9}, 2)
        assert counter not in _rdma_counters.too_fast({counter: 0}, 2)


def snapshot(ports: dict[str, dict[str, int]]) -> dict[str, t.Any]:
    return {"time": 1.0, "ports": ports, "refused": {}}


@pytest.mark.parametrize(
    ("then", "now", "grown"),
    [
        ({"a/1": {"link_downed": 3}}, {"a/1": {"link_downed": 5}}, {"a/1": {"link_downed": 2}}),
        ({"a/1": {"link_downed": 3}}, {"a/1": {"link_downed": 1}}, {"a/1": {"link_downed": 1}}),  # reset meanwhile
        ({"a/1": {}}, {"a/1": {"link_downed": 9}}, {"a/1": {}}),  # unknown then
        ({}, {"b/1": {"link_downed": 9}}, {"b/1": {}}),
    ],
)
def test_growth(then: t.Any, now: t.Any, grown: t.Any) -> None:
    assert _rdma_counters.growth(snapshot(then), snapshot(now)) == grown


def test_a_snapshot_of_a_node(tmp_path: pathlib.Path) -> None:
    make_host(tmp_path, "h20x8", port={"mlx5_4": {"counters/symbol_error": "7"}})
    hcas = _rdma_sysfs.read(str(tmp_path))["hcas"]
    found = _rdma_counters.snapshot(str(tmp_path), hcas, clock=lambda: 5.0)
    assert (found["time"], found["refused"]) == (5.0, {})
    assert found["ports"]["mlx5_4/1"]["symbol_error"] == 7
    assert found["ports"]["mlx5_4/1"]["carrier_changes"] == 1
    assert "port_rcv_data" not in found["ports"]["mlx5_4/1"]
    assert _rdma_counters.is_snapshot(found)


def test_a_refused_folder_is_asked_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_host(tmp_path, "h100x8")
    one = {"mlx5_0": _rdma_sysfs.read(str(tmp_path))["hcas"]["mlx5_0"]}
    asked: list[str] = []

    def refusing(path: str) -> tuple[str | None, str]:
        asked.append(path)
        return (None, "EINVAL") if "/counters/" in path or "/net/" in path else ("0", "")

    monkeypatch.setattr(_rdma_counters, "attempt", refusing)
    first = _rdma_counters.snapshot(str(tmp_path), one)
    assert first["refused"] == {"mlx5_0/1": ["counters"]}
    assert sum(f"{CLASS}/mlx5_0/ports/1/counters/" in path for path in asked) == 1
    assert any(NET in path for path in asked)
    asked.clear()
    again = _rdma_counters.snapshot(str(tmp_path), one, first["refused"])
    assert not any("/counters/" in path for path in asked)
    assert again["refused"] == first["refused"]


@pytest.mark.parametrize(
    "read",
    [None, [], {}, {"time": 1, "ports": [], "refused": {}}, {"time": 1, "ports": {"a": {"b": "c"}}, "refused": {}}],
)
def test_other_files_are_no_snapshots(read: t.Any) -> None:
    assert not _rdma_counters.is_snapshot(read)
