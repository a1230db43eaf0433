# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve the tiny models with every engine over two lab hosts, by our own ``serve.yml``, one after another.

``python -m tests.lab.matrix [CASE...]``, a case being ENGINE:MODEL:SPLIT such as ``sglang:tiny-qwen2:tp2``; without one, all of
them. lab1 and lab2 must be prepared (``make demo``). Each deployment is asked for a greedy reply, restarted, and asked again:
the two must be equal. Prints a table of times.

``:think`` behind a case forces <think>: a chat must then give the very tokens of the completion of a prompt that ends so. ``+``
serves two cases at once on the same hosts, each with one of their two logical GPUs: while one restarts, the other one must answer.
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
FURTHER_SPLITS = {"dp2": {"data_parallel": 2}}

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
#: Run when they are named.
FURTHER = [
    "vllm_native:tiny-qwen2:dp2",
    *(f"{engine}:tiny-deepseek-v3:tp2:think" for engine in ("vllm_native", "sglang")),
    "vllm_native:tiny-qwen2:tp2+sglang:tiny-qwen2:tp2",
    "vllm_native:tiny-qwen2:tp2+vllm_native:tiny-llama:tp2",
    "vllm:tiny-qwen2:tp2+vllm_native:tiny-qwen2:tp2",
]

#: What the template of the tiny models makes of one message, and the end that forced_think gives it.
SAID, PROMPT, THINK = "Hello", "<|begin|><|user|>Hello<|end|><|assistant|>", "<think>\n"

#: How long a deployment may say nothing while another one takes all cores to start.
SILENT_SECONDS = 90

POST = """
import sys, urllib.request
asked = urllib.request.Request(sys.argv[1], data=sys.argv[2].encode(), headers={"Content-Type": "application/json"})
print(urllib.request.urlopen(asked, timeout=60).read().decode())
"""


def deployments(case: str) -> list[dict[str, t.Any]]:
    """Return the deployments of a case. Raises LabError when there is no such case."""
    if case not in [*CASES, *FURTHER]:
        raise LabError(f"there is no case {case}; there are {', '.join([*CASES, *FURTHER])}")
    parts = case.split("+")
    found = []
    for at, part in enumerate(parts):
        engine, model, split, *more = part.split(":")
        wish: dict[str, t.Any] = {
            "name": f"matrix-{at}" if at else "matrix",
            "model": model,
            "engine": engine,
            "nodes": HOSTS,
        }
        wish |= {
            "image": "{{ ray_cluster_image }}",
            "port": 8000 + at,
            **(SPLITS | FURTHER_SPLITS)[split],
            **ENGINES[engine],
        }
        # Each one's supervisors and ranks meet at ports of their own.
        wish |= {"rendezvous_port": 29501 + 20 * at, "supervisor_port": 29510 + 20 * at} if at else {}
        wish |= {"gpus_per_node": 1} if len(parts) > 1 else {}
        found.append({**wish, "forced_think": True} if "think" in more else wish)
    return found


def variables(case: str) -> dict[str, t.Any]:
    """Return the variables with which ``serve.yml`` serves a case."""
    wishes = deployments(case)
    models = sorted({one["model"] for one in wishes})
    return {
        "engine_deployments": wishes,
        "model_store_models": [{"name": one, "source": str(paths.CACHE / "models" / one)} for one in models],
        "ray_cluster_gpus": len(wishes),
    }


def group_of(wish: dict[str, t.Any]) -> Group:
    """Return the ranks of a deployment. On Ray the engine is one container, at the head."""
    url = f"http://127.0.0.1:{wish['port']}/v1/completions"
    return Group(wish["name"], HOSTS[:1] if wish["engine"] == "vllm" else HOSTS, url)


