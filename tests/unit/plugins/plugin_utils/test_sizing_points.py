# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The planner beside what engines printed. ``pytest -s -k table`` shows the error of every row."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _sizing,
    _sizing_kv,
    _sizing_reserve,
    _sizing_weights,
)
from tests.unit.plugins.plugin_utils import sizing_samples as samples

GIB = 1 << 30
SEEN = [point for point in samples.POINTS if "skip" not in point]
WEIGHED = [point for point in SEEN if "weights_gib" in point["measured"]]
RATED = [point for point in SEEN if {"kv_gib", "kv_tokens"} <= set(point["measured"])]
COMPLETE = [point for point in SEEN if "gpu_gib" in point["given"] and "incomplete" not in point]


def title(point: dict[str, t.Any]) -> str:
    return f"{point['id']}-{point['model']}"


def asked(point: dict[str, t.Any]) -> t.Any:
    """Return the wish of a point, with the engine's defaults on its GPU."""
    given = {key: value for key, value in point["given"].items() if key not in ("gpu_gib", "gpu_kind", "weights_given")}
    if "version" in given:
        given["version"] = tuple(given["version"])
    wish = samples.wish(engine=point["engine"], **given)
    return wish.resolved(4096, int(point["given"].get("gpu_gib", 80) * GIB), point["given"].get("gpu_kind", ""))


def weights(point: dict[str, t.Any]) -> float:
    model = samples.model(point["model"])
    return (
        max(
            one.bytes
            for one in _sizing_weights.stages(
                model.shape, model.tensors, asked(point).parallel, False, asked(point).version
            )
        )
        / GIB
    )


def tokens_of(point: dict[str, t.Any], kv_bytes: int) -> int:
    model, wish = samples.model(point["model"]), asked(point)
    return _sizing_kv.cache(model.shape, wish.parallel, model.shape.layers).tokens(kv_bytes, wish.context)


def cache_of_gpu(point: dict[str, t.Any]) -> int:
    """Return the bytes of the cache by the whole account, from the memory of the GPU."""
    model, wish, given = samples.model(point["model"]), asked(point), point["given"]
    reserved = _sizing_reserve.reserve(model.shape, wish, int(given["gpu_gib"] * GIB), False)
    held = int(given.get("weights_given", weights(point)) * GIB)
    return _sizing_reserve.cache_bytes(wish, reserved, held)


def error_of_gpu(point: dict[str, t.Any]) -> float:
    """Return the error of the tokens; of the cache where the log shows a rank other than the one that decides."""
    measured = point["measured"]
    if measured.get("unequal"):
        return error(cache_of_gpu(point) / GIB, measured["kv_gib"])
    return error(tokens_of(point, cache_of_gpu(point)), measured["kv_tokens"])


def error(computed: float, measured: float) -> float:
    return (computed / measured - 1) * 100


@pytest.mark.parametrize("point", WEIGHED, ids=title)
def test_weights_are_within_three_percent(point: dict[str, t.Any]) -> None:
    assert abs(error(weights(point), point["measured"]["weights_gib"])) < 3


@pytest.mark.parametrize("point", RATED, ids=title)
def test_tokens_of_a_known_cache(point: dict[str, t.Any]) -> None:
    """The bytes of a token are exact; a log that shows one rank of unequal ones is not the one that decides."""
    found = error(tokens_of(point, int(point["measured"]["kv_gib"] * GIB)), point["measured"]["kv_tokens"])
    assert 10 < found < 20 if point["measured"].get("unequal") else abs(found) < 0.3


@pytest.mark.parametrize("point", COMPLETE, ids=title)
def test_tokens_of_a_gpu_are_within_ten_percent(point: dict[str, t.Any]) -> None:
    assert abs(error_of_gpu(point)) < 10


@pytest.mark.parametrize("point", COMPLETE, ids=title)
def test_what_ran_is_said_to_fit(point: dict[str, t.Any]) -> None:
    given = point["given"]
    where = _sizing.Fleet(1, given["tensor"], given["gpu_gib"], given.get("gpu_kind", ""))
    assert _sizing.size(samples.model(point["model"]), asked(point), where)["fits"] is True


def test_every_row_is_compared_or_excused() -> None:
    assert len(samples.POINTS) == 31
    for point in SEEN:
        assert point in WEIGHED or point in RATED or point in COMPLETE or point["incomplete"], point["id"]


def table() -> list[str]:
    """Return a line per row: weights, tokens of the measured cache, tokens by the whole account, with errors."""
    lines = [
        "| id | row | grade | weights GiB | error | tokens | of the cache | of the GPU | remark |",
        "|" + "---|" * 9,
    ]
    for point in samples.POINTS:
        cells = [str(point["id"]), point["title"], point["grade"], "", "", "", "", "", point.get("skip", "")]
        measured = point.get("measured", {})
        if point in WEIGHED:
            cells[3] = f"{weights(point):.2f} / {measured['weights_gib']:.2f}"
            cells[4] = f"{error(weights(point), measured['weights_gib']):+.1f} %"
        if "kv_tokens" in measured:
            cells[5] = f"{measured['kv_tokens']:,}"
        if point in RATED:
            cells[6] = f"{error(tokens_of(point, int(measured['kv_gib'] * GIB)), measured['kv_tokens']):+.2f} %"
        if point in COMPLETE:
            cells[7] = f"{error_of_gpu(point):+.1f} %"
        cells[8] = cells[8] or point.get("incomplete") or point.get("assumed") or point.get("weights_doubt", "")
        lines.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    return lines


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = table()
    assert len(lines) == len(samples.POINTS) + 2
    print("\n".join(lines))
    assert "deepseek" in capsys.readouterr().out.lower()


def test_the_documented_table_is_this_one() -> None:
    documented = (pathlib.Path(__file__).parents[4] / "docs/sizing.md").read_text(encoding="utf-8").splitlines()
    stale = [line for line in table() if line not in documented]
    assert not stale, "write these lines into docs/sizing.md:\n" + "\n".join(stale)
