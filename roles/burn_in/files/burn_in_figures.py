# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures of one card and its links: matrix products, copies inside of it, to the host, to its peers.

A measuring function is a generator: what comes before its ``yield`` prepares, what comes after it measures, so that all cards
can begin at the same time; it returns measurements.
"""

from __future__ import annotations

import typing as t

import burn_in_values as values
from burn_in_card import Card
from burn_in_values import Measurement, measurement, missing

Steps = t.Generator[None, None, list[Measurement]]

#: The compute capability from which on a card multiplies in a dtype by itself (CUDA programming guide, arithmetic instructions).
SINCE = {"bf16": (8, 0), "fp16": (7, 0), "tf32": (8, 0), "fp8": (8, 9)}


def able(card: Card, dtype: str) -> bool:
    """Tell whether the card has arithmetic of its own for the dtype."""
    return bool(card.torch.cuda.get_device_capability(card.device) >= SINCE[dtype])


def products(card: Card, dtype: str, size: int) -> dict[str, t.Callable[[], t.Any]]:
    """Return the ways of one product by layout: ``nn`` as written, ``nt`` with the second matrix transposed, as engines do.

    Raises ValueError with the reason when this library cannot multiply in the dtype.
    """
    torch = card.torch
    first, second = card.noise(size, size), card.noise(size, size, seed=7)
    if dtype == "fp8":
        if not hasattr(torch, "_scaled_mm"):
            raise ValueError(f"torch {torch.__version__} does not multiply in fp8")
        one = torch.ones((), device=card.device)
        first, second = first.to(torch.float8_e4m3fn), second.to(torch.float8_e4m3fn).t()
        options = {"scale_a": one, "scale_b": one, "out_dtype": torch.bfloat16, "use_fast_accum": True}
        return {"nt": lambda: torch._scaled_mm(first, second, **options)}
    if dtype == "tf32":
        torch.set_float32_matmul_precision("high")
    else:
        kind = {"bf16": torch.bfloat16, "fp16": torch.float16}[dtype]
        first, second = first.to(kind), second.to(kind)
    out = torch.empty_like(first)
    transposed = second.t()
    return {
        "nn": lambda: torch.mm(first, second, out=out),
        "nt": lambda: torch.mm(first, transposed, out=out),
    }


def gemm(card: Card, dtype: str, size: int, times: int, samples: int, pause_seconds: float) -> Steps:
    """Bursts of ``times`` products of random matrices; of two layouts the faster one is measured.

    A card without arithmetic for the dtype gives no measurement.
    """
    if not able(card, dtype):
        yield
        return []
    try:
        ways = products(card, dtype, size)
    except ValueError as why:
        yield
        return [missing("gemm", card.subject, str(why), dtype=dtype, size=size, load="burst")]
    tried = {layout: min(card.bursts(call, 2, 3)) for layout, call in ways.items()}
    layout = min(tried, key=lambda one: tried[one])
    yield
    found = card.bursts(ways[layout], times, samples, pause_seconds)
    parameters = {"dtype": dtype, "size": size, "load": "burst", "layout": layout, "products": times, "data": "random"}
    return [measurement("gemm", card.subject, [values.tflops(size, one) for one in found], parameters)]


def hbm_copy(card: Card, size: int, samples: int) -> Steps:
    """Copies of one buffer into another inside of the card, counted both ways."""
    size = min(size, card.free_bytes() // 3)
    source = card.random_words(size)
    target = card.torch.empty_like(source)
    yield
    found = card.bursts(lambda: target.copy_(source), 10, samples)
    done = source.numel() * 8
    parameters = {"bytes": done, "counted": "read and written"}
    return [measurement("hbm_copy", card.subject, [values.copied_gb_s(done, one) for one in found], parameters)]


def host_copy(card: Card, size: int, samples: int, together: int) -> Steps:
    """Copies between pinned memory of the host and the card, first to the card, then back; each byte counted once."""
    torch = card.torch
    host = torch.empty(size, dtype=torch.uint8, pin_memory=True)
    there = card.random_words(size).view(torch.uint8)
    host.copy_(there)
    yield
    results = []
    for kind, call in (
        ("h2d", lambda: there.copy_(host, non_blocking=True)),
        ("d2h", lambda: host.copy_(there, non_blocking=True)),
    ):
        found = card.bursts(call, 4, samples, warm_seconds=0.05)
        parameters = {"bytes": size, "pinned": True, "together": together}
        results.append(measurement(kind, card.subject, [values.moved_gb_s(size, one) for one in found], parameters))
    return results


def p2p(card: Card, source: int, target: int, size: int, samples: int) -> Steps:
    """Copies from one card into another, counted once, and whether they arrived as they were."""
    torch = card.torch
    subject = f"gpu {source} -> gpu {target}"
    direct = bool(torch.cuda.can_device_access_peer(source, target))
    with torch.cuda.device(source):
        here = card.random_words(size, source, seed=source)
        there = torch.zeros(size // 8, dtype=torch.int64, device=torch.device("cuda", target))
        torch.cuda.synchronize(target)
        yield
        found = card.bursts(lambda: there.copy_(here, non_blocking=True), 4, samples, warm_seconds=0.05)
        torch.cuda.synchronize(target)
        # Sums of 64-bit words wrap around the same way on both cards; they do not cross the link.
        wrong = int(here.sum().item() != there.sum().item())
    parameters = {"bytes": size, "direct": direct}
    return [
        measurement("p2p", subject, [values.moved_gb_s(size, one) for one in found], parameters),
        measurement("wrong_result", subject, [wrong], {"of": "copies between cards", "bytes": size}),
    ]
