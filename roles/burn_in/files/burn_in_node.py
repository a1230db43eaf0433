# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is measured on a node, in which order, and how the answers of the cards become measurements of the node.

Bursts come before the long load, so that they find cool cards; the all-reduce comes last, as a card that fails in it takes
the others along.
"""

from __future__ import annotations

import itertools
import pathlib
import statistics
import time
import typing as t

import burn_in_heat as heat
import burn_in_nccl_log as nccl_log
import burn_in_tiers as tiers
import burn_in_values as values
from burn_in_cards import Look, Watch
from burn_in_values import Measurement, measurement, missing
from burn_in_workers import Reply, Worker, ask

#: Seconds that one figure may take: a card that needs longer hangs.
BOUND = 60.0

#: Seconds that are measured in any case, however long it took to start from a cold disk.
LEAST_SECONDS = 40.0

#: Seconds of the budget that stay for the all-reduce, whose group takes the most of them to be made.
COLLECTIVE_RESERVE = 14.0

#: The shortest load that tells something about temperatures.
LEAST_LOAD = 4.0


class Run:
    """One run on one node. ``measurements`` grows; ``say`` tells people what happens."""

    def __init__(
        self, tier: tiers.Tier, workers: t.Sequence[Worker], began: float, say: t.Callable[[str], None]
    ) -> None:
        self.tier, self.workers, self.say = tier, list(workers), say
        self._end = max(began + tier.budget_seconds, time.monotonic() + LEAST_SECONDS)
        self.measurements: list[Measurement] = []

    def left(self) -> float:
        """Return the seconds of the budget that are left."""
        return self._end - time.monotonic()

    def add(self, found: t.Iterable[Measurement], what: str, began: float) -> None:
        """Add measurements and tell them in one line."""
        new = [{**one, "seconds": values.rounded(time.monotonic() - began)} for one in found]
        self.measurements += new
        several = len({one["kind"] for one in new}) > 1
        shown = [one for one in new if one["kind"] != "wrong_result"]
        told = ", ".join(f"{one['subject']}{' ' + one['kind'] if several else ''} {_told(one)}" for one in shown)
        wrong = [one for one in new if one["kind"] == "wrong_result" and one["value"] != 0]
        if wrong:
            told += f"; WRONG RESULTS: {', '.join(one['subject'] for one in wrong)}"
        self.say(f"{what}: {told or 'results as they should be'}")

    def spent(self, what: str, kinds: t.Iterable[tuple[str, str]], reserve: float = 0.0, **parameters: t.Any) -> bool:
        """Tell whether the budget has no time for this; then what is missing is added with that problem."""
        if self.left() > reserve:
            return False
        problem = "left out: the time of this tier was spent"
        self.add([missing(kind, subject, problem, **parameters) for kind, subject in kinds], what, time.monotonic())
        return True


def _told(one: Measurement) -> str:
    return one["problem"] if one["value"] is None else f"{one['value']:g} {one['unit']}".strip()


def _gathered(replies: t.Mapping[Worker, Reply], kinds: t.Sequence[str], **parameters: t.Any) -> list[Measurement]:
    """Return the measurements of the answers; for a card without, one of each kind that says why."""
    found: list[Measurement] = []
    for worker, reply in sorted(replies.items(), key=lambda item: item[0].index):
        if "measurements" in reply:
            found += reply["measurements"]
        else:
            fault = bool(reply.get("fault"))
            found += [missing(kind, f"gpu {worker.index}", reply["problem"], fault, **parameters) for kind in kinds]
    return found


def everything(
    run: Run, parts: t.Sequence[str], look: t.Callable[[], Look], looked_by: str, address: str, log: pathlib.Path
) -> None:
    """Measure all that the tier asks for of these parts. ``address``: where the ranks of the all-reduce meet."""
    if "gpu" in parts:
        products(run)
        copies(run)
        peers(run)
        load(run, look, looked_by)
    if "node" in parts:
        all_reduce(run, address, log)


def _together(run: Run, what: str, kinds: t.Sequence[str], request: t.Mapping[str, t.Any], **known: t.Any) -> None:
    if run.spent(what, [(kind, f"gpu {worker.index}") for worker in run.workers for kind in kinds], **known):
        return
    began = time.monotonic()
    replies = ask(dict.fromkeys(run.workers, request), min(BOUND, max(run.left(), 5)))
    run.add(_gathered(replies, kinds, **known), what, began)


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
        _together(run, f"GEMM {dtype} {size}", ["gemm"], {"do": "gemm", "with": arguments}, **known)


def copies(run: Run) -> None:
    """Copies inside of all cards at once; to and from the host one card after another, then all at once."""
    tier, many = run.tier, len(run.workers)
    _together(run, "HBM copy", ["hbm_copy"], _request("hbm_copy", size=tiers.HBM_BYTES, samples=tier.samples))
    both = ["h2d", "d2h"]
    if not run.spent("PCIe", [(kind, f"gpu {worker.index}") for worker in run.workers for kind in both], together=1):
        began = time.monotonic()
        replies: dict[Worker, Reply] = {}
        for worker in run.workers:
            request = _request("host_copy", size=tiers.HOST_BYTES, samples=tier.copy_samples, together=1)
            replies.update(ask({worker: request}, min(BOUND, max(run.left(), 5))))
        run.add(_gathered(replies, both, together=1), "PCIe, one card after another", began)
    if many > 1:
        request = _request("host_copy", size=tiers.HOST_BYTES, samples=tier.copy_samples, together=many)
        _together(run, "PCIe, all cards at once", both, request, together=many)


def _request(do: str, **arguments: t.Any) -> dict[str, t.Any]:
    return {"do": do, "with": arguments}


def peers(run: Run) -> None:
    """Copies between every two cards in both directions, one after another, by the first process that lives."""
    able = [worker for worker in run.workers if not worker.problem]
    numbers = [worker.index for worker in run.workers]
    began, found, wrong = time.monotonic(), [], []
    last = began + max(2.0, (run.left() - COLLECTIVE_RESERVE - LEAST_LOAD) * 0.6)
    for source, target in itertools.permutations(numbers, 2):
        subject = f"gpu {source} -> gpu {target}"
        if not able or time.monotonic() > last:
            problem = "no card's process is left" if not able else "left out: its share of this tier's time was spent"
            found.append(missing("p2p", subject, problem))
            continue
        request = _request("p2p", source=source, target=target, size=tiers.PEER_BYTES, samples=run.tier.copy_samples)
        reply = ask({able[0]: request}, min(BOUND, max(run.left(), 5)))[able[0]]
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
    replies = ask({worker: _request("load", size=size, seconds=seconds) for worker in run.workers}, seconds + BOUND)
    looks = watch.looks()
    found = _gathered(replies, ["gemm", "wrong_result"], size=size, dtype="bf16", load="sustained")
    checksums = {one["subject"]: one["parameters"]["checksum"] for one in found if "checksum" in one["parameters"]}
    if len(checksums) > 1:
        odd = values.odd_ones(checksums)
        parameters = {"of": "the same product on every card", "odd": odd}
        found.append(measurement("wrong_result", f"{len(checksums)} GPUs", [len(odd)], parameters))
    run.add(found + heat.under_load(looks, looked_by), f"{seconds:.0f} s of load", began)


def all_reduce(run: Run, address: str, log: pathlib.Path) -> None:
    """The all-reduce over all cards of the node; of a sample the slowest rank counts."""
    ranks = len(run.workers)
    if ranks < 2:
        return
    subject, what = f"{ranks} GPUs", "all-reduce"
    if run.spent(what, [("all_reduce", subject)], gpus=ranks, nodes=1):
        return
    began = time.monotonic()
    sizes, samples = list(run.tier.message_bytes), run.tier.copy_samples
    requests = {
        worker: _request("all_reduce", rank=rank, ranks=ranks, address=address, sizes=sizes, samples=samples)
        for rank, worker in enumerate(run.workers)
    }
    replies = ask(requests, 90 + run.tier.load_seconds / 10, only_all=True)
    problems = [reply for reply in replies.values() if "measurements" not in reply]
    if problems:
        # The first card to say more than that another one is missing knows the cause.
        told = next((one for one in problems if "another card" not in one["problem"]), problems[0])
        found = [missing("all_reduce", subject, told["problem"], bool(told.get("fault")), gpus=ranks, nodes=1)]
    else:
        found = _merged([reply["measurements"] for reply in replies.values()], subject, ranks, log)
    run.add(found, what, began)


def _merged(answers: t.Sequence[list[Measurement]], subject: str, ranks: int, log: pathlib.Path) -> list[Measurement]:
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(log.glob("nccl.*")))
    chosen = nccl_log.algorithms(text)
    rates: dict[int, list[float]] = {}
    every = [dict(answer[0]["series"]) for answer in answers]
    for size in sorted(set.intersection(*(set(one) for one in every))):
        slowest = [max(times) for times in zip(*(one[size] for one in every))]
        rates[size] = [values.busbw_gb_s(size, one, ranks) for one in slowest]
    largest = max(rates)
    algorithm = chosen.get(largest, "")
    parameters = {
        **answers[0][0]["parameters"],
        "bytes": largest,
        "algorithm": algorithm,
        "algorithms": {str(size): name for size, name in sorted(chosen.items()) if size in rates},
        "nvls": algorithm.startswith("NVLS"),
        "transports": nccl_log.transports(text),
    }
    series = [[size, values.rounded(statistics.median(one))] for size, one in rates.items()]
    wrong = {answer[1]["subject"]: answer[1]["value"] for answer in answers if answer[1]["value"]}
    looked = {"of": "all-reduce", "words": answers[0][1]["parameters"]["words"], "odd": sorted(wrong)}
    return [
        measurement("all_reduce", subject, rates[largest], parameters, series=series),
        measurement("wrong_result", subject, [sum(wrong.values())], looked),
    ]
