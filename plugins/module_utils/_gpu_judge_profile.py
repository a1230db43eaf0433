# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node is expected to be: the option ``expect`` of ``gpu_health``, checked, with its defaults.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gdr import WAYS
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_catalog import BY_KIND, find
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import VERDICTS

#: Name → (default, where it comes from). The profile may override each under ``thresholds``.
THRESHOLDS: dict[str, tuple[float, str]] = {
    "corrected_dram": (20_000_000, "Azure NHC 0e0a1ac, 2026-05-01"),
    "corrected_sram": (10_000, "Azure NHC 0e0a1ac, 2026-05-01"),
    "remapped_uncorrectable": (512, "DCGM 4.6.0, 2026-07-06"),
    "temperature_margin_c": (5, "gpud 4a8de33 as a fault; ours as a warning, 2026-11-22"),
    "memory_temperature_c": (95, "ours: JEDEC's upper limit of HBM at normal refresh, 2026-11-22"),
    "throttle_hardware_seconds": (1, "ours, 2026-11-22"),
    "throttle_software_seconds": (60, "ours, 2026-11-22"),
    "clock_share": (0.95, "Azure NHC 0e0a1ac, 2026-05-01"),
    "nvlink_errors": (0, "DCGM 4.6.0: one error warns, 2026-07-06"),
    "aer_correctable": (1000, "ours, 2026-11-22"),
    "fabric_manager_restarts": (3, "gpud 4a8de33, 2026-08-22"),
}

#: Key → the words that it may have.
WORDS: dict[str, tuple[str, ...]] = {
    "module_flavour": ("open", "proprietary"),
    "fabric_manager": ("auto", "required", "absent"),
    "compute_mode": ("default", "exclusive_process", "prohibited"),
    "processes": ("any", "none"),
    "gdr_path": WAYS,
    "containers": ("auto", "required", "absent"),
}
_NUMBERS = ("gpus", "nvlinks", "nvswitches", "power_limit_w", "locked_clock_mhz")
_TRUTHS = ("persistence", "ecc", "mig", "conf_compute", "packages_held")
_VERSION = re.compile(r"\d+(\.\d+)*")


@dataclasses.dataclass(frozen=True)
class Profile:
    """The checked profile. None means that the profile does not say: what needs it is ``not_verified``."""

    gpus: int | None = None
    kind: str | None = None
    driver_version: str | None = None
    module_flavour: str | None = None
    cuda_at_least: str | None = None
    nvlinks: int | None = None
    nvswitches: int | None = None
    fabric_manager: str = "auto"
    persistence: bool = True
    ecc: bool = True
    mig: bool = False
    compute_mode: str = "default"
    power_limit_w: float | None = None
    locked_clock_mhz: int | None = None
    conf_compute: bool = False
    processes: str | None = None
    gdr_path: str | None = None
    containers: str = "auto"
    packages_held: bool = True
    since: float | None = None
    xids: t.Mapping[int, str] = dataclasses.field(default_factory=dict)
    thresholds: t.Mapping[str, float] = dataclasses.field(default_factory=dict)

    def threshold(self, name: str) -> float:
        return self.thresholds.get(name, THRESHOLDS[name][0])


KEYS: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Profile))


def profile(expect: t.Mapping[str, t.Any]) -> Profile:
    """Return the profile. Raises ValueError with all mistakes, each with what to write. A value of None is not said."""
    given = {key: value for key, value in expect.items() if value is not None}
    mistakes: list[str] = []
    values: dict[str, t.Any] = {}
    for key, value in given.items():
        try:
            values[key] = _value(key, value)
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError(" ".join(mistakes))
    return Profile(**values)


def _value(key: str, value: t.Any) -> t.Any:
    if key not in KEYS:
        raise ValueError(f"expect: unknown {key}. Known are {', '.join(KEYS)}.")
    if key in WORDS:
        return _word(key, value)
    if key in _NUMBERS:
        return _number(key, value)
    if key in _TRUTHS:
        return _truth(key, value)
    return {
        "kind": _kind,
        "driver_version": lambda version: _version(key, version),
        "cuda_at_least": lambda version: _version(key, version),
        "since": _since,
        "xids": _xids,
        "thresholds": _thresholds,
    }[key](value)


def _word(key: str, value: t.Any) -> str:
    if value not in WORDS[key]:
        raise ValueError(f"expect.{key}: {value!r} is none of {', '.join(WORDS[key])}.")
    return str(value)


def _number(key: str, value: t.Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or isinstance(value, bool):
        raise ValueError(f"expect.{key}: {value!r} is no number from 0.")
    return int(number) if number.is_integer() else number


def _truth(key: str, value: t.Any) -> bool:
    # Values of a dictionary come untyped: `-e` and templates make text of them.
    words = {"true": True, "yes": True, "false": False, "no": False}
    word = str(value).lower()
    if word not in words:
        raise ValueError(f"expect.{key}: {value!r} is neither true nor false.")
    return words[word]


def _version(key: str, value: t.Any) -> str:
    if not _VERSION.fullmatch(str(value)):
        raise ValueError(f"expect.{key}: {value!r} is no version such as 580.159.04.")
    return str(value)


def _kind(value: t.Any) -> str:
    card = find(str(value))
    if card is None:
        raise ValueError(f"expect.kind: {value!r} is not in the catalogue. Known are {', '.join(BY_KIND)}.")
    return card.kind


def _since(value: t.Any) -> float:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise ValueError(f"expect.since: {value!r} is no time such as 2026-11-22T04:00:00+00:00.") from None


def _xids(value: t.Any) -> dict[int, str]:
    try:
        verdicts = {int(number): str(verdict) for number, verdict in value.items()}
    except (AttributeError, ValueError):
        raise ValueError("expect.xids: must be a dictionary of Xid and verdict, such as {94: fail}.") from None
    wrong = sorted(set(verdicts.values()) - set(VERDICTS))
    if wrong:
        raise ValueError(f"expect.xids: unknown verdict {', '.join(wrong)}. Known are {', '.join(VERDICTS)}.")
    return verdicts


def _thresholds(value: t.Any) -> dict[str, float]:
    unknown = sorted(set(value) - set(THRESHOLDS))
    if unknown:
        raise ValueError(f"expect.thresholds: unknown {', '.join(unknown)}. Known are {', '.join(THRESHOLDS)}.")
    return {key: _number(f"thresholds.{key}", number) for key, number in value.items()}
