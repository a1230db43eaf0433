# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of the load test share: wishes, a node, targets, and points made of what the real tool once wrote."""

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _load_result
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_plan, _load_report

RECORDED = pathlib.Path(__file__).parents[1] / "module_utils/load_samples"
IMAGE = "vllm/vllm-openai:v0.33.0"
NODE: dict[str, t.Any] = {
    "docker": {
        "reachable": True,
        "problem": "",
        "can_raise_limits": True,
        "images": {IMAGE: "sha256:1"},
        "containers": {},
    }
}


def target(name: str = "deep gateway", **other: t.Any) -> dict[str, t.Any]:
    deployment, _, route = name.partition(" ")
    through = route == "gateway"
    return {
        "name": name,
        "deployment": deployment,
        "route": route,
        "url": "https://gpu1" if through else "http://127.0.0.1:8000",
        "model": "deepseek-v3",
        "tokenizer": "/models/deepseek-v3",
        "api_keys_path": "/secrets/keys" if through else "",
        "ca_path": "/secrets/ca.crt" if through else "",
        "facts": {"engine": "vllm", "image": IMAGE, "nodes": 2},
        **other,
    }


def wishes(**other: t.Any) -> dict[str, t.Any]:
    return {
        "started": "2026-11-22T10:00:00+00:00",
        "host": "gpu1",
        "targets": [target()],
        "image": "",
        "images": [IMAGE],
        "program": "",
        "concurrency": [1, 4],
        "rates": [],
        "lengths": [{"name": "32/12", "input": 32, "output": 12}],
        "requests_per_client": 8,
        "open_seconds": 60,
        "least_requests": 16,
        "warmups": 1,
        "burstiness": 1.0,
        "seed": 0,
        "point_seconds": 900,
        "extra_args": [],
        "slo": {},
        "slo_share": 0.95,
        "success_share": 1.0,
        "regression_share": 0.1,
        "regression_metrics": ["output_tokens_per_second", "ttft_p50_ms", "tpot_p50_ms"],
        "gateway_tax": {"throughput_share": 0.02, "ttft_ms": 1.0},
        "directory": "/var/lib/gpufleet/load_test",
        **other,
    }


def recorded(name: str, **other: t.Any) -> dict[str, t.Any]:
    """Return the result of a recorded point; ``other`` replaces fields."""
    said = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return {**_load_result.result(said), **other}


def faster(result: dict[str, t.Any], factor: float) -> dict[str, t.Any]:
    """Return a result in which everything is faster by a factor, so that no two points are alike."""
    found = json.loads(json.dumps(result))
    for name in ("requests", "output_tokens", "total_tokens", "good_requests"):
        if found[f"{name}_per_second"] is not None:
            found[f"{name}_per_second"] *= factor
    found["seconds"] /= factor
    for name in _load_result.METRICS:
        found[f"{name}_ms"] = {part: value / factor for part, value in found[f"{name}_ms"].items()}
    found["samples"] = {name: [one / factor for one in values] for name, values in found["samples"].items()}
    return found


def points(wish: dict[str, t.Any], *results: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the points of a sweep with these results; without any, recorded ones, faster with each place."""
    planned = _load_plan.points(wish, NODE)
    made = list(results) or [faster(recorded("closed_4"), 1 + place / 10) for place in range(len(planned))]
    return _load_report.joined(planned, made, wish["targets"])


NOTHING: dict[str, t.Any] = {"previous": {}, "history": [], "notes": []}


def document(wish: dict[str, t.Any] | None = None, *results: dict[str, t.Any], **history: t.Any) -> dict[str, t.Any]:
    wish = wish or wishes()
    return _load_report.build(points(wish, *results), wish, {**NOTHING, **history})
