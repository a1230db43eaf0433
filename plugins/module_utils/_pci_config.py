# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what lspci would show of a PCI function's configuration space: read request size, relaxed ordering, ACS, ATS.

Offsets and bits are those of include/uapi/linux/pci_regs.h.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import PCI_DEVICES, below

#: Who is not root gets the header alone; without memory-mapped configuration there are 256 bytes.
HEADER_BYTES, CONVENTIONAL_BYTES, WHOLE_BYTES = 64, 256, 4096

_STATUS, _HAS_LIST, _FIRST = 0x06, 0x10, 0x34
_EXPRESS, _EXTENDED_ACS, _EXTENDED_ATS = 0x10, 0x000D, 0x000F
#: Device control of the PCI Express capability, and its bits.
_DEVICE_CONTROL, _RELAXED = 8, 0x10
#: Control words of the extended capabilities, and the bit that turns ATS on.
_CONTROL, _ATS_ON = 6, 0x8000

#: More capabilities than fit are a loop: a function that is broken.
_MOST = 64

#: ACS bits that send what one device writes to another up to the root: request redirect, completion redirect, upstream
#: forwarding. They make GPUDirect slow or break it.
ACS_REDIRECT = 0x1C

#: What is None nobody could read; the reason is in ``problem``.
UNKNOWN: dict[str, t.Any] = dict.fromkeys(
    ("max_read_request", "max_payload", "relaxed_ordering", "acs_capable", "acs", "ats")
)


def _word(space: bytes, at: int) -> int:
    return int.from_bytes(space[at : at + 2], "little")


def capabilities(space: bytes) -> dict[int, int]:
    """Return {id: offset} of the capabilities in the first 256 bytes; of two with one id the first."""
    found: dict[int, int] = {}
    at = space[_FIRST] & 0xFC if space[_STATUS] & _HAS_LIST else 0
    for _step in range(_MOST):
        if at < HEADER_BYTES or at + 1 >= len(space):
            break
        found.setdefault(space[at], at)
        at = space[at + 1] & 0xFC
    return found


def extended_capabilities(space: bytes) -> dict[int, int]:
    """Return {id: offset} of the extended capabilities."""
    found: dict[int, int] = {}
    at = CONVENTIONAL_BYTES
    for _step in range(_MOST):
        header = int.from_bytes(space[at : at + 4], "little")
        if at < CONVENTIONAL_BYTES or header in (0, 0xFFFFFFFF):
            break
        found.setdefault(header & 0xFFFF, at)
        at = header >> 20 & 0xFFC
    return found


def parse(space: bytes) -> dict[str, t.Any]:
    """Return {max_read_request, max_payload: bytes, relaxed_ordering, acs_capable, ats: bool, acs: control word, problem}.

    ``acs`` is None on a bridge without that capability, ``ats`` where the function has none.
    """
    if len(space) < HEADER_BYTES:
        return {**UNKNOWN, "problem": "the configuration space could not be read"}
    if not space.strip(b"\xff"):
        return {**UNKNOWN, "problem": "the function does not answer: all its bytes are ff"}
    if len(space) == HEADER_BYTES:
        return {**UNKNOWN, "problem": "only root may read more than the first 64 bytes of the configuration space"}
    express = capabilities(space).get(_EXPRESS)
    if express is None or express + _DEVICE_CONTROL + 2 > len(space):
        return {**UNKNOWN, "problem": "the function has no PCI Express capability"}
    control = _word(space, express + _DEVICE_CONTROL)
    found = {
        **UNKNOWN,
        "max_read_request": 128 << (control >> 12 & 7),
        "max_payload": 128 << (control >> 5 & 7),
        "relaxed_ordering": bool(control & _RELAXED),
        "problem": "",
    }
    if len(space) < WHOLE_BYTES:
        return {**found, "problem": "the extended configuration space is not reachable here"}
    extended = extended_capabilities(space)
    acs, ats = extended.get(_EXTENDED_ACS), extended.get(_EXTENDED_ATS)
    return {
        **found,
        "acs_capable": acs is not None,
        "acs": None if acs is None else _word(space, acs + _CONTROL),
        "ats": None if ats is None else bool(_word(space, ats + _CONTROL) & _ATS_ON),
    }


def read(root: str, address: str) -> dict[str, t.Any]:
    """Return what ``parse`` says of the function at this address."""
    try:
        with open(below(root, f"{PCI_DEVICES}/{address}/config"), "rb") as config:
            return parse(config.read(WHOLE_BYTES))
    except OSError as error:
        return {**UNKNOWN, "problem": f"{address}: {error.strerror}"}
