# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a line of a log means: the form of a signature. The tables are in ``_signatures_*.py``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

#: Names a cause on its own.
ROOT = "root"
#: Explains a symptom when nothing better is known; alone it is a warning.
SUSPECT = "suspect"
#: Says what was seen; the cause is elsewhere, often on another rank.
SYMPTOM = "symptom"
#: Only points at an error that was logged before.
CONSEQUENCE = "consequence"
#: Worth knowing, never why a start failed.
NOTE = "note"

#: The best explanation first.
KINDS = (ROOT, SUSPECT, SYMPTOM, CONSEQUENCE, NOTE)

VLLM = ("vllm", "vllm_native")
SGLANG = ("sglang",)
TRTLLM = ("tensorrt_llm",)

#: Where a signature is looked for.
LOG = "log"
KERNEL = "kernel"


@dataclasses.dataclass(frozen=True)
class Signature:
    """One known line.

    name     stable, for tests and reports
    pattern  regular expression, searched in single lines
    cause    a sentence; ``{1}`` is the first group of the match
    fix      what to do, a sentence; ``{1}`` too
    source   where the text was read: engine and file, or a public thread, or "run" when it was seen here
    kind     one of KINDS
    engines  whose logs it belongs to; empty means any
    needs    name of a fact of the node that must be true, else the line is normal there
    where    LOG or KERNEL
    """

    name: str
    pattern: str
    cause: str
    fix: str
    source: str
    kind: str = ROOT
    engines: tuple[str, ...] = ()
    needs: str = ""
    where: str = LOG
