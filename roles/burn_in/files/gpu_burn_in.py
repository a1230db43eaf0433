# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Burn in the GPUs of one node: products, copies, links, all-reduce, temperatures, wrong results.

    gpu_burn_in.py --tier quick --node n1 > n1.json

One JSON object on standard output (schema 1: tier, started, fleet, measurements), progress on standard error. Needs Python 3.9
and torch with CUDA, as every engine image has them; no setting of a card is touched. Ends with 0 whenever it could say what it
saw, also what it could not: whoever reads the measurements judges them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import shlex
import shutil
import socket
import sys
import tempfile
import time
import typing as t

import burn_in_gpu
import burn_in_ring
from burn_in_cards import Look, NoCardsError, known_of, looker
from burn_in_run import Run
from burn_in_tiers import TIERS
from burn_in_values import Measurement, missing
from burn_in_workers import Worker

#: Memory of a card that the driver itself and its tools take; with more, something else works there.
FOREIGN_MIB = 2048

#: Starting Python and torch from a cold disk.
START_SECONDS = 240.0

HERE = pathlib.Path(__file__).resolve().parent


def options(argv: t.Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Burn in the GPUs of one node; measurements as JSON on standard output."
    )
    parser.add_argument("--tier", choices=sorted(TIERS), default="quick", help="how much is measured, and how long")
    parser.add_argument(
        "--parts", default="gpu,node", help="what is measured: gpu (each card), node (the all-reduce), or both"
    )
    parser.add_argument("--node", default=socket.gethostname(), help="the name of this node in the measurements")
    parser.add_argument("--image", default="", help="the container image this runs in, for the record")
    parser.add_argument("--busy", action="store_true", help="measure although something else works on the cards")
    return parser.parse_args(argv)


def environment(log: pathlib.Path) -> dict[str, str]:
    """Return the variables of the cards' processes: cards numbered as NVML does, and NCCL's account of what it does."""
    return {
        **os.environ,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "NCCL_DEBUG": "INFO",
        "NCCL_DEBUG_SUBSYS": "INIT,NET,GRAPH,TUNING",
        "NCCL_DEBUG_FILE": str(log / "nccl.%h.%p"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")])),
    }


def foreign(look: Look) -> str:
    """Return who else seems to work on the cards, or ""."""
    taken = [
        f"gpu {card['index']} {card['used_mib']:.0f} MiB" for card in look if (card["used_mib"] or 0) > FOREIGN_MIB
    ]
    return f"something else holds memory there: {', '.join(taken)}" if taken else ""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def started(workers: t.Sequence[Worker], say: t.Callable[[str], None]) -> tuple[list[Worker], list[Measurement], str]:
    """Return the processes that reached their card, measurements for those that did not, and the library's name."""
    until = time.monotonic() + START_SECONDS
    able, bad, tool = [], [], ""
    for worker in workers:
        hello = worker.receive(until, "the start")
        if "hello" in hello:
            able.append(worker)
            tool = hello["hello"]
        else:
            bad.append(missing("gemm", f"gpu {worker.index}", hello["problem"], bool(hello.get("fault"))))
            say(f"gpu {worker.index} cannot be used: {hello['problem']}")
    return able, bad, tool


def measure(asked: argparse.Namespace, say: t.Callable[[str], None], worker: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the whole run. ``worker``: the command of a card's process."""
    began = time.monotonic()
    at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    result: dict[str, t.Any] = {"schema": 1, "tier": asked.tier, "started": at, "fleet": {}, "measurements": []}
    try:
        look, looked_by = looker()
        cards = look()
        problem = "" if asked.busy else foreign(cards)
        problem = problem or ("" if cards else "the driver tells of no card")
    except NoCardsError as why:
        cards, problem = [], str(why)
    known = known_of(cards)
    result["fleet"][asked.node] = known
    if problem:
        say(f"nothing was measured: {problem}")
        known["problem"] = problem
        result["measurements"] = [{**missing("gemm", f"{len(cards)} GPUs", problem), "node": asked.node}]
        return result
    log = pathlib.Path(tempfile.mkdtemp(prefix="gpufleet-burn-in-"))
    variables = environment(log)
    workers = [Worker(card["index"], worker, variables) for card in cards]
    try:
        say(f"{len(cards)} × {known['gpu']}, driver {known['driver']}; tier {asked.tier}")
        able, bad, tool = started(workers, say)
        run = Run(TIERS[asked.tier], able, began, say)
        if able:
            parts = asked.parts.split(",")
            if "gpu" in parts:
                burn_in_gpu.cards(run, look, looked_by)
            if "node" in parts:
                burn_in_ring.node(run, f"127.0.0.1:{free_port()}", log, variables)
    finally:
        for one in workers:
            one.stop()
        shutil.rmtree(log, ignore_errors=True)
    filled = {"node": asked.node, "command": shlex.join(["gpu_burn_in.py", "--tier", asked.tier])}
    tool += f" in {asked.image}" if asked.image else ""
    result["measurements"] = [{**one, **filled, "tool": one["tool"] or tool} for one in bad + run.measurements]
    result["seconds"] = round(time.monotonic() - began, 1)
    return result


def main() -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    result = measure(options(sys.argv[1:]), say, [sys.executable, str(HERE / "burn_in_worker.py")])
    say("done")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
