# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts are merged to the worst, and a proof module ends in one way."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _verdict
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    NOT_VERIFIED,
    PASS,
    VERDICTS,
    WARN,
    check,
)


class Ended(Exception):
    """A module ended; carries what it returned."""


class Module:
    """As much of AnsibleModule as a proof needs."""

    def __init__(self, fail_on: list[str], strict: bool = False) -> None:
        self.params = {"fail_on": fail_on, "strict": strict}

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended({"failed": False, **result})

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        raise Ended({"failed": True, **result})


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], NOT_VERIFIED),
        ([PASS], PASS),
        ([PASS, WARN, PASS], WARN),
        ([NOT_VERIFIED, WARN], NOT_VERIFIED),
        ([FAIL, NOT_VERIFIED, PASS], FAIL),
    ],
)
def test_the_worst_verdict_wins(verdicts: list[str], expected: str) -> None:
    assert _verdict.worst(verdicts) == expected
    assert _verdict.worst(reversed(verdicts)) == expected


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        _verdict.worst([PASS, "maybe"])
    with pytest.raises(ValueError, match="unknown verdict 'ok'; known: pass, warn, not_verified, fail"):
        check("x", "ok", 1)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_only_a_pass_needs_no_remedy(verdict: str) -> None:
    one = check("swap", verdict, "on", "off", "swapoff -a", "/proc/swaps")
    assert one == {
        "name": "swap",
        "verdict": verdict,
        "observed": "on",
        "expected": "off",
        "remedy": "" if verdict == PASS else "swapoff -a",
        "source": "/proc/swaps",
    }


@pytest.mark.parametrize(
    ("observed", "expected", "otherwise", "verdict"),
    [
        (1, 1, FAIL, PASS),
        (1, 2, FAIL, FAIL),
        (1, 2, WARN, WARN),
        (None, 2, FAIL, NOT_VERIFIED),
        (None, None, FAIL, NOT_VERIFIED),
        ("", "", FAIL, PASS),
        (0, 0, FAIL, PASS),
    ],
)
def test_what_could_not_be_read_equals_nothing(observed: t.Any, expected: t.Any, otherwise: str, verdict: str) -> None:
    one = _verdict.equals("x", observed, expected, "repair it", "file", otherwise)
    assert one["verdict"] == verdict
    assert one["observed"] == ("could not be read" if observed is None else observed)
    assert (one["expected"], one["source"]) == (expected, "file")


def test_what_could_not_be_looked_at_says_why() -> None:
    one = _verdict.not_verified("links", "no InfiniBand here", 4, "load the driver", "/sys")
    assert one == check("links", NOT_VERIFIED, "no InfiniBand here", 4, "load the driver", "/sys")


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (check("swap", FAIL, "on", "off", "Run swapoff."), "swap: fail, observed on, expected off. Run swapoff."),
        (check("swap", FAIL, "on", "off"), "swap: fail, observed on, expected off."),
        (check("swap", WARN, "on", remedy="Look."), "swap: warn, observed on. Look."),
        (check("swap", PASS, "off", "off", "Run swapoff."), "swap: pass, observed off, expected off."),
    ],
)
def test_a_check_reads_as_a_sentence(one: _verdict.Check, expected: str) -> None:
    assert _verdict.sentence(one) == expected


CHECKS = [check(verdict, verdict, "seen") for verdict in VERDICTS]


@pytest.mark.parametrize(
    ("fail_on", "strict", "expected"),
    [
        ([FAIL], False, [FAIL]),
        ([], False, []),
        ([], True, [NOT_VERIFIED]),
        ([WARN], True, [WARN, NOT_VERIFIED]),
        ([WARN, NOT_VERIFIED, FAIL], False, [WARN, NOT_VERIFIED, FAIL]),
    ],
)
def test_which_checks_fail_a_task(fail_on: list[str], strict: bool, expected: list[str]) -> None:
    assert [one["name"] for one in _verdict.failing(CHECKS, fail_on, strict)] == expected


def test_the_options_name_every_verdict_that_can_fail() -> None:
    options = _verdict.proof_argument_spec()
    assert options["fail_on"]["choices"] == [WARN, NOT_VERIFIED, FAIL]
    assert (options["fail_on"]["default"], options["strict"]["default"]) == ([FAIL], False)
    assert set(options) == {"expect", "fail_on", "strict"}


@pytest.mark.parametrize(
    ("fail_on", "strict", "message"),
    [
        ([FAIL], False, "fail: fail, observed seen."),
        ([WARN, FAIL], False, "warn: warn, observed seen. fail: fail, observed seen."),
        ([], True, "not_verified: not_verified, observed seen."),
        ([], False, None),
    ],
)
def test_a_proof_ends_with_everything_it_saw(fail_on: list[str], strict: bool, message: str | None) -> None:
    with pytest.raises(Ended) as ended:
        _verdict.finish(Module(fail_on, strict), CHECKS, {"fact": 1})
    result = ended.value.args[0]
    assert result["failed"] is (message is not None)
    assert result.get("msg") == message
    assert (result["changed"], result["verdict"], result["checks"]) == (False, FAIL, CHECKS)
    assert result["facts"] == {"fact": 1}


def test_a_proof_of_nothing_is_not_verified() -> None:
    with pytest.raises(Ended) as ended:
        _verdict.finish(Module([FAIL]), [])
    assert ended.value.args[0] == {
        "failed": False,
        "changed": False,
        "verdict": NOT_VERIFIED,
        "checks": [],
        "facts": {},
    }
