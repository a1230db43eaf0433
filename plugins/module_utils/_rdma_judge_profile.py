# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node's RDMA devices are expected to be: the option ``expect`` of ``rdma_health``, checked, with its defaults.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gdr import WAYS

#: Key → the words that it may have.
WORDS: dict[str, tuple[str, ...]] = {
    "link_layer": ("InfiniBand", "Ethernet"),
    "gdr": WAYS,
    "roce_trust": ("dscp", "pcp"),
    "acs": ("auto", "any"),
    "iommu": ("auto", "any"),
}
_NUMBERS = ("rate_gbps", "max_read_request", "mtu", "flaps_per_day")
_TEXTS = ("firmware", "hca_type", "topology_file")
_HCAS = ("hcas", "storage_hcas")
_PRIORITIES = "roce_pfc_priorities"


@dataclasses.dataclass(frozen=True)
class Profile:
    """The checked profile. None means that the profile does not say."""

    #: The compute HCAs: how many, or their names.
    hcas: int | tuple[str, ...] | None = None
    storage_hcas: int | tuple[str, ...] | None = None
    rate_gbps: float | None = None
    link_layer: str | None = None
    firmware: str | None = None
    hca_type: str | None = None
    #: What tells NCCL the topology in a guest, on the node.
    topology_file: str | None = None
    gdr: str | None = None
    acs: str = "auto"
    iommu: str = "auto"
    #: Bytes, at least. Below 512 no vendor's guide goes; OCI prints it, 4096 is the usual tuning (verify.md D).
    max_read_request: float = 512
    #: Bytes, at least, of interfaces of RoCE: an RDMA MTU of 4096 and its headers.
    mtu: float = 4200
    #: What interfaces of RoCE sort packets by, and the priorities that flow control keeps from loss.
    roce_trust: str | None = None
    roce_pfc_priorities: tuple[int, ...] | None = None
    #: So many lost links in a day are a fault. Source: Azure NHC 0e0a1ac, 2026-05-01.
    flaps_per_day: float = 5
    memlock: bool = True


KEYS: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Profile))


def profile(expect: t.Mapping[str, t.Any]) -> Profile:
    """Return the profile. Raises ValueError with all mistakes, each with what to write. A value of None is not said."""
    mistakes: list[str] = []
    values: dict[str, t.Any] = {}
    for key, value in expect.items():
        if value is None:
            continue
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
        if value not in WORDS[key]:
            raise ValueError(f"expect.{key}: {value!r} is none of {', '.join(WORDS[key])}.")
        return str(value)
    if key in _HCAS:
        return _hcas(key, value)
    if key in _NUMBERS:
        return _number(key, value)
    if key == _PRIORITIES:
        return _priorities(key, value)
    if key in _TEXTS:
        return str(value)
    return _truth(key, value)


def _number(key: str, value: t.Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if number < 0 or isinstance(value, bool):
        raise ValueError(f"expect.{key}: {value!r} is no number from 0.")
    return int(number) if number.is_integer() else number


def _hcas(key: str, value: t.Any) -> int | tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(str(name) for name in value)
    number = _number(key, value)
    if not isinstance(number, int):
        raise ValueError(f"expect.{key}: {value!r} is neither a whole number nor a list of names.")
    return number


def _priorities(key: str, value: t.Any) -> tuple[int, ...]:
    listed = value if isinstance(value, (list, tuple)) else [value]
    found = sorted({str(one) for one in listed})
    if not set(found) <= set("01234567"):
        raise ValueError(f"expect.{key}: {value!r} is no list of priorities from 0 to 7.")
    return tuple(int(one) for one in found)


def _truth(key: str, value: t.Any) -> bool:
    # Values of a dictionary come untyped: `-e` and templates make text of them.
    words = {"true": True, "yes": True, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError(f"expect.{key}: {value!r} is neither true nor false.")
    return words[str(value).lower()]
