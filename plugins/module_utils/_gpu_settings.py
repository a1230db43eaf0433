# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the settings of cards with the declared ones, and set what differs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

``card`` is plain data, a value that the card does not have is None::

    {"index": 0, "uuid": "GPU-…", "power_limit_mw": 700000, "power_constraints_mw": [200000, 700000], "ecc": [1, 1],
     "mig": [0, 0], "compute_mode": 0, "max_clock_sm_mhz": 1980, "locked_clocks_mhz": [] | [least, most] | None}

``ecc`` and ``mig`` are the present and the pending mode. NVML cannot be asked for locked clocks: what was set is kept
under /run with the load time of the driver, whose end it does not survive either; None is not known.
"""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

#: Compute modes, nvml.h: nvmlComputeMode_t (1 was exclusive_thread, gone since CUDA 8).
COMPUTE_MODES = {"default": 0, "prohibited": 2, "exclusive_process": 3}

#: Name → what it takes, for messages.
KNOWN = {
    "power_limit_w": "watts",
    "locked_clocks_mhz": "[least, most] in MHz, or [] to release them",
    "ecc": "true or false",
    "mig": "true or false",
    "compute_mode": "default, exclusive_process or prohibited",
}

RECORD = "/run/gpufleet/gpu_settings.json"

Card = t.Mapping[str, t.Any]
Change = dict[str, t.Any]


def mistakes(settings: t.Mapping[str, t.Any], cards: t.Sequence[Card]) -> list[str]:
    """Return one sentence per setting that cannot be: unknown, of a wrong form, or not what a card can do."""
    found = [f"settings: unknown {name}; known are {', '.join(KNOWN)}." for name in sorted(set(settings) - set(KNOWN))]
    for name, value in settings.items():
        if name in KNOWN and not _of_form(name, value):
            found.append(f"settings.{name}: {value!r} does not fit; write {KNOWN[name]}.")
    return found or [one for card in cards for one in _impossible(settings, card)]


def _of_form(name: str, value: t.Any) -> bool:
    if name in ("ecc", "mig"):
        return isinstance(value, bool)
    if name == "compute_mode":
        return value in COMPUTE_MODES
    if name == "power_limit_w":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return (
        isinstance(value, list)
        and (not value or (len(value) == 2 and value[0] <= value[1]))
        and all(isinstance(one, int) and not isinstance(one, bool) for one in value)
    )


def _impossible(settings: t.Mapping[str, t.Any], card: Card) -> t.Iterator[str]:
    for name, key in (
        ("power_limit_w", "power_limit_mw"),
        ("ecc", "ecc"),
        ("mig", "mig"),
        ("compute_mode", "compute_mode"),
    ):
        if name in settings and card[key] is None and settings[name] is not False:
            yield f"settings.{name}: GPU {card['index']} has no such setting; leave it out."
    if "power_limit_w" in settings and card["power_constraints_mw"]:
        least, most = (one // 1000 for one in card["power_constraints_mw"])
        if not least <= settings["power_limit_w"] <= most:
            yield f"settings.power_limit_w: GPU {card['index']} takes {least} to {most} W, not {settings['power_limit_w']}."
    clocks, ceiling = settings.get("locked_clocks_mhz"), card["max_clock_sm_mhz"]
    if clocks and ceiling and clocks[1] > ceiling:
        yield f"settings.locked_clocks_mhz: GPU {card['index']} goes to {ceiling} MHz, not {clocks[1]}."


def changes(settings: t.Mapping[str, t.Any], card: Card) -> list[Change]:
    """Return what must be set on a card: [{"gpu", "setting", "before", "after"}], in the order in which it may be set."""
    found: list[Change] = []

    def want(setting: str, before: t.Any, after: t.Any) -> None:
        if before != after:
            found.append({"gpu": card["index"], "setting": setting, "before": before, "after": after})

    if "ecc" in settings and card["ecc"] is not None:
        want("ecc", bool(card["ecc"][1]), settings["ecc"])
    if "mig" in settings and card["mig"] is not None:
        want("mig", bool(card["mig"][1]), settings["mig"])
    if "compute_mode" in settings:
        names = {number: name for name, number in COMPUTE_MODES.items()}
        want("compute_mode", names.get(card["compute_mode"], card["compute_mode"]), settings["compute_mode"])
    if "power_limit_w" in settings:
        want("power_limit_w", card["power_limit_mw"] / 1000, settings["power_limit_w"])
    if "locked_clocks_mhz" in settings:
        want("locked_clocks_mhz", card["locked_clocks_mhz"], settings["locked_clocks_mhz"])
    return found


def pending(card: Card) -> list[str]:
    """Return the settings of a card that wait for a reset of the card, or a reboot."""
    return [name for name in ("ecc", "mig") if card[name] is not None and card[name][0] != card[name][1]]


def driver_loaded_at() -> str:
    """Return when the driver was loaded, as far as the file system tells: locked clocks do not survive its end."""
    for path in ("/sys/module/nvidia", "/proc/driver/nvidia/version"):
        try:
            return str(int(os.stat(path).st_ctime))
        except OSError:
            continue
    return ""


def recorded(path: str = RECORD) -> dict[str, list[int]]:
    """Return {uuid: locked clocks} of what was set since the driver was loaded."""
    try:
        record = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(record["clocks"]) if record.get("driver") == driver_loaded_at() else {}


def remember(clocks: t.Mapping[str, list[int]], path: str = RECORD) -> None:
    """Keep what was set."""
    file = pathlib.Path(path)
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(json.dumps({"driver": driver_loaded_at(), "clocks": dict(clocks)}), encoding="utf-8")
    os.replace(scratch, file)
