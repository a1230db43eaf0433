# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the figures of a load test are called, which way is better, and how a point is told in one line.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number

Point = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Metric:
    """One figure of a point: where it stands (``field``, and ``part`` of it), and whether more of it is better."""

    title: str
    unit: str
    field: str
    part: str = ""
    better: str = "lower"


def _latencies() -> dict[str, Metric]:
    names = {"ttft": "TTFT", "tpot": "TPOT", "itl": "ITL", "e2el": "E2E"}
    return {
        f"{name}_{part}_ms": Metric(f"{title} {part}", "ms", f"{name}_ms", part)
        for name, title in names.items()
        for part in ("p50", "p95", "p99")
    }


#: TTFT: time to first token. TPOT: per further token of a request. ITL: between two chunks. E2E: of the whole request.
METRICS: dict[str, Metric] = {
    "output_tokens_per_second": Metric("Output", "tokens/s", "output_tokens_per_second", better="higher"),
    "total_tokens_per_second": Metric("Tokens in and out", "tokens/s", "total_tokens_per_second", better="higher"),
    "requests_per_second": Metric("Requests", "requests/s", "requests_per_second", better="higher"),
    "good_requests_per_second": Metric("Goodput", "requests/s", "good_requests_per_second", better="higher"),
    **_latencies(),
}


def value(point: Point, metric: str) -> float | None:
    """Return a figure of a point; None where it has none."""
    meaning = METRICS[metric]
    found = point.get(meaning.field)
    if meaning.part:
        found = (found or {}).get(meaning.part)
    return float(found) if isinstance(found, (int, float)) else None


def key(point: Point) -> tuple[str, str, str, float]:
    """Return what names a point: target, mix, loop, load."""
    return (str(point["target"]), str(point["mix"]), str(point["loop"]), float(point["load"]))


def load_text(point: Point) -> str:
    """Return the load in words: ``4 clients``, ``0.5 requests/s``."""
    if point["loop"] == "open":
        return f"{float(point['load']):g} requests/s"
    return f"{int(point['load'])} client{'' if int(point['load']) == 1 else 's'}"


def worse_by(metric: str, now: float, reference: float) -> float:
    """Return how much worse ``now`` is as a share of ``reference``; negative is better."""
    lost = now - reference if METRICS[metric].better == "lower" else reference - now
    return lost / reference if reference else 0.0


def success_share(point: Point) -> float | None:
    """Return the share of requests that were completed; None when there was none."""
    asked = point["completed"] + point["failed"]
    return point["completed"] / asked if asked else None


def good_share(point: Point) -> float | None:
    """Return the share of all requests that met the SLO; failed ones did not. None where no SLO was given."""
    good, seconds = value(point, "good_requests_per_second"), point.get("seconds")
    asked = point["completed"] + point["failed"]
    return min(1.0, good * seconds / asked) if good is not None and seconds and asked else None


def line(point: Point) -> str:
    """Return a point in one line, for the terminal."""
    if point["problem"]:
        return f"{point['label']}: not measured, {point['problem']}"
    failed = f", {point['failed']} FAILED ({point['errors'][0]['text']})" if point["failed"] else ""
    if not point["completed"]:
        return f"{point['label']}: no request was completed{failed}"
    words = [f"{point['label']}: {number(value(point, 'output_tokens_per_second'))} tokens/s"]
    words.append(f"{number(value(point, 'requests_per_second'))} requests/s")
    for name in ("ttft", "tpot", "e2el"):
        found = [number(value(point, f"{name}_{part}_ms")) for part in ("p50", "p99")]
        words.append(f"{METRICS[f'{name}_p50_ms'].title} {found[0]} ms (p99 {found[1]})")
    share = good_share(point)
    words += [f"{share * 100:.0f} % within the SLO"] if share is not None else []
    return ", ".join(words) + failed
