# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes of a PCIe configuration space with the capabilities that ``rdma_health`` reads.

Numbers are those of the PCI Express base specification, as Linux has them in include/uapi/linux/pci_regs.h.
"""

from __future__ import annotations


def config_space(
    acs: int = 0,
    acs_capable: bool = False,
    max_read_request: int = 4096,
    max_payload: int = 256,
    relaxed_ordering: bool = True,
    ats: bool | None = None,
    readable: int = 4096,
) -> bytes:
    """Return the first ``readable`` bytes; ``acs`` other than 0 means that the capability is there."""
    space = bytearray(4096)
    space[0x06] = 0x10  # status: there is a list of capabilities
    space[0x34] = 0x40
    space[0x40:0x44] = bytes([0x05, 0x60, 0, 0])  # MSI first, so that somebody must walk
    space[0x60:0x64] = bytes([0x10, 0x00, 0x02, 0])  # PCI Express
    control = (
        (max_read_request // 128).bit_length() - 1 << 12
        | (max_payload // 128).bit_length() - 1 << 5
        | (0x10 if relaxed_ordering else 0)
    )
    space[0x68:0x6A] = control.to_bytes(2, "little")
    extended = [(0x0001, 0x100, b"")]  # advanced error reporting
    if acs_capable or acs:
        extended.append((0x000D, 0x200, (0x5F).to_bytes(2, "little") + acs.to_bytes(2, "little")))
    if ats is not None:
        extended.append((0x000F, 0x300, b"\x20\0" + (0x8000 if ats else 0).to_bytes(2, "little")))
    for index, (identity, at, body) in enumerate(extended):
        following = extended[index + 1][1] if index + 1 < len(extended) else 0
        space[at : at + 4] = (identity | 1 << 16 | following << 20).to_bytes(4, "little")
        space[at + 4 : at + 4 + len(body)] = body
    return bytes(space[:readable])
