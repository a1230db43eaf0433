# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a start may take: what a node has to read, how fast its disk is, and whether kernels are compiled already.

The plan gives the parts (``_ready_budget.py`` says where its numbers come from), and the most that a start may take. Here
they meet the node, right before each start:
  begin_seconds    processes, imports, NCCL, graphs
  compile_seconds  kernels; nothing where this very command has become ready with the kernels that lie in ``cache``
  read_bytes       what a node reads of the model in ``directory``; too little is not worth a sample
  read_gbs         declared GB/s, 0: a sample is read
  unseen           nodes that read too and that nobody can ask from here; then the sample says nothing
  assumed_gbs      GB/s where neither is known
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import pathlib
import random
import threading
import time
import typing as t

#: How long the sample reads, how long its end is waited for (a dead network disk never ends it), and of what pieces.
SAMPLE_SECONDS, PATIENCE_SECONDS, PIECE = 1.0, 5.0, 8 << 20

#: A few pieces say nothing, and below that many bytes the disk does not matter.
LEAST_PIECES, LEAST_BYTES = 4, 4_000_000_000

#: The others read too, and a sample is short: a disk counts for half of what it showed.
SHARE = 0.5

#: What a rank that became ready leaves in the folder of its kernels, followed by the name of its deployment.
MARK = ".ready-"


class Allowance(t.NamedTuple):
    """The seconds that a start may take, and what they are made of."""

    seconds: float
    made_of: str

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s" + (f": {self.made_of}" if self.made_of else "")


def allowance(spec: dict[str, t.Any]) -> Allowance:
    """Return how long the start of a rank may take, from its spec and a look at the node."""
    most = float(spec["ready_budget_seconds"])
    parts = spec.get("budget")
    if not parts:
        return Allowance(most, "")
    warm = is_warm(spec)
    speed, why = _speed(parts)
    reading = parts["read_bytes"] / (speed * 1e9)
    needed = parts["begin_seconds"] + reading + (0 if warm else parts["compile_seconds"])
    kernels = "kernels are there" if warm else f"{parts['compile_seconds']} s for kernels"
    size = f"{parts['read_bytes'] / 1e9:.1f} GB"
    made_of = f"{parts['begin_seconds']} s to begin, {kernels}, {reading:.0f} s for {size} at {why}"
    return Allowance(needed, made_of) if needed < most + 1 else Allowance(most, f"{made_of}; no more is planned")


def _speed(parts: dict[str, t.Any]) -> tuple[float, str]:
    """Return (GB/s that are reckoned with, the same in words)."""
    assumed = float(parts["assumed_gbs"])
    if parts["read_gbs"]:
        return parts["read_gbs"] * SHARE, f"half of {parts['read_gbs']:g} GB/s (declared)"
    if parts["read_bytes"] < LEAST_BYTES:
        return assumed, f"{assumed:g} GB/s (assumed)"
    if parts["unseen"]:
        return (
            assumed,
            f"{assumed:g} GB/s (assumed: the disks of {', '.join(parts['unseen'])} cannot be seen from here)",
        )
    measured, problem = sample(parts["directory"])
    if measured is None:
        return assumed, f"{assumed:g} GB/s (assumed: {problem})"
    return measured * SHARE, f"half of {measured:.2g} GB/s (measured)"


# --- the disk --------------------------------------------------------------------------------------------------------


def sample(directory: str) -> tuple[float | None, str]:
    """Return (GB/s at which the largest file of a directory can be read past the page cache, why that is not known)."""
    said: list[tuple[float | None, str]] = []
    reader = threading.Thread(target=lambda: said.append(_sample(directory)), daemon=True)
    reader.start()
    reader.join(PATIENCE_SECONDS)
    return said[0] if said else (None, f"a sample did not end within {PATIENCE_SECONDS:g} s")


def _sample(directory: str) -> tuple[float | None, str]:
    try:
        files = [one for one in os.scandir(directory) if one.is_file()]
        largest = max(files, key=lambda one: one.stat().st_size, default=None)
        pieces = largest.stat().st_size // PIECE if largest else 0
        if largest is None or pieces < LEAST_PIECES:
            return None, "its files are too small for a sample"
        channel = os.open(largest.path, os.O_RDONLY | os.O_DIRECT)
    except OSError as error:
        return None, f"no sample could be read: {error.strerror}"
    try:
        # Somewhere else each time: a disk's own cache remembers the last sample.
        return _read(channel, random.randrange(pieces - LEAST_PIECES + 1), pieces)
    except OSError as error:
        return None, f"no sample could be read: {error.strerror}"
    finally:
        os.close(channel)


def _read(channel: int, first: int, pieces: int) -> tuple[float | None, str]:
    # Direct reads need memory that begins at a page.
    with mmap.mmap(-1, PIECE) as memory:
        begun, read = time.monotonic(), 0
        for piece in range(first, pieces):
            read += os.preadv(channel, [memory], piece * PIECE)
            if time.monotonic() - begun > SAMPLE_SECONDS:
                break
        return read / max(time.monotonic() - begun, 1e-6) / 1e9, ""


# --- compiled kernels ------------------------------------------------------------------------------------------------


def is_warm(spec: dict[str, t.Any]) -> bool:
    """Tell whether kernels lie in the cache, and this very command has become ready with them."""
    mark = _mark(spec)
    if mark is None:
        return False
    try:
        kept = mark.read_text(encoding="utf-8").strip() == _digest(spec)
        return kept and any(not one.name.startswith(MARK) for one in mark.parent.iterdir())
    except OSError:
        return False


def keep(spec: dict[str, t.Any]) -> None:
    """Note that this command has become ready with the kernels of its cache; the file's time says when."""
    mark = _mark(spec)
    if mark is not None:
        # A cache that cannot be written to is cold at the next start, no more.
        with contextlib.suppress(OSError):
            mark.write_text(f"{_digest(spec)}\n", encoding="utf-8")


def _mark(spec: dict[str, t.Any]) -> pathlib.Path | None:
    cache = spec.get("cache")
    return pathlib.Path(cache["directory"]) / f"{MARK}{cache['name']}" if cache else None


def _digest(spec: dict[str, t.Any]) -> str:
    return hashlib.sha256(json.dumps(spec["container"]["run"]).encode()).hexdigest()
