# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which drawings the page of a load test has: throughput and latency over the load, TTFT as a CDF, latency as a histogram.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import bisect
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_bars as bars
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_curve as curve
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_scales as scales
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import number, with_unit

Drawing = bars.Drawing
Points = t.Sequence[kinds.Point]

#: What is drawn over the load.
OVER_LOAD = (
    ("Output throughput", "output_tokens_per_second"),
    ("Time to first token, median", "ttft_p50_ms"),
    ("Time per output token, median", "tpot_p50_ms"),
)

#: So many bins has a histogram, about; the last one holds all that is slower than the 99th percentile.
BINS = 12

AXES = {
    "closed": curve.Axis("clients", "numbers of clients", lambda one: f"{one:g}"),
    "open": curve.Axis("requests/s", "rates", lambda one: f"{one:g}", log=False),
}
MILLISECONDS = curve.Axis("time to first token", "milliseconds", lambda one: with_unit(one, "ms"), log=False)


def over_load(points: Points) -> list[Drawing]:
    """Return per mix and loop what grows with the load, a line per target; a single load is no curve."""
    found = []
    for mix, loop in dict.fromkeys((one["mix"], one["loop"]) for one in points):
        mine = [one for one in points if (one["mix"], one["loop"]) == (mix, loop) and one["completed"]]
        if len({one["load"] for one in mine}) < 2:
            continue
        for title, metric in OVER_LOAD:
            series = []
            for target in dict.fromkeys(one["target"] for one in mine):
                values = [(float(one["load"]), kinds.value(one, metric)) for one in mine if one["target"] == target]
                known = [[load, value] for load, value in values if value is not None]
                series += [{"name": target, "points": known, "floor": None}] if known else []
            if series:
                found.append(
                    curve.curve(f"{title}, {mix}, {loop} loop", kinds.METRICS[metric].unit, series, AXES[loop])
                )
    return found


def of_load(points: Points) -> list[Drawing]:
    """Return the drawings of one load of one mix: TTFT of all its targets as a CDF, and the latency of each as a histogram."""
    series = [
        {"name": one["target"], "points": cumulated(one["samples"]["ttft_ms"]), "floor": None}
        for one in points
        if one["completed"]
    ]
    place = f"{points[0]['mix']}, {kinds.load_text(points[0])}"
    title = f"Time to first token, {place}: share of requests that had it"
    found = [curve.curve(title, "%", series, MILLISECONDS, dots=False)] if series else []
    return found + [
        histogram(f"Latency of requests, {place}, {one['target']}", one) for one in points if one["completed"]
    ]


def cumulated(samples: t.Sequence[float]) -> list[list[float]]:
    """Return [ms, percent of requests that took so long or less], at most a hundred points, from sorted samples."""
    last = len(samples) - 1
    places = sorted({round(step * last / 100) for step in range(101)})
    return [[samples[place], round((place + 1) * 100 / len(samples), 2)] for place in places]


def histogram(title: str, point: kinds.Point) -> Drawing:
    """Draw how many requests took how long, as bars from the quickest to the slowest."""
    samples = point["samples"]["e2el_ms"]
    edges, counts = binned(samples)
    # Of many requests only evenly spaced samples are kept.
    scale = point["completed"] / len(samples)
    rows = []
    for place, count in enumerate(counts):
        beyond = place == len(counts) - 1 and samples[-1] > edges[-1]
        label = (
            f"over {number(edges[place])} ms" if beyond else f"{number(edges[place])} – {number(edges[place + 1])} ms"
        )
        rows.append({"label": label, "value": round(count * scale), "floor": None, "verdict": "pass"})
    found = bars.bars(title, "", rows)
    spread = point["e2el_ms"] or {}
    found["alt"] = (
        f"{point['completed']} requests, median {with_unit(spread.get('p50'), 'ms')},"
        f" 99th percentile {with_unit(spread.get('p99'), 'ms')}."
    )
    return found


def binned(samples: t.Sequence[float]) -> tuple[list[float], list[int]]:
    """Return (edges, counts) of sorted samples in bins of a round width.

    Beyond the 99th percentile there is one bin: a single slow request would leave the others no room.
    """
    high = samples[min(len(samples) - 1, int(len(samples) * 0.99))]
    edges = scales.ticks(samples[0], high, BINS)
    counts = [0] * (len(edges) - 1)
    for one in samples:
        place = bisect.bisect_right(edges, one) - 1
        if place < len(counts):
            counts[place] += 1
        elif one == edges[-1]:
            counts[-1] += 1
    beyond = sum(one > edges[-1] for one in samples)
    return edges, [*counts, beyond] if beyond else counts
