# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pretends to be a card's process of the burn-in: answers in its form without torch, and fails as told.

``BURN_IN_FAKE`` holds JSON, {card: {request: die | hang | fault | problem}}; the request ``start`` is the greeting. Every card
reaches 700 TFLOP/s, 4000 GB/s and 50 GB/s, and its product has the checksum ``BURN_IN_CHECKSUMS[card]`` where that is given.
"""

from __future__ import annotations

import json
import os
import sys
import time
import typing as t

import burn_in_worker as worker
from burn_in_values import measurement

INDEX = int(sys.argv[1])
SUBJECT = f"gpu {INDEX}"
FAULTS = json.loads(os.environ.get("BURN_IN_FAKE", "{}")).get(str(INDEX), {})
CHECKSUM = json.loads(os.environ.get("BURN_IN_CHECKSUMS", "{}")).get(str(INDEX), "feed")

Steps = t.Generator[None, None, list[dict[str, t.Any]]]


def fail(what: str) -> None:
    fault = FAULTS.get(what)
    if fault == "die":
        os._exit(7)
    if fault == "hang":
        time.sleep(600)
    if fault == "fault":
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")
    if fault == "problem":
        raise RuntimeError("CUDA out of memory")


def gemm(dtype: str, size: int, **_more: t.Any) -> Steps:
    fail("gemm")
    yield
    return [measurement("gemm", SUBJECT, [700.0], {"dtype": dtype, "size": size, "load": "burst"})]


def hbm_copy(size: int, **_more: t.Any) -> Steps:
    fail("hbm_copy")
    yield
    return [measurement("hbm_copy", SUBJECT, [4000.0], {"bytes": size})]


def host_copy(size: int, together: int, **_more: t.Any) -> Steps:
    fail("host_copy")
    yield
    return [measurement(kind, SUBJECT, [50.0], {"bytes": size, "together": together}) for kind in ("h2d", "d2h")]


def p2p(source: int, target: int, **_more: t.Any) -> Steps:
    fail("p2p")
    yield
    pair = f"gpu {source} -> gpu {target}"
    wrong = FAULTS.get("p2p") == "wrong"
    return [measurement("p2p", pair, [390.0], {"direct": True}), measurement("wrong_result", pair, [int(wrong)], {})]


def load(size: int, **_more: t.Any) -> Steps:
    fail("load")
    yield
    looked = {"of": "products in bf16", "checksum": CHECKSUM}
    parameters = {"dtype": "bf16", "size": size, "load": "sustained"}
    return [measurement("gemm", SUBJECT, [600.0], parameters), measurement("wrong_result", SUBJECT, [0], looked)]


def all_reduce(rank: int, sizes: list[int], **_more: t.Any) -> Steps:
    fail("all_reduce")
    yield
    # Rank 1 is the slow one.
    series = [[size, [size / (100e9 if rank == 1 else 200e9)] * 3] for size in sizes]
    return [
        measurement("all_reduce", SUBJECT, (), {"gpus": 2, "nodes": 1}, series=series),
        measurement("wrong_result", SUBJECT, [0], {"of": "all-reduce", "words": 16}),
    ]


def main() -> None:
    def say(value: t.Any) -> None:
        print(json.dumps(value), flush=True)

    try:
        fail("start")
    except RuntimeError as error:
        say({"problem": str(error), "fault": worker.is_fault(str(error))})
        return
    say({"hello": "torch of a fake"})
    functions = {one.__name__: one for one in (gemm, hbm_copy, host_copy, p2p, load, all_reduce)}
    worker.serve(functions, iter(sys.stdin.readline, ""), say)


if __name__ == "__main__":
    main()
