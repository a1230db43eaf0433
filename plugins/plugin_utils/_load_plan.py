# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a load test runs: which points, each as one bounded command. Pure functions.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are variables of the role ``load_test`` without their prefix; ``node`` is what ``node_facts`` read on the host that
makes the load. A *point* is one load (so many clients, or so many requests per second) of one mix of lengths on one target.
"""

from __future__ import annotations

import math
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._acceptance_kinds import moment

Wishes = t.Mapping[str, t.Any]
Node = t.Mapping[str, t.Any]
Point = dict[str, t.Any]

CONTAINER = "gpufleet-load-test"
INSIDE = "/gpufleet-load-test"
SCRIPT = "load_test_run.py"
RESULT = "point.json"

#: Without a GPU in the container vLLM cannot guess its device; nothing is asked of the network; no usage is told.
ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_TARGET_DEVICE": "cpu",
}

#: Names of ours, and of `vllm bench serve --goodput`; all in milliseconds.
SLO = {"ttft_ms": "ttft", "tpot_ms": "tpot", "e2el_ms": "e2el"}


def points(wishes: Wishes, node: Node) -> list[Point]:
    """Return the points of a sweep in the order in which they are measured.

    All targets of one load come one after another, so that they are compared under like conditions.
    """
    base = int(wishes["seed"]) or int(moment(wishes["started"]).timestamp()) % 1_000_000
    loads = [("closed", one) for one in wishes["concurrency"]] + [("open", one) for one in wishes["rates"]]
    found: list[Point] = []
    for mix in wishes["lengths"]:
        for loop, load in loads:
            at = len(found)
            for place, target in enumerate(wishes["targets"]):
                seed = (base * 1000 + at + _earlier(wishes["targets"], place) * 100_000) % 2**32
                found.append(_point(wishes, node, target, place, mix, loop, load, seed))
    return found


def _earlier(targets: t.Sequence[t.Mapping[str, t.Any]], place: int) -> int:
    """Count the earlier targets of the same engine: equal prompts would come from its prefix cache the second time."""
    return sum(one["deployment"] == targets[place]["deployment"] for one in targets[:place])


def _point(
    wishes: Wishes,
    node: Node,
    target: t.Mapping[str, t.Any],
    place: int,
    mix: t.Mapping[str, t.Any],
    loop: str,
    load: float,
    seed: int,
) -> Point:
    if loop == "closed":
        requests = max(int(wishes["least_requests"]), int(load) * int(wishes["requests_per_client"]))
        said = f"{int(load)} client{'' if int(load) == 1 else 's'}"
    else:
        requests = max(int(wishes["least_requests"]), math.ceil(float(load) * float(wishes["open_seconds"])))
        said = f"{load:g} requests/s"
    fixed = not mix.get("file") and not float(mix.get("range") or 0)
    root = wishes["directory"] if wishes["program"] else INSIDE
    command = _runner(wishes, target, place, root)
    command += _tool(wishes, target, mix, root)
    command += ["--num-prompts", str(requests), "--seed", str(seed)]
    if loop == "closed":
        command += ["--request-rate", "inf", "--max-concurrency", str(int(load))]
    else:
        command += ["--request-rate", f"{load:g}", "--burstiness", f"{float(wishes['burstiness']):g}"]
    return {
        "target": target["name"],
        "mix": mix["name"],
        "loop": loop,
        "load": int(load) if loop == "closed" else float(load),
        "requests": requests,
        "asked_output_tokens": int(mix["output"]) if fixed else None,
        "seed": seed,
        "label": f"{target['name']}, {mix['name']}, {said}",
        "argv": command if wishes["program"] else [*_container(wishes, node, target, mix), *command],
        "container": "" if wishes["program"] else CONTAINER,
        "path": f"{wishes['directory']}/results/{RESULT}",
        "seconds": int(wishes["point_seconds"]),
    }


def _runner(wishes: Wishes, target: t.Mapping[str, t.Any], place: int, root: str) -> list[str]:
    """Return the words up to the tool: the script that puts key and CA into its environment."""
    words = ["python3"] if wishes["program"] else []
    words.append(f"{root}/{SCRIPT}")
    words += ["--key-file", f"{root}/{key_file(place)}"] if target.get("api_keys_path") else []
    words += ["--ca-file", f"{root}/{ca_file(place)}"] if target.get("ca_path") else []
    return [*words, "--", wishes["program"] or "vllm", "bench", "serve"]


def _tool(wishes: Wishes, target: t.Mapping[str, t.Any], mix: t.Mapping[str, t.Any], root: str) -> list[str]:
    """Return the options that do not depend on the load.

    Completions, not chat: there the first chunk is the first token, while a chat stream opens with one that names the role,
    which vLLM before 0.33 takes for it.
    """
    words = ["--backend", "openai", "--base-url", target["url"], "--model", target["model"]]
    words += ["--tokenizer", target["tokenizer"]]
    if mix.get("file"):
        words += ["--dataset-name", "sharegpt", "--dataset-path", mix["file"]]
        words += ["--sharegpt-output-len", str(mix["output"])] if mix.get("output") else []
    else:
        words += ["--dataset-name", "random", "--random-input-len", str(mix["input"])]
        words += [
            "--random-output-len",
            str(mix["output"]),
            "--random-range-ratio",
            f"{float(mix.get('range') or 0):g}",
        ]
    words += ["--ignore-eos", "--temperature", "0", "--num-warmups", str(wishes["warmups"])]
    words += ["--percentile-metrics", "ttft,tpot,itl,e2el", "--metric-percentiles", "50,95,99"]
    if wishes["slo"]:
        words += ["--goodput", *(f"{SLO[name]}:{float(limit):g}" for name, limit in sorted(wishes["slo"].items()))]
    words += ["--disable-tqdm", "--save-result", "--save-detailed"]
    return [*words, "--result-dir", f"{root}/results", "--result-filename", RESULT, *wishes["extra_args"]]


def _container(wishes: Wishes, node: Node, target: t.Mapping[str, t.Any], mix: t.Mapping[str, t.Any]) -> list[str]:
    """Return `docker run` up to the image's own words: no GPU, no capability, the node's network."""
    words = ["docker", "run", "--rm", "--pull", "never", "--name", CONTAINER, "--network", "host", "--init"]
    words += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--entrypoint", "python3"]
    # One socket per request in flight.
    words += ["--ulimit", "nofile=1048576"] if node["docker"]["can_raise_limits"] else []
    mounts = [f"{wishes['directory']}:{INSIDE}:ro", f"{wishes['directory']}/results:{INSIDE}/results"]
    mounts += [f"{path}:{path}:ro" for path in (target["tokenizer"], mix.get("file")) if path]
    words += [word for mount in mounts for word in ("--volume", mount)]
    words += [word for name, value in ENVIRONMENT.items() for word in ("--env", f"{name}={value}")]
    return [*words, image(wishes)]


def image(wishes: Wishes) -> str:
    """Return the image that makes the load, or nothing."""
    return str(wishes["image"] or next(iter(wishes["images"]), ""))


def key_file(place: int) -> str:
    return f"keys/{place}.key"


def ca_file(place: int) -> str:
    return f"keys/{place}.crt"


def sweep(wishes: Wishes) -> dict[str, t.Any]:
    """Return what makes two load tests comparable: loads, lengths and how many requests."""
    names = ("lengths", "concurrency", "rates", "requests_per_client", "least_requests", "open_seconds", "burstiness")
    return {name: wishes[name] for name in names}
