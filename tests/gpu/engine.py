# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start a real vLLM on this machine's cards by our own plan, and put what it logs beside what the planner said.

``python -m tests.gpu.engine RESULT_DIRECTORY [--environment NAME=VALUE]... [--argument WORD]... [DEPLOYMENT]...``

For each deployment of ``engine_deployments.yml`` (default: all): a model directory without weights, the plan, the engine as a
process with the argv and the variables of the plan's container, the supervisor's own probes until it is ready, its
heartbeats and the gauge of its drain against the real /metrics, then a stop. ``vllm`` must be on the PATH. The cards' settings
are not touched. Writes ``engine.json`` and a log of each engine; ends with 1 when one did not get ready, or refused a flag.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import threading
import time
import types
import typing as t

from tests.gpu import dummy_model, engine_log, engine_planned

#: Words that a request of this script asks for: a short one that a counter must see, a long one for the gauge.
SHORT, LONG = 32, 512

#: How long a killed engine may take to vanish.
GONE_SECONDS = 60

#: What of the machine's own environment may change what an engine takes; never what may be a secret.
TELLING = re.compile(r"^(NCCL|VLLM|NVSHMEM|TORCH|CUDA|PYTORCH)_(?!.*(KEY|TOKEN|PASSWORD|SECRET))")


class EngineError(Exception):
    """An engine came to nothing; the text says why."""


def probes() -> types.ModuleType:
    """Return the supervisor's own probes, which lie outside of any package."""
    return importlib.import_module("rank_probes")


def until_ready(
    process: subprocess.Popen[bytes], ready: t.Sequence[dict[str, t.Any]], budget: float
) -> dict[str, float]:
    """Return {kind: seconds until that probe passed}, one after the other as the supervisor asks. Raises EngineError."""
    asks, began = probes(), time.monotonic()
    passed: dict[str, float] = {}
    for one in ready:
        while one["kind"] not in passed:
            if process.poll() is not None:
                raise EngineError(f"it ended with {process.returncode} before {one['kind']} passed")
            try:
                asks.probe(one, "")
                passed[one["kind"]] = round(time.monotonic() - began, 1)
            except asks.RankFailedError as why:
                if time.monotonic() - began > budget:
                    raise EngineError(f"{why} (budget of {budget:g} s spent)") from why
                time.sleep(1)
    return passed