def serve(case: str) -> None:
    """Serve a case by our own playbook. Raises LabError."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(variables(case), file)
        file.flush()
        playbook = [str(paths.ROOT / ".venv/bin/ansible-playbook"), "playbooks/serve.yml"]
        os.chdir(paths.ROOT)
        run([*playbook, "-i", "inventories/lab", "-e", f"@{file.name}"])


def restart(group: Group, others: t.Sequence[Group]) -> float:
    """Restart a group; return the seconds until it gives a token. Raises LabError, also when another group is disturbed."""
    before = [group.started(rank) for rank in range(len(group.hosts))]
    theirs = [[one.started(rank) for rank in range(len(one.hosts))] for one in others]
    for host in group.hosts:
        run(["docker", "exec", host, "systemctl", "restart", "--no-block", group.unit])
    again = time.monotonic()
    heard = dict.fromkeys([one.name for one in others], again)

    def is_whole() -> bool:
        heard.update({one.name: time.monotonic() for one in others if one.reply(1)})
        silent = [name for name, when in heard.items() if time.monotonic() - when > SILENT_SECONDS]
        if silent:
            raise LabError(f"{silent[0]} gives no token while {group.name} restarts")
        return all(group.started(rank) not in {"", old} for rank, old in enumerate(before)) and bool(group.reply(1))

    remedy = f"See systemctl status {group.unit} on {group.hosts[0]}."
    wait_for(is_whole, f"the restart of {group.name}", remedy, 600)
    if theirs != [[one.started(rank) for rank in range(len(one.hosts))] for one in others]:
        raise LabError(f"another deployment was restarted together with {group.name}")
    return time.monotonic() - again


def post(group: Group, path: str, **body: t.Any) -> dict[str, t.Any]:
    """Return the answer of a group's engine. Raises LabError."""
    url = group.url.replace("/v1/completions", path)
    text = json.dumps({"model": group.name, "max_tokens": REPLY_TOKENS, "temperature": 0, **body})
    found: dict[str, t.Any] = json.loads(run(["docker", "exec", group.hosts[0], "python3", "-c", POST, url, text]))
    return found


def must_think(group: Group) -> None:
    """Raise LabError unless a chat's prompt ends with <think>: its tokens are counted, and the greedy replies compared."""
    chat = post(group, "/v1/chat/completions", messages=[{"role": "user", "content": SAID}])
    forced, plain = (post(group, "/v1/completions", prompt=PROMPT + end) for end in (THINK, ""))
    tokens = [one["usage"]["prompt_tokens"] for one in (chat, forced, plain)]
    if not tokens[0] == tokens[1] > tokens[2]:
        raise LabError(f"prompts of {group.name} have {tokens} tokens: chat, with <think>, without")
    said = chat["choices"][0]["message"]
    if ((said.get("reasoning_content") or "") + (said["content"] or "")).strip() != forced["choices"][0][
        "text"
    ].strip():
        raise LabError(
            f"{group.name} says {said} in a chat, and {forced['choices'][0]['text']!r} to the prompt with <think>"
        )


def measure(case: str) -> dict[str, t.Any]:
    """Serve a case, restart its deployments and return {case, start_seconds, restart_seconds, reply}. Raises LabError."""
    groups = [group_of(wish) for wish in deployments(case)]
    begun = time.monotonic()
    serve(case)
    started = time.monotonic() - begun
    first = [group.reply(REPLY_TOKENS) for group in groups]
    if not all(first):
        raise LabError(f"{case} gives no reply: {first}")
    if case.endswith(":think"):
        must_think(groups[0])
    seconds = [restart(one, [other for other in groups if other is not one]) for one in groups]
    second = [group.reply(REPLY_TOKENS) for group in groups]
    if second != first:
        raise LabError(f"{case}: the greedy reply was {first}, and is {second} after a restart")
    return {"case": case, "start_seconds": started, "restart_seconds": max(seconds), "reply": " / ".join(first)}


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
        f"\n| {datetime.datetime.now(datetime.UTC).date()}: engine:model:split | serve.yml, s | restart, s |\n|---|---|---|"
    )
    for row in rows:
        print(f"| {row['case']} | {row['start_seconds']:.0f} | {row['restart_seconds']:.0f} |")
    print(f"{len(rows)} passed, {len(failed)} failed{': ' * bool(failed)}{', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"lab: error: {error}")
