# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The all-reduce over all cards of a node, by nccl-tests where it is installed, else by PyTorch.

It comes last: a card that fails in it takes the others along.
"""

from __future__ import annotations

import pathlib
import statistics
import time
import typing as t

import burn_in_nccl_log as nccl_log
import burn_in_tools as tools
import burn_in_values as values
from burn_in_run import BOUND, Run, request
from burn_in_values import Measurement, measurement, missing
from burn_in_workers import ask


def node(run: Run, address: str, log: pathlib.Path, environment: t.Mapping[str, str]) -> None:
    """Measure what the cards of a node do together. ``address``: where the ranks meet; ``log``: where NCCL writes."""
    if len(run.workers) > 1 and not nccl_tests(run, log, environment):
        all_reduce(run, address, log)


def nccl_tests(run: Run, log: pathlib.Path, environment: t.Mapping[str, str]) -> bool:
    """Measure the all-reduce by nccl-tests, and tell whether that gave figures."""
    if not tools.has("all_reduce_perf"):
        return False
    began, ranks = time.monotonic(), len(run.workers)
    bound = min(BOUND, max(run.left(), 15)) + run.tier.load_seconds / 10
    tool, rates, wrong = tools.all_reduce_perf(ranks, run.tier.message_bytes, bound, environment)
    if not rates:
        run.say("all_reduce_perf gave no figures: PyTorch measures")
        return False
    subject = f"{ranks} GPUs"
    by_size = {size: [rate] for size, rate in rates.items()}
    found = [_rates(subject, by_size, {"gpus": ranks, "nodes": 1, "dtype": "fp32"}, log)]
    found.append(measurement("wrong_result", subject, [wrong], {"of": "all-reduce"}))
    run.add([{**one, "tool": tool} for one in found], "all-reduce by nccl-tests", began)
    return True


def all_reduce(run: Run, address: str, log: pathlib.Path) -> None:
    """The all-reduce over all cards of the node; of a sample the slowest rank counts."""
    ranks = len(run.workers)
    subject, what = f"{ranks} GPUs", "all-reduce"
    if run.spent(what, [("all_reduce", subject)], gpus=ranks, nodes=1):
        return
    began = time.monotonic()
    sizes, samples = list(run.tier.message_bytes), run.tier.copy_samples
    requests = {
        worker: request("all_reduce", rank=rank, ranks=ranks, address=address, sizes=sizes, samples=samples)
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
    rates: dict[int, list[float]] = {}
    every = [dict(answer[0]["series"]) for answer in answers]
    for size in sorted(set.intersection(*(set(one) for one in every))):
        slowest = [max(times) for times in zip(*(one[size] for one in every))]
        rates[size] = [values.busbw_gb_s(size, one, ranks) for one in slowest]
    wrong = {answer[1]["subject"]: answer[1]["value"] for answer in answers if answer[1]["value"]}
    looked = {"of": "all-reduce", "words": answers[0][1]["parameters"]["words"], "odd": sorted(wrong)}
    return [
        _rates(subject, rates, answers[0][0]["parameters"], log),
        measurement("wrong_result", subject, [sum(wrong.values())], looked),
    ]


def _rates(
    subject: str, rates: t.Mapping[int, list[float]], known: t.Mapping[str, t.Any], log: pathlib.Path
) -> Measurement:
    """Return the measurement of an all-reduce: the value is that of the largest message, the series has all of them."""
    text = "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(log.glob("nccl.*")))
    chosen, largest = nccl_log.algorithms(text), max(rates)
    algorithm = chosen.get(largest, "")
    parameters = {
        **known,
        "bytes": largest,
        "algorithm": algorithm,
        "algorithms": {str(size): name for size, name in sorted(chosen.items()) if size in rates},
        "nvls": algorithm.startswith("NVLS"),
        "transports": nccl_log.transports(text),
    }
    series = [[size, values.rounded(statistics.median(one))] for size, one in sorted(rates.items())]
    return measurement("all_reduce", subject, rates[largest], parameters, series=series)
