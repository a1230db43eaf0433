# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python's tracebacks in a log, whatever stands before each of their lines.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

#: The engines' loggers write their own words before each line of a traceback.
BEGIN = re.compile(r"^(.*?)Traceback \(most recent call last\):\s*$")
FRAME = re.compile(r'^\s+File "([^"]+)", line (\d+), in (\S+)')
EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
#: A traceback that is longer than this is cut off, or lines of another process stand in between.
LONGEST = 400


@dataclasses.dataclass(frozen=True)
class Raised:
    """An exception: its class, its message (may be empty), ``function (file:line)`` that raised it, and its line in the log."""

    name: str
    message: str
    place: str
    line: int


def raised_in(lines: t.Sequence[str]) -> t.Iterator[Raised]:
    """Return the exceptions of a log whose tracebacks are whole, as they stand: the later ones mostly follow from the first."""
    for at, line in enumerate(lines):
        begin = BEGIN.match(line)
        raised = _end(lines, at, begin[1]) if begin else None
        if raised:
            yield raised


def _end(lines: t.Sequence[str], begin: int, prefix: str) -> Raised | None:
    place = ""
    for at in range(begin + 1, min(begin + LONGEST, len(lines))):
        if not lines[at].startswith(prefix):
            continue
        text = lines[at][len(prefix) :]
        frame = FRAME.match(text)
        if frame:
            place = f"{frame[3]} ({frame[1].rpartition('/')[2]}:{frame[2]})"
        elif place and text.strip() and not text.startswith(" "):
            said = EXCEPTION.match(text)
            return Raised(said[1], said[2] or "", place, at) if said else None
    return None
