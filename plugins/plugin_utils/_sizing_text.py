# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of a deployment in sentences, and as a table for people.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing import Fleet, Model
from ansible_collections.gpufleet.inference.plugins.plugin_utils._sizing_wish import Wish

WIDTH = 120

#: Heading → width of the columns of the table; the first takes what is left.
COLUMNS = {"fits": 16, "split": 16, "weights": 9, "KV": 8, "KV tokens": 11, "at once": 8, "longest": 8, "start": 7}


def sentences(what: Model, wish: Wish, where: Fleet, result: t.Mapping[str, t.Any]) -> list[str]:
    """Return what was computed, from the GPU's memory down to the concurrency."""
    if "weights_gib" not in result:
        return list(result["mistakes"])
    reserve, shape = result["reserve"], what.shape
    wish = wish.resolved(shape.context or 4096, where.gpu_bytes, where.gpu_kind)
    aside = reserve["non_torch_gib"] + reserve["activation_gib"] + reserve["graphs_gib"]
    sums = f"{reserve['requested_gib']:.2f} GiB - weights {result['weights_gib']:.2f}"
    if aside:
        sums += (
            f" - outside of torch {reserve['non_torch_gib']:.2f} - activations {reserve['activation_gib']:.2f} "
            f"- CUDA graphs {reserve['graphs_gib']:.2f}"
        )
    found = [
        *result["mistakes"],
        f"of {where.gpu_gib:.2f} GiB the engine takes {sums} = {result['kv_gib']:.2f} for the KV cache",
    ]
    if result["unsized"]:
        return [*found, *result["notes"], f"{result['unsized']}: whether the context fits is not verified"]
    if result["kv_bytes_per_token"]:
        divided = (
            "not divided by TP" if shape.latent else f"{shape.kv_heads} KV heads over {wish.parallel.attention_ways}"
        )
        found.append(
            f"a token takes {result['kv_bytes_per_token']:,} bytes of it ({shape.attention.upper()}, {divided}, "
            f"{result['stages'][0]['layers']} layers on the first stage)"
        )
    found.append(
        f"it holds {result['kv_tokens']:,} tokens: {result['concurrency']:g} requests of {wish.context:,} at once, "
        f"or one of {result['longest_context']:,}"
    )
    found += result["notes"]
    if wish.concurrency and result["concurrency"] < wish.concurrency:
        found.append(f"{wish.concurrency} requests at once are wished: the others wait")
    return found


def verdict(result: t.Mapping[str, t.Any]) -> str:
    """Return for example ``yes, +12.3 GiB`` or ``no, -4.1 GiB``."""
    if result["mistakes"]:
        return "no, see below"
    if result["fits"] is None:
        return "not verified"
    if result["tight"] and result["fits"]:
        return f"tight, {result['spare_gib']:+.1f} GiB"
    return f"yes, +{result['spare_gib']:.1f} GiB" if result["fits"] else f"no, {result['spare_gib']:.1f} GiB"


def table(rows: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the lines of ``plan.yml``: rows are {title, result}; what does not fit is explained below the table."""
    first = WIDTH - sum(COLUMNS.values()) - len(COLUMNS)
    lines = [_line(["model × nodes", *COLUMNS], first), "-" * WIDTH]
    for row in rows:
        result = row["result"]
        lines.append(_line([str(row["title"]), verdict(result), result["parallel"], *_numbers(result)], first))
    for row in rows:
        result = row["result"]
        notes = [*result["mistakes"], *[f"would fit with {one}" for one in result.get("nearest", [])]]
        notes += [result["problem"]] if result.get("problem") else []
        if notes:
            lines += ["", f"{row['title']}:"[:WIDTH], *[part for note in notes for part in _wrapped(note)]]
    return lines


def _numbers(result: t.Mapping[str, t.Any]) -> list[str]:
    if "weights_gib" not in result:
        return ["-"] * 6
    minutes = f"{result['start_seconds'] / 60:.0f} min"
    kv = [f"{result['weights_gib']:.1f}G", f"{result['kv_gib']:.1f}G"]
    if result["kv_tokens"] is None:
        return [*kv, "-", "-", "-", minutes]
    return [*kv, f"{result['kv_tokens']:,}", f"{result['concurrency']:.1f}", f"{result['longest_context']:,}", minutes]


def _line(cells: t.Sequence[str], first: int) -> str:
    widths = [first, *COLUMNS.values()]
    # Too long a title is cut; a number never is, as the columns are as wide as the greatest can be.
    return " ".join(cell[:width].ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(note: str) -> list[str]:
    words, lines = note.split(), ["  -"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}"
    return lines
