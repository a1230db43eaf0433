# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the recording rules of the SLOs: which share of requests was too slow, per deployment and window.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

A histogram only knows its own bucket boundaries, and they differ between engines. An objective between two of them is
measured at the lower one: a request is then never called fast that was not.
"""

from __future__ import annotations

import typing as t

#: Boundaries in seconds. Sources: vllm/v1/metrics/buckets.py of 0.33 (the same in 0.32's loggers.py), sglang
#: metrics_collector.py of 0.5.23. TensorRT-LLM took vLLM's (its metrics/collector.py).
VLLM = {
    "ttft": (
        0.001,
        0.005,
        0.01,
        0.02,
        0.04,
        0.06,
        0.08,
        0.1,
        0.25,
        0.5,
        0.75,
        1.0,
        2.5,
        5.0,
        7.5,
        10.0,
        20.0,
        40.0,
        80.0,
        160.0,
    ),
    "tpot": (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0),
}
SGLANG = {
    "ttft": (0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 200.0),
    "tpot": (
        0.002,
        0.004,
        0.006,
        0.008,
        0.01,
        0.015,
        0.02,
        0.025,
        0.03,
        0.035,
        0.04,
        0.06,
        0.08,
        0.1,
        0.2,
        0.4,
        0.6,
        0.8,
        1.0,
    ),
}
BUCKETS = {"vllm": VLLM, "vllm_native": VLLM, "sglang": SGLANG, "tensorrt_llm": VLLM}

#: The histograms: time to first token, and time per output token of whole requests.
VLLM_NAMES = {"ttft": "vllm:time_to_first_token_seconds", "tpot": "vllm:request_time_per_output_token_seconds"}
NAMES = {
    "vllm": VLLM_NAMES,
    "vllm_native": VLLM_NAMES,
    "sglang": {"ttft": "sglang:time_to_first_token_seconds", "tpot": "sglang:request_time_per_output_token_seconds"},
    "tensorrt_llm": {"ttft": "trtllm_time_to_first_token_seconds", "tpot": "trtllm_time_per_output_token_seconds"},
}

WINDOWS = ("5m", "30m", "1h", "6h")
KEYS = ("ttft_seconds", "tpot_seconds", "objective")

Slo = dict[str, float]


def boundary(engine: str, slo: str, seconds: float) -> float | None:
    """Return the greatest bucket boundary that is not above ``seconds``; None when all are above or the engine is unknown."""
    fitting = [one for one in BUCKETS.get(engine, {}).get(slo, ()) if one <= seconds]
    return max(fitting) if fitting else None


def wished(default: t.Mapping[str, t.Any], own: t.Mapping[str, t.Any], deployment: str) -> Slo:
    """Return the SLO of a deployment: the default, with what is said for it by name."""
    return {key: float({**default, **own.get(deployment, {})}[key]) for key in KEYS}


def mistakes(
    deployments: t.Iterable[t.Mapping[str, str]],
    default: t.Mapping[str, t.Any],
    own: t.Mapping[str, t.Mapping[str, t.Any]],
) -> list[str]:
    """Return one sentence per mistake in ``monitoring_slo`` and ``monitoring_deployment_slos``."""
    found = []
    for variable, given in {
        "monitoring_slo": default,
        **{f"monitoring_deployment_slos.{name}": one for name, one in own.items()},
    }.items():
        found += [f"{variable}: {key} is unknown; known are {', '.join(KEYS)}" for key in given if key not in KEYS]
        found += [
            f"{variable}.{key}: {given[key]!r} must be a number above 0{' and below 1' if key == 'objective' else ''}"
            for key in KEYS
            if key in given and not _sound(key, given[key])
        ]
    found += [f"monitoring_slo: {key} is missing" for key in KEYS if key not in default]
    if found:
        return found
    for one in deployments:
        slo = wished(default, own, one["name"])
        for what in ("ttft", "tpot"):
            if one["engine"] in BUCKETS and boundary(one["engine"], what, slo[f"{what}_seconds"]) is None:
                lowest = BUCKETS[one["engine"]][what][0]
                found.append(
                    f"the SLO of {one['name']}: {what}_seconds must be {lowest} or more, the least that {one['engine']} tells apart"
                )
    return found


def _sound(key: str, value: t.Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return number and (key != "objective" or value < 1)


def rules(
    deployments: t.Iterable[t.Mapping[str, str]],
    default: t.Mapping[str, t.Any],
    own: t.Mapping[str, t.Mapping[str, t.Any]],
) -> dict[str, t.Any]:
    """Return the content of a rule file: for each deployment and SLO the budget, and per window the share of slow requests.

    An engine without known histograms (``custom``) gets none.
    """
    found: list[dict[str, t.Any]] = []
    for one in deployments:
        if one["engine"] not in BUCKETS:
            continue
        slo = wished(default, own, one["name"])
        for what in ("ttft", "tpot"):
            labels = {"deployment": one["name"], "slo": what}
            budget = round(1 - slo["objective"], 6)
            found.append({"record": "gpufleet:slo_budget", "expr": f"vector({budget})", "labels": labels})
            le = boundary(one["engine"], what, slo[f"{what}_seconds"])
            name, chosen = NAMES[one["engine"]][what], f'deployment="{one["name"]}"'
            for window in WINDOWS:
                good = f'sum(rate({name}_bucket{{{chosen},le="{le}"}}[{window}]))'
                # No requests: 0/0 is no number, and no alert.
                found.append(
                    {
                        "record": f"gpufleet:slo_bad_ratio:rate{window}",
                        "expr": f"1 - {good} / sum(rate({name}_count{{{chosen}}}[{window}]))",
                        "labels": labels,
                    }
                )
    return {"groups": [{"name": "slo_recording", "rules": found}]}
