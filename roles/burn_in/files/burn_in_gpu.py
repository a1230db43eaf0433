# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured of the cards of a node, in which order.

Bursts come before the long load, so that they find cool cards.
"""

from __future__ import annotations

import itertools
import time
import typing as t

import burn_in_heat as heat
import burn_in_tiers as tiers
import burn_in_tools as tools
import burn_in_values as values
from burn_in_cards import Look, Watch
from burn_in_run import BOUND, Run, gathered, request, together
from burn_in_values import measurement, missing
from burn_in_workers import Reply, Worker, ask

#: Seconds of the budget that stay for the all-reduce, whose group takes the most of them to be made.
COLLECTIVE_RESERVE = 14.0

#: The shortest load that tells something about temperatures.
LEAST_LOAD = 4.0


def cards(run: Run, look: t.Callable[[], Look], looked_by: str) -> None:
    """Measure all that the tier asks of the cards."""
    products(run)
    copies(run)
    load(run, look, looked_by)


def products(run: Run) -> None:
    """Matrix products by size and dtype, all cards at once."""
    tier = run.tier
    for size, dtype in itertools.product(tier.gemm_sizes, tiers.DTYPES):
        arguments = {
            "dtype": dtype,
            "size": size,
            "times": tier.products,
            "samples": tier.samples,
            "pause_seconds": tier.pause_seconds,
        }
        known = {"dtype": dtype, "size": size, "load": "burst"}
        together(run, f"GEMM {dtype} {size}", ["gemm"], {"do": "gemm", "with": arguments}, **known)


def copies(run: Run) -> None:
    """Copies inside of all cards at once; to and from the host and between cards one after another; to the host all at once."""
    tier, many = run.tier, len(run.workers)
    together(run, "HBM copy", ["hbm_copy"], request("hbm_copy", size=tiers.HBM_BYTES, samples=tier.samples))
    began = time.monotonic()
    found = tools.nvbandwidth(min(BOUND, max(run.left() / 2, 5))) if tools.has("nvbandwidth") else []
    if found:
        run.add(found, "PCIe and P2P by nvbandwidth", began)
    else:
        hosts(run)
        peers(run)
    if many > 1:
        wanted = request("host_copy", size=tiers.HOST_BYTES, samples=tier.copy_samples, together=many)
        together(run, "PCIe, all cards at once", ["h2d", "d2h"], wanted, together=many)


def hosts(run: Run) -> None:
    """Copies between the host and one card after another."""
    both = ["h2d", "d2h"]
    if run.spent("PCIe", [(kind, f"gpu {worker.index}") for worker in run.workers for kind in both], together=1):
        return
    began = time.monotonic()
    replies: dict[Worker, Reply] = {}
    for worker in run.workers:
        wanted = request("host_copy", size=tiers.HOST_BYTES, samples=run.tier.copy_samples, together=1)
        replies.update(ask({worker: wanted}, min(BOUND, max(run.left(), 5))))
    run.add(gathered(replies, both, together=1), "PCIe, one card after another", began)


def peers(run: Run) -> None:
    """Copies between every two cards in both directions, one after another, by the first process that lives.

    Neighbours come first: where the time does not suffice for all pairs, each card has been source and target.
    """
    able = [worker for worker in run.workers if not worker.problem]
    numbers = [worker.index for worker in run.workers]
    began, found, wrong = time.monotonic(), [], []
    last = began + max(2.0, (run.left() - COLLECTIVE_RESERVE - LEAST_LOAD) * 0.6)
    apart = range(1, len(numbers))
    for step, at in itertools.product(apart, range(len(numbers))):
        source, target = numbers[at], numbers[(at + step) % len(numbers)]
        subject = f"gpu {source} -> gpu {target}"
        if not able or time.monotonic() > last:
            problem = "no card's process is left" if not able else "left out: its share of this tier's time was spent"
            found.append(missing("p2p", subject, problem))
            continue
        wanted = request("p2p", source=source, target=target, size=tiers.PEER_BYTES, samples=run.tier.copy_samples)
        reply = ask({able[0]: wanted}, min(BOUND, max(run.left(), 5)))[able[0]]
        if "measurements" in reply:
            found += [one for one in reply["measurements"] if one["kind"] == "p2p"]
            wrong += [one["subject"] for one in reply["measurements"] if one["kind"] == "wrong_result" and one["value"]]
        else:
            found.append(missing("p2p", subject, reply["problem"], bool(reply.get("fault"))))
            able = [worker for worker in able if not worker.problem]
    if found:
        measured = [one for one in found if one["value"] is not None]
        if measured:
            parameters = {"of": "copies between cards", "pairs": len(measured), "odd": wrong}
            found.append(measurement("wrong_result", f"{len(numbers)} GPUs", [len(wrong)], parameters))
        run.add(found, "P2P", began)


def load(run: Run, look: t.Callable[[], Look], looked_by: str) -> None:
    """All cards multiply for a while: the rate that lasts, temperatures, throttling, wrong results."""
    size = max(one for one in run.tier.gemm_sizes if one <= 8192)
    seconds = max(LEAST_LOAD, min(run.tier.load_seconds, run.left() - COLLECTIVE_RESERVE))
    began, watch = time.monotonic(), Watch(look, max(0.5, seconds / 400))
    watch.start()
    replies = ask({worker: request("load", size=size, seconds=seconds) for worker in run.workers}, seconds + BOUND)
    looks = watch.looks()
    found = gathered(replies, ["gemm", "wrong_result"], size=size, dtype="bf16", load="sustained")
    checksums = {one["subject"]: one["parameters"]["checksum"] for one in found if "checksum" in one["parameters"]}
    if len(checksums) > 1:
        odd = values.odd_ones(checksums)
        parameters = {"of": "the same product on every card", "odd": odd}
        found.append(measurement("wrong_result", f"{len(checksums)} GPUs", [len(odd)], parameters))
    run.add(found + heat.under_load(looks, looked_by), f"{seconds:.0f} s of load", began)
