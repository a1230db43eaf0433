# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read from the kernel how an interface of RoCE treats priorities: flow control (PFC) and what it trusts.

It is what ``dcb`` and ``mlnx_qos`` show, asked over the same netlink messages (Linux 6.1, include/uapi/linux/dcbnl.h and
net/dcb/dcbnl.c), so that no tool is needed. Reading takes no privilege.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import typing as t

SOURCE = "the kernel's dcbnl"

_GET_DCB, _ERROR, _REQUEST = 78, 2, 1
_IEEE_GET = 21
_NAME, _IEEE = 1, 13
_PFC, _TABLE, _TRUSTED = 2, 3, 11
_ENTRY, _OTHER_ENTRY = 1, 2
#: Of an entry or of what is trusted: the packet's DSCP, or the priority in its VLAN tag.
DSCP, PCP = 5, 255

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
#: The upper two bits of an attribute's type are flags.
_TYPE_MASK = 0x3FFF
_ANSWER_SECONDS = 2.0
_ANSWER_BYTES = 65536

Exchange = t.Callable[[bytes], bytes]


def exchange(message: bytes) -> bytes:
    """Send one message to the kernel and return its answer. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_ANSWER_SECONDS)
        kernel.bind((0, 0))
        kernel.send(message)
        return kernel.recv(_ANSWER_BYTES)


def ask(interface: str, exchange: Exchange = exchange) -> dict[str, t.Any]:
    """Return {pfc: [priorities with flow control] | None, trust: "dscp" | "pcp" | None, problem: why one is None, or ""}.

    mlx5 has no word for trust: it trusts DSCP while it has a table of it, and else the tag (en_dcbnl.c). Drivers that have
    one say it since Linux 6.2.
    """
    name = interface.encode() + b"\0"
    asked = struct.pack("=BBH", 0, _IEEE_GET, 0) + _attribute(_NAME, name)
    try:
        answer = exchange(_HEADER.pack(_HEADER.size + len(asked), _GET_DCB, _REQUEST, 1, 0) + asked)
        said = _parse(answer)
    except OSError as error:
        return {"pfc": None, "trust": None, "problem": _why(interface, error)}
    except (struct.error, ValueError) as error:
        return {"pfc": None, "trust": None, "problem": f"the kernel's answer about {interface} is broken: {error}"}
    problem = "" if said["pfc"] is not None else f"the driver of {interface} does not tell its flow control"
    return {**said, "problem": problem}


def _why(interface: str, error: OSError) -> str:
    if error.errno == errno.EOPNOTSUPP:
        return f"the driver of {interface} does not tell it, as that of a guest or a virtual function"
    return f"the kernel does not tell it of {interface}: {error.strerror or error}"


def _attribute(kind: int, value: bytes) -> bytes:
    size = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(size, kind) + value + b"\0" * (-size % 4)


def _attributes(raw: bytes) -> list[tuple[int, bytes]]:
    """Return [(type, value)]. Raises ValueError for a length that cannot be."""
    found, at = [], 0
    while at + _ATTRIBUTE.size <= len(raw):
        size, kind = _ATTRIBUTE.unpack_from(raw, at)
        if size < _ATTRIBUTE.size or at + size > len(raw):
            raise ValueError(f"an attribute of {size} bytes at {at} of {len(raw)}")
        found.append((kind & _TYPE_MASK, raw[at + _ATTRIBUTE.size : at + size]))
        at += size + -size % 4
    return found


def _parse(answer: bytes) -> dict[str, t.Any]:
    """Return {pfc, trust}. Raises OSError for a refusal."""
    length, kind, _flags, _sequence, _port = _HEADER.unpack_from(answer)
    if kind == _ERROR:
        (negative,) = struct.unpack_from("=i", answer, _HEADER.size)
        raise OSError(-negative, os.strerror(-negative))
    outer = dict(_attributes(answer[_HEADER.size + 4 : length]))
    told = dict(_attributes(outer.get(_IEEE, b"")))
    # struct ieee_pfc: what the card can do, then a bit per priority.
    pfc = [one for one in range(8) if told[_PFC][1] >> one & 1] if len(told.get(_PFC, b"")) > 1 else None
    return {"pfc": pfc, "trust": None if pfc is None else _trust(told)}


def _trust(told: t.Mapping[int, bytes]) -> str:
    if _TRUSTED in told:
        order = [value[0] for _kind, value in _attributes(told[_TRUSTED]) if value[:1] in (bytes([DSCP]), bytes([PCP]))]
        return "dscp" if order[:1] == [DSCP] else "pcp"
    # struct dcb_app begins with its selector.
    entries = [value for kind, value in _attributes(told.get(_TABLE, b"")) if kind in (_ENTRY, _OTHER_ENTRY)]
    return "dscp" if any(value[:1] == bytes([DSCP]) for value in entries) else "pcp"
