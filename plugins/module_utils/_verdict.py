# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks, verdicts and the one way in which a proof module ends.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A *check* is one statement about a node or a service::

    {"name": "memlock of services", "verdict": "fail", "observed": "64 KiB", "expected": "unlimited",
     "remedy": "…what to do…", "source": "/proc/1/limits"}

Verdicts, from best to worst: ``pass``, ``warn``, ``not_verified``, ``fail``. What could not be looked at is
``not_verified``, never ``pass``; it ranks above ``warn`` because nobody knows what is behind it.
"""

from __future__ import annotations

import typing as t

PASS = "pass"
WARN = "warn"
NOT_VERIFIED = "not_verified"
FAIL = "fail"

#: From best to worst.
VERDICTS: tuple[str, ...] = (PASS, WARN, NOT_VERIFIED, FAIL)

Check = dict[str, t.Any]


def worst(verdicts: t.Iterable[str]) -> str:
    """Return the worst of the verdicts; nothing looked at is ``not_verified``. Raises ValueError for an unknown one."""
    ranks = [VERDICTS.index(verdict) for verdict in verdicts]
    return VERDICTS[max(ranks)] if ranks else NOT_VERIFIED


def check(
    name: str,
    verdict: str,
    observed: t.Any,
    expected: t.Any = None,
    remedy: str = "",
    source: str = "",
) -> Check:
    """Return one check as plain data. ``remedy`` is dropped when the verdict is ``pass``."""
    if verdict not in VERDICTS:
        raise ValueError(f"unknown verdict {verdict!r}; known: {', '.join(VERDICTS)}")
    return {
        "name": name,
        "verdict": verdict,
        "observed": observed,
        "expected": expected,
        "remedy": "" if verdict == PASS else remedy,
        "source": source,
    }


def equals(
    name: str, observed: t.Any, expected: t.Any, remedy: str = "", source: str = "", otherwise: str = FAIL
) -> Check:
    """Check ``observed == expected``; ``None`` observed means that nobody could look."""
    if observed is None:
        return check(name, NOT_VERIFIED, "could not be read", expected, remedy, source)
    return check(name, PASS if observed == expected else otherwise, observed, expected, remedy, source)


def not_verified(name: str, why: str, expected: t.Any = None, remedy: str = "", source: str = "") -> Check:
    """Return the check of something that could not be looked at, with the reason in ``observed``."""
    return check(name, NOT_VERIFIED, why, expected, remedy, source)


def proof_argument_spec() -> dict[str, t.Any]:
    """Return the options that every proof module has."""
    return {
        "expect": {"type": "dict", "default": {}},
        "fail_on": {"type": "list", "elements": "str", "choices": list(VERDICTS[1:]), "default": [FAIL]},
        "strict": {"type": "bool", "default": False},
    }


def failing(checks: t.Iterable[Check], fail_on: t.Iterable[str], strict: bool) -> list[Check]:
    """Return the checks whose verdict must fail the task."""
    wanted = set(fail_on) | ({NOT_VERIFIED} if strict else set())
    return [one for one in checks if one["verdict"] in wanted]


def sentence(one: Check) -> str:
    """Return a check as one readable sentence: what, seen, wanted, remedy."""
    text = f"{one['name']}: {one['verdict']}, observed {one['observed']}"
    if one["expected"] is not None:
        text += f", expected {one['expected']}"
    return f"{text}. {one['remedy']}" if one["remedy"] else f"{text}."


def finish(module: t.Any, checks: list[Check], facts: dict[str, t.Any] | None = None) -> None:
    """End a proof module: exit or fail with ``verdict``, ``checks``, ``facts``; never changed."""
    result = {
        "changed": False,
        "verdict": worst(one["verdict"] for one in checks),
        "checks": checks,
        "facts": facts or {},
    }
    bad = failing(checks, module.params["fail_on"], module.params["strict"])
    if bad:
        module.fail_json(msg=" ".join(sentence(one) for one in bad), **result)
    module.exit_json(**result)
