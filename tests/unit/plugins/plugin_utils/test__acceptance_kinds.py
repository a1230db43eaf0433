# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds


@pytest.mark.parametrize(
    ("kind", "parameters", "label"),
    [
        ("gemm", {"dtype": "bf16", "size": 8192, "load": "burst", "layout": "nt"}, "GEMM bf16 8192"),
        ("gemm", {"dtype": "bf16", "size": 8192, "load": "sustained"}, "GEMM bf16 8192 sustained"),
        ("h2d", {"bytes": 512 << 20, "together": 1}, "Host to GPU 512 MiB"),
        ("h2d", {"bytes": 512 << 20, "together": 8}, "Host to GPU 512 MiB 8 at once"),
        ("temperature", {"statistic": "highest"}, "Temperature under load"),
        ("temperature", {"statistic": "spread", "gpus": 8}, "Temperature under load spread"),
        (
            "nccl_all_reduce",
            {"bytes": 8 << 30, "algorithm": "Ring", "gpus": 16, "nvls": False},
            "All-reduce across nodes 8 GiB Ring, 16 GPUs",
        ),
        ("all_reduce", {"algorithm": "NVLSTree", "nvls": True, "gpus": 8}, "All-reduce in the node NVLSTree, 8 GPUs"),
        ("all_reduce", {"nvls": True}, "All-reduce in the node NVLS"),
        ("all_reduce", None, "All-reduce in the node"),
        ("fan_speed", {}, "fan_speed"),
    ],
)
def test_a_label_tells_what_is_not_usual(kind: str, parameters: t.Any, label: str) -> None:
    assert kinds.label({"kind": kind, "parameters": parameters}) == label


@pytest.mark.parametrize(
    ("kind", "now", "reference", "worse", "said"),
    [
        ("gemm", 90.0, 100.0, 0.10, "10.0 % less"),
        ("gemm", 110.0, 100.0, -0.10, "10.0 % more"),
        ("rdma_write_lat", 3.0, 2.0, 0.5, "50.0 % more"),
        ("rdma_write_lat", 1.0, 2.0, -0.5, "50.0 % less"),
        ("temperature", 91.0, 62.0, 29.0, "29 °C more"),
        ("gemm", 1.0, 0.0, 0.0, "0.0 % more"),
    ],
)
def test_worse_is_above_zero_whichever_way_is_better(
    kind: str, now: float, reference: float, worse: float, said: str
) -> None:
    found = kinds.worse_by(kinds.KINDS[kind], now, reference)
    assert found == pytest.approx(worse)
    assert kinds.amount(kinds.KINDS[kind], found, "degC") == said


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (None, "–"),
        (0, "0"),
        (2.1, "2.1"),
        (2.134, "2.13"),
        (55.34, "55.3"),
        (142.25, "142.2"),
        (3421.4, "3421"),
        (0.62, "0.62"),
    ],
)
def test_numbers_are_short_and_plain(figure: float | None, text: str) -> None:
    assert kinds.number(figure) == text


def test_numbers_of_ten_keep_their_zeros() -> None:
    assert [kinds.number(one) for one in (10, 100, 1000, 200.0)] == ["10", "100", "1000", "200"]


@pytest.mark.parametrize(("count", "text"), [(8, "8 B"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (8 << 30, "8 GiB")])
def test_sizes(count: int, text: str) -> None:
    assert kinds.size(count) == text


@pytest.mark.parametrize(("value", "found"), [(1, 1.0), (0.5, 0.5), (None, None), ("1", None), (True, None)])
def test_a_value_is_a_number_or_nothing(value: t.Any, found: float | None) -> None:
    assert kinds.value({"value": value}) == found


@pytest.mark.parametrize("text", ["2026-11-22T09:00:00Z", "2026-11-22T09:00:00", "2026-11-22T10:00:00.5+01:00"])
def test_times_are_utc(text: str) -> None:
    found = kinds.moment(text).replace(microsecond=0)
    assert found == datetime.datetime(2026, 11, 22, 9, tzinfo=datetime.UTC)


def test_every_limit_has_a_direction() -> None:
    for name, kind in kinds.KINDS.items():
        assert kind.better or kind.warn is None, name
        assert kind.scope in ("gpu", "node", "pair", "fleet"), name
        if kind.warn is not None and kind.fail is not None:
            assert kind.warn < kind.fail, name


def test_places() -> None:
    assert kinds.place({"node": "n1", "subject": "gpu 0"}) == "n1: gpu 0"
    assert kinds.place({"node": "n1", "peer": "n2", "subject": "mlx5_0 -> mlx5_0"}) == "n1 to n2: mlx5_0 -> mlx5_0"
    assert kinds.place({"node": "n1", "peer": "", "subject": ""}) == "n1"
