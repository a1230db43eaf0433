# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the judges of ``gpu_health`` share: the node as they see it, a finding, and one statement over all GPUs.

A judge takes a ``Node`` and returns a ``Finding``, or a ``Skip`` with the reason why the statement makes no sense here
(a T4 has no NVLink). Statements about cards are about those that could be opened; that all could is a statement of
its own, which fails for the others.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_card import Card
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import NONE, strongest
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_profile import Profile
from ansible_collections.gpufleet.inference.plugins.module_utils._unread import is_unread, not_supported, unread
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import NOT_VERIFIED, PASS, worst

Value = t.Any

#: nvml.h: nvmlDeviceArchitecture_t.
HOPPER = 9

#: nvml.h: the bit of nvmlDeviceGetCurrentClocksEventReasons that says that a card rests.
IDLE = 0x1

PASSTHROUGH = 1
#: Values of nvmlDeviceGetVirtualizationMode that mean: this is a guest.
_GUEST_MODES = (PASSTHROUGH, 2)

SEE_NVML = "See `NVML answers`."
LOOK_AGAIN = "Look at the kernel's log and ask NVML by hand (nvidia-smi -q) why it does not answer."


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a statement earned. ``sick`` are the indexes of the GPUs that made it worse than ``pass``."""

    verdict: str
    observed: t.Any
    expected: t.Any = None
    remedy: str = ""
    source: str = ""
    action: str = NONE
    sick: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Skip:
    """The statement makes no sense here, and why."""

    why: str


Judged = t.Union[Finding, Skip]


@dataclasses.dataclass(frozen=True)
class Bad:
    """What one GPU did to a statement over all."""

    verdict: str
    observed: t.Any
    action: str = NONE


@dataclasses.dataclass(frozen=True)
class Gpu:
    """One GPU that could be opened."""

    index: int
    data: t.Mapping[str, t.Any]
    card: Card | None

    def read(self, *path: str) -> Value:
        """Return the value at the path, or what stands for one that could not be read."""
        value: t.Any = self.data
        for key in path:
            if is_unread(value):
                return value
            if not isinstance(value, dict) or key not in value:
                return unread("was not read", -1)
            value = value[key]
        return value

    def number(self, *path: str) -> float | None:
        """Return a number, or None when it could not be read."""
        value = self.read(*path)
        return None if is_unread(value) or value is None else float(value)

    @property
    def pci(self) -> str:
        value = self.read("pci")
        return "" if is_unread(value) else str(value)

    @property
    def architecture(self) -> int | None:
        number = self.number("architecture")
        return None if number is None else int(number)

    @property
    def has_ecc_tables(self) -> bool:
        """Tell whether this card keeps the records of a data-centre card with HBM from Ampere on."""
        return self.card is not None and self.card.hbm and self.card.architecture not in ("volta", "turing")


@dataclasses.dataclass(frozen=True)
class Node:
    """All that judges look at: the two readings, the profile, and the GPUs with their rows of the catalogue."""

    nvml: t.Mapping[str, t.Any]
    host: t.Mapping[str, t.Any]
    profile: Profile
    gpus: tuple[Gpu, ...]
    #: Kinds of all cards that NVML opened or, when it opened none, that are on the bus; None for an unknown one.
    cards: tuple[Card | None, ...]

    @property
    def driver_version(self) -> str:
        """Return the version of the loaded driver, as the kernel or else NVML tells it; "" when neither does."""
        version = self.host["driver"]["version"] or self.system("driver_version")
        return "" if is_unread(version) or not version else str(version)

    def system(self, *path: str) -> Value:
        return Gpu(-1, dict(self.nvml.get("system") or {}), None).read(*path)

    @property
    def guest(self) -> bool | None:
        """Tell whether this is a virtual machine; None when neither NVML nor the kernel says so."""
        modes = [gpu.number("virtualization_mode") for gpu in self.gpus]
        known = [mode for mode in modes if mode is not None]
        if known:
            return any(int(mode) in _GUEST_MODES for mode in known)
        hypervisor = self.host["boot"]["hypervisor"]
        return None if hypervisor is None else bool(hypervisor)

    @property
    def in_container(self) -> bool:
        return bool(self.host["boot"]["container"])

    @property
    def fabrics(self) -> set[str]:
        """Return how the known cards here are connected; unknown cards add nothing."""
        return {card.fabric for card in self.cards if card}


def per_gpu(
    node: Node,
    value: t.Callable[[Gpu], Value],
    judge: t.Callable[[t.Any, Gpu], Bad | None],
    expected: t.Any = None,
    remedy: str = "",
    source: str = "",
    may_lack: t.Callable[[Gpu], bool] = lambda gpu: False,
) -> Judged:
    """Return one finding over all GPUs; ``observed`` names only those that are not as they should be.

    A card that says that it does not have the value is left out where ``may_lack`` allows it, else it is
    ``not_verified``, as is every other value that could not be read.
    """
    if not node.gpus:
        return Finding(NOT_VERIFIED, "no GPU could be opened", expected, SEE_NVML, source)
    bad: dict[int, Bad] = {}
    good: list[t.Any] = []
    for gpu in node.gpus:
        read = value(gpu)
        if is_unread(read):
            if not (not_supported(read) and may_lack(gpu)):
                bad[gpu.index] = Bad(NOT_VERIFIED, f"could not be read: {read['unread']}")
            continue
        judged = judge(read, gpu)
        if judged:
            bad[gpu.index] = judged
        else:
            good.append(read)
    if not bad and not good:
        return Skip("these cards do not have it")
    if not bad:
        return Finding(PASS, _together(good), expected, source=source)
    verdict = worst(one.verdict for one in bad.values())
    return Finding(
        verdict,
        by_gpu({index: one.observed for index, one in bad.items()}, len(node.gpus)),
        expected,
        LOOK_AGAIN if verdict == NOT_VERIFIED and not remedy else remedy,
        source,
        strongest(one.action for one in bad.values()),
        tuple(sorted(bad)),
    )


def good(judged: Judged, observed: str) -> Judged:
    """Return the finding with words instead of numbers when all is well."""
    if isinstance(judged, Finding) and judged.verdict == PASS:
        return Finding(PASS, observed, judged.expected, source=judged.source)
    return judged


def by_gpu(observed: t.Mapping[int, t.Any], many: int) -> dict[str, t.Any]:
    """Return {"3": …} for some of ``many`` GPUs, and {"all": …} when there are several and all say the same."""
    if len(observed) == many > 1 and len({str(one) for one in observed.values()}) == 1:
        return {"all": next(iter(observed.values()))}
    return {str(index): observed[index] for index in sorted(observed)}


def _together(values: t.Sequence[t.Any]) -> t.Any:
    """Return the value that all share, else the different ones as text."""
    if all(value == values[0] for value in values):
        return values[0]
    return ", ".join(sorted({str(value) for value in values}))


def not_said(key: str, observed: t.Any, source: str = "") -> Finding:
    """Return the finding of a statement that needs a key that the profile does not have."""
    remedy = f"Set {key} in expect: without it nobody knows whether this is right."
    return Finding(NOT_VERIFIED, observed, remedy=remedy, source=source)


def numbers(version: str) -> tuple[int, ...]:
    """Return a version as numbers, so that 1.39 is more than 1.4: ``580.159.04`` → (580, 159, 4)."""
    parts = version.replace("-", ".").replace("~", ".").split(".")
    leading = []
    for part in parts:
        if not part.isdigit():
            break
        leading.append(int(part))
    return tuple(leading)
