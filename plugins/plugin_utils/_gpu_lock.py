# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resolve the GPU driver to one exact, matching set of packages: a pure function on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``candidates`` is what ``package_candidates`` read, or what is installed::

    {"nvidia-driver-cuda": [{"version": "580.126.20-1", "repository": "https://…", "transitional": false}]}

A driver, its Fabric Manager and NSCQ belong together when all numbers of their versions are equal; what follows the
first hyphen (and an epoch before a colon) is the packager's.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_cards, _gpu_lock_wishes
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_names import (
    FAMILY,
    NAMINGS,
    Alternatives,
    Naming,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_text import pins

Candidate = t.Mapping[str, t.Any]
Candidates = t.Mapping[str, t.Sequence[Candidate]]
Lock = dict[str, t.Any]

_UPSTREAM = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")


def upstream(version: str) -> str:
    """Return the numbers that NVIDIA counts: ``1:580.126.20-0ubuntu1`` is 580.126.20; "" without a number."""
    matched = _UPSTREAM.match(version)
    return matched[1] if matched else ""


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, for ordering."""
    return tuple(int(one) for one in upstream(version).split(".") if one)


def fits(version: str, wish: str) -> bool:
    """Tell whether an upstream version is the wished one or of the wished branch."""
    return version == wish or version.startswith(f"{wish}.")


def patterns(namings: t.Iterable[str]) -> list[str]:
    """Return the shell patterns of all package names of these namings and of the driver's family, to be asked for."""
    found: set[str] = set()
    for name in namings:
        naming = NAMINGS[name]
        for part in (naming.open, naming.proprietary, naming.compute, naming.fabric_manager, naming.imex, naming.nscq):
            found |= {one for alternative in part for one in alternative}
        found |= {*naming.optional, *naming.loose, *naming.nvlsm, *naming.pinning}
    return sorted({one.replace("{branch}", "*").replace("{version}", "*") for one in found} | set(FAMILY))


def lock(wishes: t.Mapping[str, t.Any], node: t.Mapping[str, t.Any], candidates: Candidates) -> Lock:
    """Return the lock, or every mistake::

        {"mistakes": [], "notes": [], "driver": "580.126.20", "branch": "580", "flavour": "open", "naming": "…",
         "packages": {name: version}, "parts": {"fabric_manager": name or "", "nscq": …, "imex": …, "nvlsm": …,
         "compat": …, "pinning": …}, "pins": text for apt}

    With mistakes the other keys are empty.
    """
    found = _gpu_lock_wishes.mistakes(wishes, node)
    resolved: Lock | None = None
    if not found:
        resolved, found = _resolve(wishes, node, candidates)
    if resolved is None:
        return {**_nothing(), "mistakes": found}
    return {
        **resolved,
        "mistakes": [],
        "pins": pins(resolved["driver"], resolved["packages"]),
    }


def _nothing() -> Lock:
    texts = dict.fromkeys(("driver", "branch", "flavour", "naming", "pins"), "")
    return {**texts, "notes": [], "packages": {}, "parts": {}}


def _of_source(candidate: Candidate, repository: str) -> bool:
    """Tell whether a candidate comes from the wished repository; what is installed has none and counts."""
    return not repository or _plain(str(candidate.get("repository", repository))) == _plain(repository)


def _plain(address: str) -> str:
    """Return an address as all write it: apt says file:/x of file:///x/."""
    return re.sub(r"^file:/+", "file:/", address).rstrip("/")


class _Set(t.NamedTuple):
    """The packages of one driver version, and which needed parts are missing."""

    driver: str
    naming: str
    packages: dict[str, str]
    parts: dict[str, str]
    missing: list[str]
    notes: list[str]


def _resolve(
    wishes: t.Mapping[str, t.Any], node: t.Mapping[str, t.Any], candidates: Candidates
) -> tuple[Lock | None, list[str]]:
    """Return the newest complete set that fits the wish, or why there is none."""
    usable = {
        name: [one for one in versions if not one.get("transitional") and _of_source(one, wishes["repository"])]
        for name, versions in candidates.items()
    }
    sets = [
        _assemble(wishes, node, usable, version, name)
        for name in wishes["namings"]
        for version in _versions(NAMINGS[name], wishes["flavour"], usable)
    ]
    fitting = [one for one in sets if fits(one.driver, str(wishes["version"]))]
    complete = [one for one in fitting if not one.missing]
    if not complete:
        return None, [_explain(wishes, sets, fitting)]
    # Of equal versions the naming that stands first; max() keeps the first of equals.
    best = max(complete, key=lambda one: numbers(one.driver))
    strangers = _gpu_lock_cards.unknown(_gpu_lock_wishes.card_ids(wishes, node))
    notes = [f"Card {one} is unknown here: its least branch and module flavours were not checked." for one in strangers]
    return {
        "driver": best.driver,
        "branch": best.driver.split(".", maxsplit=1)[0],
        "flavour": wishes["flavour"],
        "naming": best.naming,
        "packages": dict(sorted(best.packages.items())),
        "parts": best.parts,
        "notes": [*notes, *best.notes],
    }, []


def _versions(naming: Naming, flavour: str, candidates: Candidates) -> list[str]:
    """Return the driver versions of which there is a kernel module package, newest first."""
    wanted = [one.replace("{branch}", r"\d+") for names in _modules(naming, flavour) for one in names]
    expression = re.compile("|".join(wanted))
    found = {
        upstream(str(one["version"]))
        for name, versions in candidates.items()
        if expression.fullmatch(name)
        for one in versions
    }
    return sorted(found - {""}, key=numbers, reverse=True)


def _modules(naming: Naming, flavour: str) -> Alternatives:
    return naming.open if flavour == _gpu_lock_cards.OPEN else naming.proprietary


def _assemble(
    wishes: t.Mapping[str, t.Any], node: t.Mapping[str, t.Any], candidates: Candidates, driver: str, name: str
) -> _Set:
    """Return the set of one driver version under one naming."""
    naming, needs = NAMINGS[name], _gpu_lock_wishes.services(wishes, node)
    packages: dict[str, str] = {}
    parts: dict[str, str] = {}
    missing: list[str] = []
    notes: list[str] = []

    def take(part: str, spoken: str, alternatives: Alternatives, needed: bool) -> None:
        chosen = _choose(candidates, alternatives, driver)
        if chosen is None and needed:
            missing.append(spoken)
        packages.update(chosen or {})
        parts[part] = next(iter(chosen), "") if chosen else ""

    take("modules", f"{wishes['flavour']} kernel modules", _modules(naming, wishes["flavour"]), True)
    take("compute", "libraries", naming.compute, True)
    parts.update(dict.fromkeys(("fabric_manager", "nscq", "imex", "nvlsm", "compat", "pinning"), ""))
    if needs["fabric_manager"]:
        take("fabric_manager", "Fabric Manager", naming.fabric_manager, True)
        take("nscq", "NSCQ", naming.nscq, False)
        if not parts["nscq"]:
            notes.append(f"There is no NSCQ of version {driver}: DCGM will not see the NVSwitches.")
    if needs["imex"]:
        take("imex", "IMEX", naming.imex, True)
    for one in naming.optional:
        packages.update(_choose(candidates, ((one,),), driver) or {})
    if needs["nvlsm"]:
        _take_newest(candidates, naming.nvlsm, packages, parts, "nvlsm", missing, "NVLSM")
    for one in naming.loose:
        _take_newest(candidates, (one,), packages, parts, "", [], one)
    if wishes["cuda_compat"] and wishes["cuda_at_least"]:
        compat = f"cuda-compat-{str(wishes['cuda_at_least']).replace('.', '-')}"
        _take_newest(candidates, (compat,), packages, parts, "compat", missing, compat)
    for pinning in naming.pinning:
        pinned = pinning.format(version=driver, branch=driver.split(".", maxsplit=1)[0])
        if pinned in candidates and not parts["pinning"]:
            _take_newest(candidates, (pinned,), packages, parts, "pinning", [], pinned)
    return _Set(driver, name, packages, parts, missing, notes)


def _choose(candidates: Candidates, alternatives: Alternatives, driver: str) -> dict[str, str] | None:
    """Return {name: full version} of the first alternative whose packages all exist at this driver version."""
    branch = driver.split(".", maxsplit=1)[0]
    for alternative in alternatives:
        names = [one.replace("{branch}", branch) for one in alternative]
        found = {name: _newest(one for one in candidates.get(name, []) if _at(one, driver)) for name in names}
        if all(found.values()):
            return found
    return None


def _at(candidate: Candidate, driver: str) -> bool:
    return upstream(str(candidate["version"])) == driver


def _newest(candidates: t.Iterable[Candidate]) -> str:
    """Return the newest full version; the packager's part counts number by number. "" without a candidate."""
    versions = [str(one["version"]) for one in candidates]
    return max(versions, key=lambda one: [int(part) for part in re.findall(r"\d+", one)], default="")


def _take_newest(
    candidates: Candidates,
    names: tuple[str, ...],
    packages: dict[str, str],
    parts: dict[str, str],
    part: str,
    missing: list[str],
    spoken: str,
) -> None:
    """Take the newest version of packages that count their versions by themselves."""
    for name in names:
        version = _newest(candidates.get(name, []))
        if version:
            packages[name] = version
            if part:
                parts[part] = name
            return
    missing.append(spoken)


def _explain(wishes: t.Mapping[str, t.Any], sets: list[_Set], fitting: list[_Set]) -> str:
    """Return the one sentence on why no set fits: what is missing, and what exists instead."""
    wish, where = wishes["version"], wishes["where"]
    if fitting:
        nearest = max(fitting, key=lambda one: (-len(one.missing), numbers(one.driver)))
        lacking = ", ".join(nearest.missing)
        reason = f"driver {nearest.driver} is there, but not its {lacking} of exactly that version"
    else:
        reason = f"there is no driver {wish} with {wishes['flavour']} kernel modules"
    whole = list(dict.fromkeys(one.driver for one in sets if not one.missing))
    offer = (
        f"Complete are {', '.join(whole[:8])}{' and older' if len(whole) > 8 else ''}: write one of them."
        if whole
        else "No version there is complete for this node: give another nvidia_driver_source."
    )
    return f"nvidia_driver_version: in {where} {reason}. {offer}"
