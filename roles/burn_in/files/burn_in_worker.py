# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that works on one card: requests as lines of JSON on standard input, answers on standard output.

    → {"do": "gemm", "with": {…}}      ← {"ready": true} or {"problem": "…", "fault": bool}
    → {"go": true}                     ← {"measurements": […]} or {"problem": "…", "fault": bool}
    → {"go": false}                    ← {"problem": "another card could not take part", "fault": false}

It begins with {"hello": "torch 2.11.0, NCCL 2.28.9"} or a problem. What libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

#: What is no fault of a card: others hold its memory, or it is not given to this container.
INNOCENT = ("out of memory", "OutOfMemoryError", "invalid device ordinal", "no CUDA-capable device")

#: What torch and NCCL say when the card, its driver or a link failed.
FAULTS = ("CUDA error", "CUBLAS_STATUS_EXECUTION_FAILED", "unhandled cuda error", "unhandled system error", "cudaError")


def is_fault(text: str) -> bool:
    """Tell whether an error speaks of a failing card and not of a library or of memory that others hold."""
    return any(one in text for one in FAULTS) and not any(one in text for one in INNOCENT)


def answer(
    request: t.Mapping[str, t.Any], functions: t.Mapping[str, t.Callable[..., t.Any]], go: t.Callable[[], t.Any]
) -> dict[str, t.Any]:
    """Return the last answer to a request; ``go`` tells that all is prepared and waits for the word."""
    try:
        steps = functions[request["do"]](**request["with"])
        next(steps)
        go()
        try:
            next(steps)
        except StopIteration as end:
            return {"measurements": end.value}
        raise AssertionError(f"{request['do']} prepared twice")
    # torch raises RuntimeError and its children for nearly all; the reason goes to the caller, who judges it.
    except Exception as error:
        text = f"{type(error).__name__}: {error}".strip()
        return {"problem": text[:600], "fault": is_fault(text)}


def serve(
    functions: t.Mapping[str, t.Callable[..., t.Any]], inbox: t.Iterator[str], say: t.Callable[[t.Any], None]
) -> None:
    """Answer requests until standard input ends."""

    def go() -> None:
        say({"ready": True})
        if not json.loads(next(inbox))["go"]:
            raise RuntimeError("another card could not take part")

    for line in inbox:
        say(answer(json.loads(line), functions, go))


def main() -> None:
    """Work on the card whose number is the first argument."""
    index = int(sys.argv[1])
    # Libraries print to standard output; it belongs to the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(value: t.Any) -> None:
        out.write(json.dumps(value) + "\n")
        out.flush()

    try:
        import burn_in_collective
        import burn_in_figures
        import burn_in_load
        import torch
        from burn_in_card import Card

        card = Card(torch, index)
        card.near_cores()
        say({"hello": card.library()})
    except Exception as error:
        text = f"{type(error).__name__}: {error}".strip()
        say({"problem": text[:600], "fault": is_fault(text)})
        return
    functions: dict[str, t.Callable[..., t.Any]] = {
        "gemm": burn_in_figures.gemm,
        "hbm_copy": burn_in_figures.hbm_copy,
        "host_copy": burn_in_figures.host_copy,
        "p2p": burn_in_figures.p2p,
        "load": burn_in_load.load,
        "all_reduce": burn_in_collective.all_reduce,
    }
    bound = {name: _bind(function, card) for name, function in functions.items()}
    serve(bound, iter(sys.stdin.readline, ""), say)


def _bind(function: t.Callable[..., t.Any], card: t.Any) -> t.Callable[..., t.Any]:
    return lambda **arguments: function(card, **arguments)


if __name__ == "__main__":
    main()
