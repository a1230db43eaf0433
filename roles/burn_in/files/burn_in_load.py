# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All cards under load for a while: the rate that lasts, and whether each product is bit for bit the first one."""

from __future__ import annotations

import time
import typing as t

import burn_in_values as values
from burn_in_card import Card
from burn_in_figures import Steps, able, products
from burn_in_values import measurement

#: Products between two comparisons, which cost about as much as a tenth of a product.
STEP = 8

#: Steps between two looks at the clock, so that the card never waits for the host.
STEPS = 8

#: bf16 rounds its results to 8 bits; what NVIDIA's cards give lies near 2e-3 (H200: 1.66e-3).
MOST_RELATIVE_ERROR = 1e-2

#: Rows that are computed once more in double precision.
ROWS = 32


def checksum(torch: t.Any, result: t.Any) -> str:
    """Return a number that changes with the place and the bits of every element; equal on equal cards."""
    words = result.flatten().view(torch.int16).to(torch.int64)
    total = torch.zeros((), dtype=torch.int64, device=result.device)
    part = 1 << 24
    for begin in range(0, words.numel(), part):
        piece = words[begin : begin + part]
        places = torch.arange(begin, begin + piece.numel(), device=result.device) % 65521 + 1
        total += (piece * places).sum()
    return f"{int(total.item()) & (1 << 64) - 1:016x}"


def load(card: Card, size: int, seconds: float) -> Steps:
    """Multiply for ``seconds``, in bf16 or what came before it; the rate that lasts, and the number of wrong results."""
    torch = card.torch
    dtype = "bf16" if able(card, "bf16") else "fp16"
    call = products(card, dtype, size)["nt"]
    first = call().clone()
    error = _relative_error(card, size, first)
    told = checksum(torch, first)
    wrong = torch.zeros((), dtype=torch.int64, device=card.device)
    yield
    began, series, made = time.monotonic(), [], 0
    while time.monotonic() - began < seconds:
        rates = []
        for _ in range(STEPS):
            rates.append(_timed(card, call))
            wrong += (call() != first).sum()
            made += STEP + 1
        card.synchronize()
        spent = sum(start.elapsed_time(end) for start, end in rates) / 1e3
        series.append([round(time.monotonic() - began, 2), values.tflops(size, spent / STEPS / STEP)])
    # The second half: cards are warm, the power limit has settled.
    lasting = [rate for at, rate in series if at >= seconds / 2] or [rate for _at, rate in series]
    parameters = {"dtype": dtype, "size": size, "load": "sustained", "layout": "nt", "data": "random"}
    thinned = series[:: max(1, len(series) // 200)]
    bad = int(wrong.item()) + (size * ROWS if error > MOST_RELATIVE_ERROR else 0)
    looked = {
        "of": f"products in {dtype}",
        "products": made,
        "compared": made // (STEP + 1),
        "relative_error": values.rounded(error),
        "checksum": told,
    }
    return [
        measurement(
            "gemm",
            card.subject,
            lasting[-200:],
            {**parameters, "load_seconds": round(seconds, 1)},
            series=[[at, values.rounded(rate)] for at, rate in thinned],
        ),
        measurement("wrong_result", card.subject, [bad], looked),
    ]


def _timed(card: Card, call: t.Callable[[], t.Any]) -> tuple[t.Any, t.Any]:
    start = card.torch.cuda.Event(enable_timing=True)
    end = card.torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(STEP):
        call()
    end.record()
    return start, end


def _relative_error(card: Card, size: int, result: t.Any) -> float:
    """Return ‖result - reference‖ / ‖reference‖ of some rows against double precision; NaN counts as infinite."""
    first = card.noise(size, size)[:ROWS].to(result.dtype).double()
    second = card.noise(size, size, seed=7).to(result.dtype).double()
    reference = first @ second.t()
    error = float(((result[:ROWS].double() - reference).norm() / reference.norm()).item())
    return error if error == error else float("inf")
