# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._log_tracebacks import LONGEST, Raised, raised_in

BEGIN = "Traceback (most recent call last):"
FRAME = '  File "/opt/site-packages/vllm/engine.py", line 7, in load'
DEEPER = '  File "model.py", line 12, in <module>'
CODE = "    raise Something(1)"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        (["ValueError: without a traceback"], []),
        ([BEGIN, FRAME, CODE, "ValueError: too small"], [Raised("ValueError", "too small", "load (engine.py:7)", 3)]),
        ([BEGIN, FRAME, CODE, DEEPER, "a.b.OddError"], [Raised("a.b.OddError", "", "<module> (model.py:12)", 4)]),
        ([BEGIN, FRAME, CODE], []),
        ([BEGIN, "ValueError: no frame, so cut off"], []),
        ([BEGIN, FRAME, "this is no exception"], []),
        ([BEGIN, *[FRAME] * LONGEST, "ValueError: too far away"], []),
    ],
    ids=["nothing", "no traceback", "one", "the innermost frame", "no end", "no frame", "another line", "too long"],
)
def test_what_was_raised(lines: list[str], expected: list[Raised]) -> None:
    assert list(raised_in(lines)) == expected


def test_each_process_has_its_own_words_before_its_lines() -> None:
    worker, server = "(Worker pid=1) ERROR [a.py:1] ", "(ApiServer pid=2) ERROR [b.py:2] "
    lines = [
        worker + BEGIN,
        server + BEGIN,
        worker + FRAME,
        server + DEEPER,
        server + "KeyError: 'x'",
        worker + "OSError: no",
    ]
    assert list(raised_in(lines)) == [
        Raised("OSError", "no", "load (engine.py:7)", 5),
        Raised("KeyError", "'x'", "<module> (model.py:12)", 4),
    ]


def test_of_several_all_are_told_as_they_begin() -> None:
    one = [BEGIN, FRAME, CODE, "ValueError: first"]
    later = [BEGIN, DEEPER, CODE, "RuntimeError: because of it"]
    during = "During handling of the above exception, another exception occurred:"
    assert [said.message for said in raised_in([*one, "", during, "", *later])] == ["first", "because of it"]
