# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the wishes for the GPU driver against the cards, before anything is asked of a repository.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``wishes`` are the variables of the role ``nvidia_driver`` without their prefix; ``node`` is what ``node_facts`` read.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gpu_lock_cards as cards_table
from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_cards import (
    NVLINK5,
    NVSWITCH,
    OPEN,
    PROPRIETARY,
    RACK,
    Card,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._os_tuning import in_container

AUTO, REQUIRED, ABSENT = "auto", "required", "absent"

#: NVIDIA's guide for branch 620 (2026-11): "Proprietary Kernel Modules Removed".
LAST_PROPRIETARY_BRANCH = 619

#: CUDA major → least driver branch. Applications of one major run on every driver of that major (minor version
#: compatibility). Source: CUDA 13.0 release notes.
CUDA_LEAST_BRANCH = {11: 450, 12: 525, 13: 580}

#: Branches from which cuda-compat of CUDA 13 carries data-centre cards. Source: CUDA compatibility guide, 2025-08.
COMPAT_BRANCHES = (535, 550, 570)

Wishes = t.Mapping[str, t.Any]


def card_ids(wishes: Wishes, node: t.Mapping[str, t.Any]) -> list[str]:
    """Return the PCI device ids of the node's cards: those declared, else those on the PCI bus.

    A container sees the cards of its machine, but their driver is the machine's: there only declared cards count.
    """
    if wishes["cards"] == [AUTO]:
        return [] if in_container(node) else [one["device"].lower() for one in node.get("gpus", [])]
    return [str(one).lower() for one in wishes["cards"]]


def wanted_branch(wishes: Wishes) -> int | None:
    """Return the first number of the wished version; None where it is not a version."""
    matched = re.match(r"\d+", str(wishes["version"]))
    return int(matched[0]) if matched else None


def services(wishes: Wishes, node: t.Mapping[str, t.Any]) -> dict[str, bool]:
    """Return which services the node needs: {"fabric_manager", "nvlsm", "imex"}.

    A guest's host runs Fabric Manager for it, and a container's machine: only bare metal needs its own.
    """
    kinds = {card.fabric for card in cards_table.known(card_ids(wishes, node))}
    bare = node.get("virtualization") == "none"
    seen_switches = bool(node.get("nvidia", {}).get("switches"))
    by_itself = bare and ((NVSWITCH in kinds and seen_switches) or NVLINK5 in kinds)
    fabric_manager = by_itself if wishes["fabric_manager"] == AUTO else wishes["fabric_manager"] == REQUIRED
    imex = (bare and RACK in kinds) if wishes["imex"] == AUTO else wishes["imex"] == REQUIRED
    return {"fabric_manager": fabric_manager, "nvlsm": fabric_manager and NVLINK5 in kinds, "imex": imex}


def mistakes(wishes: Wishes, node: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence per mistake: the variable, what is wrong, what to write."""
    cards = cards_table.known(card_ids(wishes, node))
    return [
        *_form_mistakes(wishes),
        *_source_mistakes(wishes, node),
        *_flavour_mistakes(wishes, cards),
        *_branch_mistakes(wishes, cards),
        *_setting_mistakes(wishes),
    ]


def _form_mistakes(wishes: Wishes) -> t.Iterator[str]:
    if not re.fullmatch(r"\d{3}(\.\d+){0,3}", str(wishes["version"])):
        yield (
            f"nvidia_driver_version: {wishes['version']!r} is neither a version nor a branch; write one such as "
            '"580.126.20" or "580".'
        )
    for one in wishes["cards"]:
        if one != AUTO and not re.fullmatch(r"[0-9a-fA-F]{4}", str(one)):
            yield f"nvidia_driver_cards: {one!r} is no PCI device id; write four hexadecimal digits such as '2329'."
    if AUTO in wishes["cards"] and len(wishes["cards"]) > 1:
        yield "nvidia_driver_cards: auto and declared cards exclude each other; write [auto] or the ids alone."
    if wishes["cuda_at_least"] and not re.fullmatch(r"\d+\.\d+", str(wishes["cuda_at_least"])):
        yield f'nvidia_driver_cuda_at_least: {wishes["cuda_at_least"]!r} is no version; write one such as "13.0".'


def _source_mistakes(wishes: Wishes, node: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    source = wishes["source"]
    if source == "mirror" and not wishes["mirror_url"]:
        yield "nvidia_driver_mirror_url: the source mirror needs the address of the mirror; write its URL."
    if source == "directory" and not wishes["directory"]:
        yield "nvidia_driver_directory: the source directory needs a directory of packages on the controller."
    if source == "runfile":
        if not wishes["runfile_url"] or not re.fullmatch(r"[0-9a-f]{64}", wishes["runfile_sha256"]):
            yield (
                "nvidia_driver_runfile_url, nvidia_driver_runfile_sha256: the .run installer is taken only with its "
                "address and its SHA-256, 64 hexadecimal digits. Better take nvidia_repository or directory."
            )
        if not re.fullmatch(r"\d{3}(\.\d+){1,3}", str(wishes["version"])):
            yield "nvidia_driver_version: the .run installer is one exact version; write all its numbers."
        if any(services(wishes, node).values()):
            yield (
                "nvidia_driver_source: this node needs Fabric Manager or IMEX, which the .run installer has not; a "
                "package of them beside it breaks at the next upgrade. Take nvidia_repository, mirror or directory."
            )
    if source == "distribution" and services(wishes, node)["fabric_manager"] and wishes["namings"] == ["debian"]:
        yield (
            "nvidia_driver_source: this node needs Fabric Manager, which Debian's archive has not. Write "
            "nvidia_repository, mirror or directory."
        )
    if source in ("nvidia_repository", "mirror") and not re.fullmatch(r"[0-9A-F]{40}", wishes["key_fingerprint"]):
        yield (
            "nvidia_driver_repository_fingerprint: the key of the repository is taken only by its fingerprint; write "
            "its 40 hexadecimal digits in capitals, as `gpg --show-keys` tells them."
        )


def _flavour_mistakes(wishes: Wishes, cards: list[Card]) -> t.Iterator[str]:
    flavour, branch = wishes["flavour"], wanted_branch(wishes)
    for card in cards:
        if flavour not in card.flavours:
            yield (
                f"nvidia_driver_flavour: {card.name} has no {flavour} kernel modules; "
                f"write {' or '.join(card.flavours)}."
            )
    if flavour == PROPRIETARY and branch is not None and branch > LAST_PROPRIETARY_BRANCH:
        yield f"nvidia_driver_flavour: branch {branch} has no proprietary kernel modules any more; write {OPEN}."


def _branch_mistakes(wishes: Wishes, cards: list[Card]) -> t.Iterator[str]:
    branch = wanted_branch(wishes)
    if branch is None:
        return
    for card in cards:
        if card.least_branch is not None and branch < card.least_branch:
            yield f"nvidia_driver_version: {card.name} needs branch {card.least_branch} or newer, not {branch}."
        if card.last_branch is not None and branch > card.last_branch:
            yield f"nvidia_driver_version: the last branch for {card.name} is {card.last_branch}, not {branch}."
    if wishes["cuda_at_least"] and re.fullmatch(r"\d+\.\d+", str(wishes["cuda_at_least"])):
        major = int(str(wishes["cuda_at_least"]).split(".", maxsplit=1)[0])
        least = CUDA_LEAST_BRANCH.get(major)
        if least is None:
            yield (
                f"nvidia_driver_cuda_at_least: the least driver of CUDA {major} is not known here; known are CUDA "
                f"{', '.join(map(str, CUDA_LEAST_BRANCH))}. Leave it empty."
            )
        elif branch < least and not (wishes["cuda_compat"] and branch in COMPAT_BRANCHES):
            yield (
                f"nvidia_driver_version: CUDA {wishes['cuda_at_least']} needs branch {least} or newer, not {branch}. "
                f"Write {least}, or take an image of an older CUDA"
                + (
                    ", or set nvidia_driver_cuda_compat: true (data-centre cards only)."
                    if branch in COMPAT_BRANCHES and not wishes["cuda_compat"]
                    else "."
                )
            )


def _setting_mistakes(wishes: Wishes) -> t.Iterator[str]:
    settings = wishes["settings"]
    unknown = sorted(set(settings) - {"power_limit_w", "locked_clocks_mhz", "ecc", "mig", "compute_mode"})
    if unknown:
        yield (
            f"nvidia_driver_settings: unknown {', '.join(unknown)}; known are power_limit_w, locked_clocks_mhz, ecc, "
            "mig, compute_mode."
        )
    if settings.get("mig") and wishes["tensor_parallel"] > 1:
        yield (
            "nvidia_driver_settings: MIG splits a card, and its slices have no NVLink; a deployment with tensor "
            "parallelism cannot run on them. Write mig: false or serve with tensor_parallel: 1."
        )
