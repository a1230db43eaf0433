# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve the tiny models with every engine over two lab hosts, by our own ``serve.yml``, one after another.

``python -m tests.lab.matrix [CASE...]``, a case being ENGINE:MODEL:SPLIT such as ``sglang:tiny-qwen2:tp2``; without one, all of
them. lab1 and lab2 must be prepared (``make demo``). Each deployment is asked for a greedy reply, restarted, and asked again:
the two must be equal. Prints a table of times.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import tempfile
import time
import typing as t

from tests.lab import paths
from tests.lab.faults import REPLY_TOKENS, Group
from tests.lab.shell import LabError, run, say, wait_for

HOSTS = ["lab1", "lab2"]
MODELS = ("tiny-deepseek-v3", "tiny-llama", "tiny-qwen2")
SPLITS = {"tp2": {"tensor_parallel": 2}, "pp2": {"pipeline_parallel": 2}}

VLLM = {"max_model_len": 512, "max_num_seqs": 8, "enforce_eager": True}
#: As in molecule/engine_sglang: without --sleep-on-idle its schedulers take a core each.
SGLANG = {
    "device": "cpu",
    "attention_backend": "torch_native",
    "disable_overlap_schedule": True,
    "mem_fraction_static": 0.2,
    "max_total_tokens": 2048,
    "context_length": 512,
}
ENGINES: dict[str, dict[str, t.Any]] = {
    "vllm": {"options": VLLM},
    "vllm_native": {"options": VLLM},
    "sglang": {"options": SGLANG, "extra_args": ["--sleep-on-idle"]},
}

CASES = [f"{engine}:{model}:{split}" for engine in ENGINES for model in MODELS for split in SPLITS]


def deployment(case: str) -> dict[str, t.Any]:
    """Return the deployment of a case. Raises LabError when there is no such case."""
    if case not in CASES:
        raise LabError(f"there is no case {case}; there are {', '.join(CASES)}")
    engine, model, split = case.split(":")
    wish = {"name": "matrix", "model": model, "engine": engine, "image": "{{ ray_cluster_image }}", "nodes": HOSTS}
    return {**wish, **SPLITS[split], **ENGINES[engine]}


def store(model: str) -> list[dict[str, str]]:
    """Return the value of model_store_models with a model of the lab."""
    return [{"name": model, "source": str(paths.CACHE / "models" / model)}]


def measure(case: str) -> dict[str, t.Any]:
    """Serve a case, restart it and return {case, start_seconds, restart_seconds, reply}. Raises LabError when it fails."""
    wish = deployment(case)
    # On Ray the engine is one container, at the head.
    group = Group(wish["name"], HOSTS[:1] if wish["engine"] == "vllm" else HOSTS)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"engine_deployments": [wish], "model_store_models": store(wish["model"])}, file)
        file.flush()
        begun = time.monotonic()
        playbook = [str(paths.ROOT / ".venv/bin/ansible-playbook"), "playbooks/serve.yml"]
        os.chdir(paths.ROOT)
        run([*playbook, "-i", "inventories/lab", "-e", f"@{file.name}"])
    started = time.monotonic()
    first = group.reply(REPLY_TOKENS)
    if not first:
        raise LabError(f"{case} gives no reply")
    before = [group.started(rank) for rank in range(len(group.hosts))]
    for host in group.hosts:
        run(["docker", "exec", host, "systemctl", "restart", "--no-block", group.unit])
    again = time.monotonic()
    wait_for(
        lambda: all(group.started(rank) not in {"", old} for rank, old in enumerate(before)) and bool(group.reply(1)),
        f"the restart of {case}",
        f"See systemctl status {group.unit} on {HOSTS[0]}.",
        600,
    )
    ready = time.monotonic()
    second = group.reply(REPLY_TOKENS)
    if second != first:
        raise LabError(f"{case}: the greedy reply was {first}, and is {second} after a restart")
    return {"case": case, "start_seconds": started - begun, "restart_seconds": ready - again, "reply": first}


def main(cases: list[str]) -> int:
    """Measure the cases and print a table. Returns 1 when one of them failed."""
    rows, failed = [], []
    for case in cases or CASES:
        say(case)
        try:
            rows.append(measure(case))
            say(json.dumps(rows[-1]))
        except LabError as error:
            failed.append(case)
            say(f"{case} FAILED: {error}")
    print(
        f"\n| {datetime.datetime.now(datetime.UTC).date()}: engine | model | split | serve.yml, s | restart, s |\n|---|---|---|---|---|"
    )
    for row in rows:
        engine, model, split = row["case"].split(":")
        print(f"| {engine} | {model} | {split.upper()} | {row['start_seconds']:.0f} | {row['restart_seconds']:.0f} |")
    print(f"{len(rows)} passed, {len(failed)} failed{': ' * bool(failed)}{', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"lab: error: {error}")
