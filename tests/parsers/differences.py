# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How two dumps of a parser differ, each difference a sentence with the flag's name."""

from __future__ import annotations

import typing as t

Dump = t.Mapping[str, t.Any]


def of(kept: Dump, real: Dump) -> list[str]:
    """Return what the real parser has otherwise than the dump that is kept."""
    ours, theirs = _by_flag(kept), _by_flag(real)
    told = [f"{flag} is gone" for flag in sorted(set(ours) - set(theirs))]
    told += [f"{flag} is new" for flag in sorted(set(theirs) - set(ours))]
    for flag in sorted(set(ours) & set(theirs)):
        told += [
            f"{flag}: {facet} is {theirs[flag][facet]!r}, the dump says {ours[flag][facet]!r}"
            for facet in ("nargs", "type", "choices")
            if _comparable(ours[flag][facet]) != _comparable(theirs[flag][facet])
        ]
    for flag in sorted(set(kept["registries"]) | set(real["registries"])):
        here, there = (set(one["registries"].get(flag, [])) for one in (kept, real))
        told += [f"{flag} has no {value!r} any more" for value in sorted(here - there)]
        told += [f"{flag} has {value!r} now" for value in sorted(there - here)]
    return told


def _by_flag(dump: Dump) -> dict[str, t.Any]:
    return {flag: one for one in dump["options"] for flag in (*one["flags"], *one.get("hidden", []))}


def _comparable(value: t.Any) -> t.Any:
    """Engines hold some choices in sets, whose order is another one in each process."""
    return sorted(value) if isinstance(value, list) else value