def heartbeats(spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what the heartbeat and the drain find at the real engine.

    counter_before, counter_after  the total of the token counters around a request of SHORT tokens
    moved                          whether the heartbeat saw that by itself, without asking for a token
    asked_seconds                  how long a token took that a silent engine was asked for
    running, running_after         the gauges of the drain while a request of LONG tokens is served, and after it
    long_seconds                   how long that request took
    """
    asks = probes()
    tokens = next(one for one in spec["alive"] if one["kind"] == "tokens")
    heart = asks.Heartbeat(tokens)
    heart.beat()
    found: dict[str, t.Any] = {"counter_before": heart.total}
    heart.seen = quiet_since = time.monotonic() - tokens["idle_seconds"] + 5
    generate(tokens, SHORT)
    heart.beat()
    found |= {"counter_after": heart.total, "moved": heart.seen > quiet_since}
    heart.seen -= 2 * tokens["idle_seconds"]
    began = time.monotonic()
    heart.beat()
    found["asked_seconds"] = round(time.monotonic() - began, 2)
    long = threading.Thread(target=generate, args=(tokens, LONG))
    began = time.monotonic()
    long.start()
    seen: list[float | None] = []
    while long.is_alive():
        seen.append(running(spec["drain"]))
        time.sleep(0.2)
    found |= {
        "long_seconds": round(time.monotonic() - began, 1),
        "running": max((one for one in seen if one is not None), default=None),
        "running_after": running(spec["drain"]),
    }
    return found


def generate(tokens: t.Mapping[str, t.Any], number: int) -> None:
    """Ask for so many tokens, whatever they say."""
    body = {"model": tokens["model"], "prompt": "1", "max_tokens": number, "temperature": 0, "ignore_eos": True}
    probes().ask(tokens["url"], body=body, timeout=300)


def running(drain: t.Mapping[str, t.Any]) -> float | None:
    """Return how many requests the drain would wait for; None when no gauge of that name is there."""
    asks = probes()
    total: float | None = asks.total_of(asks.ask(drain["metrics_url"]), drain["gauges"])
    return total


def stop(process: subprocess.Popen[bytes], patience: float) -> dict[str, t.Any]:
    """End an engine as ``docker stop`` does, and then whatever is left of its process group.

    Returns the seconds, the exit status, whether it ended by itself, and whether all its processes are gone: one that is
    killed gives the memory of its card back only then, some seconds later.
    """
    began = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience)
    polite = process.poll() is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait(30)
    gone = until_gone(process.pid)
    return {"seconds": round(time.monotonic() - began, 1), "status": status, "polite": polite, "gone": gone}


def until_gone(group: int) -> bool:
    """Wait, for a bounded time, until a process group has no member left; return whether that is so."""
    end = time.monotonic() + GONE_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    return False


def serve(
    deployment: dict[str, t.Any], folder: pathlib.Path, gpus: list[dict[str, str]], budget: float
) -> dict[str, t.Any]:
    """Return the record of one deployment: what was planned, what was measured, and what went wrong."""
    directory = folder / "models" / deployment["model"]
    dummy_model.write(deployment["model"], directory)
    plan = engine_planned.planned(deployment, str(directory), gpus)
    record: dict[str, t.Any] = {"deployment": deployment, "argv": plan["argv"], "env": plan["env"], "problem": ""}
    log = folder / f"{deployment['name']}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            plan["argv"],
            env={**os.environ, **plan["env"]},
            stdout=written,
            stderr=subprocess.STDOUT,
            # The whole group can be ended, and nothing of it outlives this script.
            start_new_session=True,
        )
        try:
            spec = plan["spec"]
            record["ready_seconds"] = until_ready(process, spec["ready"], budget or spec["ready_budget_seconds"])
            record["heartbeats"] = heartbeats(spec)
        except (EngineError, probes().RankFailedError) as why:
            record["problem"] = str(why)
        finally:
            record["stop"] = stop(process, spec["container"]["stop_seconds"])
    text = log.read_text(encoding="utf-8", errors="replace")
    record |= {"planned": plan["sizing"], "measured": engine_log.figures(text), "log": engine_log.lines(text)}
    if record["problem"]:
        record["last_lines"] = text.splitlines()[-40:]
    return record


def errors(record: t.Mapping[str, t.Any]) -> dict[str, float]:
    """Return {figure: by how many percent the planner is above (+) or below (-) what was measured}."""
    measured, planned = dict(record["measured"]), {**record["planned"], **record["planned"].get("reserve", {})}
    if measured.get("kv_tokens"):  # each replica logs its own
        measured["kv_tokens"] *= record["deployment"].get("data_parallel", 1)
    pairs = ("weights_gib", "kv_gib", "kv_tokens", "requested_gib")
    return {key: round((planned[key] / measured[key] - 1) * 100, 2) for key in pairs if measured.get(key)}


def unknown_flags(folder: pathlib.Path) -> list[str]:
    """Return the flags of our engine that the installed release's own parser does not have; keeps the parser's dump."""
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _flags, _registry

    dump = [sys.executable, str(engine_planned.ROOT / "tests/parsers/dump.py"), "vllm"]
    done = subprocess.run(dump, capture_output=True, text=True, check=True, timeout=300)
    (folder / "parser.json").write_text(done.stdout, encoding="utf-8")
    known = _flags.table(json.loads(done.stdout))
    engine = _registry.engine("vllm_native")
    wanted = [*(flag for flag, kind in engine.options.values() if kind != "env"), *engine.planned_flags]
    return sorted({flag for flag in wanted if flag not in known.options})


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.engine", allow_abbrev=False)
    parser.add_argument("folder", type=pathlib.Path, metavar="RESULT_DIRECTORY")
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--argument", action="append", default=[], metavar="WORD", help="a word for extra_args")
    parser.add_argument("--budget", type=float, default=0, metavar="SECONDS", help="instead of the plan's own")
    parser.add_argument("deployments", nargs="*", metavar="DEPLOYMENT")
    return parser.parse_intermixed_args(words)


def main(words: list[str]) -> int:
    asked = arguments(words)
    engine_planned.collection()
    asked.folder.mkdir(parents=True, exist_ok=True)
    release = importlib.metadata.version("vllm")
    gpus, known = engine_planned.cards(), engine_planned.deployments()
    result: dict[str, t.Any] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "gpus": [one["name"] for one in gpus],
        "memory_mib": [int(one["memory_mib"]) for one in gpus],
        "driver": gpus[0]["driver"],
        "vllm": release,
        "python": platform.python_version(),
        "machine": {name: value for name, value in sorted(os.environ.items()) if TELLING.match(name)},
        "unknown_flags": unknown_flags(asked.folder),
        "runs": [],
    }
    print("flags that", release, "does not have:", result["unknown_flags"] or "none", flush=True)
    for name in asked.deployments or known:
        deployment = {
            **known[name],
            "image": f"docker.io/vllm/vllm-openai:v{release}",
            "tensor_parallel": len(gpus) // known[name].get("data_parallel", 1),
            "environment": dict(pair.split("=", 1) for pair in asked.environment),
            "extra_args": asked.argument,
        }
        record = serve(deployment, asked.folder, gpus, asked.budget)
        record["errors_percent"] = errors(record)
        result["runs"].append(record)
        (asked.folder / "engine.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        told = ("ready_seconds", "measured", "errors_percent", "heartbeats", "stop", "problem", "last_lines")
        print(name, json.dumps({key: record[key] for key in told if key in record}, indent=1), flush=True)
    return int(bool(result["unknown_flags"]) or any(one["problem"] for one in result["runs"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
