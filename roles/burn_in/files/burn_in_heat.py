# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Temperatures and throttle reasons under load as measurements."""

from __future__ import annotations

import statistics
import typing as t

import burn_in_values as values
from burn_in_cards import REASONS, Look
from burn_in_values import Measurement, measurement, missing

#: Reasons that name trouble of cooling or power supply; the power cap itself is how these cards work.
TROUBLE = ("hw_slowdown", "hw_thermal", "hw_power_brake", "sw_thermal")


def under_load(looks: t.Sequence[tuple[float, Look]], tool: str) -> list[Measurement]:
    """Return the measurements of all cards: highest temperature, their spread, share of looks with a reason of TROUBLE."""
    seen: dict[int, list[tuple[float, dict[str, t.Any]]]] = {}
    for at, look in looks:
        for card in look:
            seen.setdefault(card["index"], []).append((at, card))
    found: list[Measurement] = []
    tops = []
    for index, rows in sorted(seen.items()):
        subject = f"gpu {index}"
        series = [[round(at, 1), row["temperature"]] for at, row in rows if row["temperature"] is not None]
        if series:
            tops.append(max(top for _at, top in series))
            margins = [row["margin"] for _at, row in rows if row["margin"] is not None]
            parameters = {"statistic": "highest", "margin": min(margins) if margins else None}
            found.append(measurement("temperature", subject, (), parameters, value=tops[-1], series=series, tool=tool))
        else:
            found.append(_untold("temperature", subject, "the driver tells no temperature", tool))
        found.append(_throttle(subject, [row for _at, row in rows], tool))
    if len(tops) > 1:
        parameters = {"statistic": "spread", "gpus": len(tops)}
        spread = measurement("temperature", f"{len(tops)} GPUs", (), parameters, value=max(tops) - min(tops), tool=tool)
        found.append(spread)
    return found


def _untold(kind: str, subject: str, problem: str, tool: str) -> Measurement:
    return {**missing(kind, subject, problem), "tool": tool}


def _throttle(subject: str, rows: t.Sequence[t.Mapping[str, t.Any]], tool: str) -> Measurement:
    masks = [row["reasons"] for row in rows if row["reasons"] is not None]
    if not masks:
        return _untold("clock_throttle", subject, "the driver tells no throttle reasons", tool)
    share = {name: sum(bool(mask & bit) for mask in masks) / len(masks) for bit, name in REASONS.items()}
    trouble = sum(any(mask & bit for bit, name in REASONS.items() if name in TROUBLE) for mask in masks) / len(masks)
    parameters: dict[str, t.Any] = {"reasons": {name: values.rounded(one) for name, one in share.items() if one}}
    for key in ("watts", "sm_mhz"):
        known = [row[key] for row in rows if row[key] is not None]
        if known:
            parameters[key] = values.rounded(statistics.median(known))
    return measurement("clock_throttle", subject, (), parameters, value=values.rounded(trouble), tool=tool)
