# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All-reduce over the cards of several nodes: this is the part of one node, started on all of them at once.

    fabric_burn_in.py --node n1 --nodes n1,n2 --gpus 8,8 --address 10.0.0.1 --port 29511

One JSON object on standard output, of the form of gpu_burn_in.py: {fleet, measurements}. The one measurement has ``series``
[[bytes, [seconds of each sample, of this node's slowest card]]], and among its parameters ``wrong`` (words of an exact sum) and
``log`` (NCCL's lines about paths); the controller makes figures of those of all nodes. It ends within --seconds, whatever the
others do. NCCL's variables are the caller's; set NCCL_ALGO=Ring to judge the network (with two nodes, trees look faster than it).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import sys
import tempfile
import time
import typing as t

import burn_in_meeting as meeting
from burn_in_cards import NoCardsError, known_of, looker
from burn_in_values import measurement
from burn_in_workers import Reply, Worker, ask
from gpu_burn_in import HERE, environment, foreign, started

#: What of NCCL's log goes to the controller.
TELLING = (" via ", "NET/IB", "Using network", "NCCL version", "NCCL WARN", "NCCL_IB_HCA set", "NET/Plugin")

#: 8 cards with 32 channels each say less.
MOST_LINES = 5000


def options(argv: t.Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="All-reduce over the cards of several nodes; JSON on standard output.")
    parser.add_argument("--node", required=True, help="this node's name")
    parser.add_argument(
        "--nodes", required=True, help="names of all nodes in the order of their ranks, the first one hosts"
    )
    parser.add_argument("--gpus", required=True, help="how many cards each of them has")
    parser.add_argument("--address", required=True, help="address of the first node")
    parser.add_argument("--port", type=int, default=29511, help="where ranks meet; the nodes meet at the next one")
    parser.add_argument("--bytes", default="8388608,67108864,536870912,2147483648,8589934592", help="sizes of messages")
    parser.add_argument("--samples", type=int, default=5, help="samples of each size")
    parser.add_argument("--seconds", type=float, default=180, help="bound of the whole run")
    parser.add_argument("--busy", action="store_true", help="measure although something else works on the cards")
    return parser.parse_args(argv)


def told(log: pathlib.Path) -> str:
    """Return the lines of NCCL's logs that tell of paths."""
    found: list[str] = []
    for path in sorted(log.glob("nccl.*")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        found += [line for line in lines if any(word in line for word in TELLING)]
    return "\n".join(found[:MOST_LINES])


def slowest(replies: t.Sequence[Reply]) -> list[list[t.Any]]:
    """Return [[bytes, [seconds]]]: of each sample the time of the slowest card, for the sizes that all of them did."""
    every = [dict(reply["measurements"][0]["series"]) for reply in replies]
    common = sorted(set.intersection(*(set(one) for one in every)))
    return [[size, [max(times) for times in zip(*(one[size] for one in every))]] for size in common]


def requests(
    asked: argparse.Namespace, workers: t.Sequence[Worker], names: t.Sequence[str], gpus: t.Sequence[int]
) -> dict[Worker, dict[str, t.Any]]:
    """Return what each card's process is to do; ranks are dealt in the order of the nodes."""
    first = sum(gpus[: names.index(asked.node)])
    arguments = {
        "ranks": sum(gpus),
        "address": f"{asked.address}:{asked.port}",
        "sizes": [int(one) for one in asked.bytes.split(",")],
        "samples": asked.samples,
    }
    return {
        worker: {"do": "all_reduce", "with": {"rank": first + at, **arguments}} for at, worker in enumerate(workers)
    }


def measure(asked: argparse.Namespace, say: t.Callable[[str], None], worker: t.Sequence[str]) -> dict[str, t.Any]:
    """Return what this node saw: known, series, wrong, log, fault, tool, problem. ``worker``: the command of a card's process."""
    until = time.monotonic() + asked.seconds
    names, gpus = asked.nodes.split(","), [int(one) for one in asked.gpus.split(",")]
    result: dict[str, t.Any] = {"series": [], "wrong": None, "log": "", "fault": False, "tool": "", "problem": ""}
    result["known"] = known_of(())
    try:
        cards = looker()[0]()
    except NoCardsError as why:
        return {**result, "problem": str(why)}
    result["known"] = known_of(cards)
    wanted = gpus[names.index(asked.node)]
    problem = "" if asked.busy else foreign(cards)
    if len(cards) != wanted:
        problem = f"{asked.node} has {len(cards)} cards, the plan says {wanted}"
    log = pathlib.Path(tempfile.mkdtemp(prefix="gpufleet-fabric-"))
    workers = [] if problem else [Worker(card["index"], worker, environment(log)) for card in cards]
    try:
        able, bad, result["tool"] = started(workers, say)
        problem = problem or "; ".join(f"{one['subject']}: {one['problem']}" for one in bad)
        if problem:
            return {**result, "problem": problem, "fault": any(one["parameters"].get("fault") for one in bad)}
        # Half of the time for the others to come: what is left is for the cards.
        met = min(until - 20, time.monotonic() + asked.seconds / 2)
        if asked.node == names[0]:
            problem = meeting.host(asked.port + 1, names[1:], met)
        else:
            problem = meeting.guest(asked.address, asked.port + 1, asked.node, met)
        if problem:
            return {**result, "problem": problem}
        say(f"{len(names)} nodes have met")
        asking = requests(asked, able, names, gpus)
        replies = list(ask(asking, until - time.monotonic(), only_all=True).values())
        result["log"] = told(log)
        failed = [str(reply["problem"]) for reply in replies if "measurements" not in reply]
        if failed:
            return {**result, "problem": failed[0], "fault": any(reply.get("fault") for reply in replies)}
        wrong = sum(int(reply["measurements"][1]["value"] or 0) for reply in replies)
        return {**result, "series": slowest(replies), "wrong": wrong}
    finally:
        for one in workers:
            one.stop()
        shutil.rmtree(log, ignore_errors=True)


def main() -> None:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    asked = options(sys.argv[1:])
    seen = measure(asked, say, [sys.executable, str(HERE / "burn_in_worker.py")])
    one = measurement("all_reduce", f"{asked.gpus} GPUs", (), {key: seen[key] for key in ("wrong", "log", "fault")})
    one |= {key: seen[key] for key in ("series", "tool", "problem")}
    one |= {"kind": "nccl_all_reduce", "node": asked.node, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps({"fleet": {asked.node: seen["known"]}, "measurements": [one]}), flush=True)


if __name__ == "__main__":
    main()
