# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the judges of ``rdma_health`` share: the node as they see it, a finding, one statement over all ports or HCAs.

A judge takes a ``Node`` and returns a ``Finding``, or a ``Skip`` with the reason why the statement makes no sense here.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_profile import Profile
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import NOT_VERIFIED, PASS, worst

NO_HCA = "no HCA for GPUs was found"
SEE_DEVICES = "See `RDMA devices`."


class Finding(t.NamedTuple):
    """What a statement earned."""

    verdict: str
    observed: t.Any
    expected: t.Any = None
    remedy: str = ""
    source: str = ""


class Skip(t.NamedTuple):
    """The statement makes no sense here, and why."""

    why: str


class Bad(t.NamedTuple):
    """What one port or HCA did to a statement over all."""

    verdict: str
    observed: t.Any


Judged = t.Union[Finding, Skip]


@dataclasses.dataclass(frozen=True)
class Node:
    """All that judges look at: what ``_rdma_read`` read, the profile, and which HCAs are for GPUs."""

    read: t.Mapping[str, t.Any]
    profile: Profile
    compute: tuple[str, ...]

    @property
    def all_hcas(self) -> t.Mapping[str, t.Mapping[str, t.Any]]:
        return t.cast("t.Mapping[str, t.Mapping[str, t.Any]]", self.read["rdma"]["hcas"])

    @property
    def hcas(self) -> dict[str, t.Mapping[str, t.Any]]:
        """Return {name: HCA} of those for GPUs."""
        return {name: self.all_hcas[name] for name in self.compute}

    @property
    def ports(self) -> dict[str, t.Mapping[str, t.Any]]:
        """Return {"mlx5_0/1": port} of the HCAs for GPUs."""
        return {f"{name}/{port}": said for name, one in self.hcas.items() for port, said in one["ports"].items()}

    @property
    def gpus(self) -> t.Mapping[str, t.Any]:
        return t.cast("t.Mapping[str, t.Any]", self.read["rdma"]["gpus"])

    @property
    def guest(self) -> bool | None:
        """Tell whether this is a virtual machine; None when nobody knows."""
        return t.cast("bool | None", self.read["boot"]["hypervisor"])

    @property
    def on_ethernet(self) -> bool:
        """Tell whether these HCAs, as far as they say, speak RoCE."""
        layers = {port["link_layer"] for port in self.ports.values()} - {""}
        return layers == {"Ethernet"}


def over(
    values: t.Mapping[str, t.Any],
    judge: t.Callable[[str, t.Any], Bad | None],
    expected: t.Any,
    remedy: str,
    source: str,
    good: t.Any = None,
) -> Finding:
    """Return one finding over all values by name; ``observed`` names only those that are not as they should be.

    A value of None or "" could not be read. ``good`` is what stands in ``observed`` when all is well.
    """
    if not values:
        return Finding(NOT_VERIFIED, NO_HCA, expected, SEE_DEVICES, source)
    bad: dict[str, Bad] = {}
    for name, value in values.items():
        found = Bad(NOT_VERIFIED, "could not be read") if value in (None, "") else judge(name, value)
        if found:
            bad[name] = found
    if bad:
        verdict = worst(one.verdict for one in bad.values())
        return Finding(verdict, {name: one.observed for name, one in bad.items()}, expected, remedy, source)
    return Finding(PASS, good if good is not None else together(values.values()), expected, source=source)


def together(values: t.Iterable[t.Any]) -> str:
    """Return the different values as text."""
    return ", ".join(sorted({str(value) for value in values}))


def counted(values: t.Mapping[str, t.Any]) -> str:
    """Return "28.41.1000 (7: mlx5_0, …), 28.39.1002 (1: mlx5_7)": which value each has, the rarest last."""
    holders: dict[str, list[str]] = {}
    for name, value in values.items():
        holders.setdefault(str(value), []).append(name)
    ranked = sorted(holders.items(), key=lambda one: (-len(one[1]), one[0]))
    return ", ".join(f"{value} ({len(names)}: {', '.join(names)})" for value, names in ranked)


def not_said(key: str, observed: t.Any, source: str = "") -> Finding:
    """Return the finding of a statement that needs a key that the profile does not have."""
    remedy = f"Set {key} in expect: without it nobody knows whether this is right."
    return Finding(NOT_VERIFIED, observed, remedy=remedy, source=source)
