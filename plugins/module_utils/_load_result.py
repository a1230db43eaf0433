# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the JSON that `vllm bench serve --save-result --save-detailed` writes to the result of one point of a load test.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Read in vLLM 0.32.0 and 0.33.0, recorded with 0.32.0. The tool returns 0 and says 0 ms when every request has failed, so figures
of a point without a completed request are None here.
"""

from __future__ import annotations

import re
import typing as t

#: The metrics of requests, as the tool names them: time to first token, per further token, between two, of the whole request.
METRICS = ("ttft", "tpot", "itl", "e2el")
PERCENTILES = ("p50", "p95", "p99")

#: So many values of one metric are kept for drawings; of more, evenly spaced ones of the sorted values.
MOST_SAMPLES = 500

#: How many different errors are kept, and how much of each.
MOST_ERRORS, ERROR_CHARS = 5, 200

Result = dict[str, t.Any]


def nothing(problem: str) -> Result:
    """Return the result of a point that could not be measured."""
    found: Result = {
        "problem": problem,
        "completed": 0,
        "failed": 0,
        "seconds": None,
        "input_tokens": 0,
        "output_tokens": 0,
        "least_output_tokens": None,
        "requests_per_second": None,
        "output_tokens_per_second": None,
        "total_tokens_per_second": None,
        "good_requests_per_second": None,
        "samples": {"ttft_ms": [], "e2el_ms": []},
        "errors": [],
    }
    return {**found, **{f"{name}_ms": None for name in METRICS}}


def result(said: t.Mapping[str, t.Any]) -> Result:
    """Return the result of a point: counts, tokens, per-second figures, ``<metric>_ms`` with mean and percentiles, samples.

    Raises KeyError, TypeError or ValueError for JSON of another form.
    """
    completed, failed = int(said["completed"]), int(said["failed"])
    done = [place for place, error in enumerate(said["errors"]) if not error and said["latencies"][place] > 0]
    if len(done) != completed:
        raise ValueError(f"{completed} requests completed, but {len(done)} have a latency and no error")
    found = {
        **nothing(""),
        "completed": completed,
        "failed": failed,
        "seconds": round(float(said["duration"]), 3),
        "errors": _errors(said["errors"], failed),
    }
    if not completed:
        return found
    good = said.get("request_goodput")
    return {
        **found,
        "input_tokens": int(said["total_input_tokens"]),
        "output_tokens": int(said["total_output_tokens"]),
        "least_output_tokens": min(int(said["output_lens"][place]) for place in done),
        "requests_per_second": _round(said["request_throughput"]),
        "output_tokens_per_second": _round(said["output_throughput"]),
        "total_tokens_per_second": _round(said["total_token_throughput"]),
        "good_requests_per_second": None if good is None else _round(good),
        **{f"{name}_ms": _spread(said, name) for name in METRICS},
        "samples": {
            "ttft_ms": samples([said["ttfts"][place] * 1000 for place in done]),
            "e2el_ms": samples([said["latencies"][place] * 1000 for place in done]),
        },
    }


def samples(values: t.Iterable[float]) -> list[float]:
    """Return values sorted, and not more than ``MOST_SAMPLES`` of them: evenly spaced ones, least and largest included."""
    ordered = sorted(round(float(one), 2) for one in values)
    if len(ordered) <= MOST_SAMPLES:
        return ordered
    last = len(ordered) - 1
    return [ordered[round(place * last / (MOST_SAMPLES - 1))] for place in range(MOST_SAMPLES)]


def _spread(said: t.Mapping[str, t.Any], name: str) -> dict[str, float] | None:
    """Return mean and percentiles of a metric; None where no request had it, such as a time per further token of single tokens."""
    found = {one: _round(said[f"{one}_{name}_ms"]) for one in ("mean", *PERCENTILES)}
    return found if any(found.values()) else None


def _errors(errors: t.Sequence[str], failed: int) -> list[dict[str, t.Any]]:
    """Return what requests failed of, the most frequent first; of a traceback its last line, without the module."""
    counts: dict[str, int] = {}
    for error in errors:
        lines = str(error).strip().splitlines()
        if lines:
            text = re.sub(r"^[a-z_]+(\.[a-z_]+)*\.", "", lines[-1].strip())[:ERROR_CHARS]
            counts[text] = counts.get(text, 0) + 1
    unnamed = failed - sum(counts.values())
    if unnamed > 0:
        counts["without a reason"] = unnamed
    ordered = sorted(counts.items(), key=lambda one: -one[1])[:MOST_ERRORS]
    return [{"text": text, "count": count} for text, count in ordered]


def _round(figure: t.Any) -> float:
    return round(float(figure), 4)
