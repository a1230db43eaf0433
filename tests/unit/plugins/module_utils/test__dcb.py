# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers as net/dcb/dcbnl.c of Linux 6.1 writes them: header, struct dcbmsg, the name, and nested attributes."""

from __future__ import annotations

import errno
import struct

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _dcb

NESTED = 0x8000


def attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + b"\0" * (-size % 4)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body


def answer(*told: bytes) -> bytes:
    body = struct.pack("=BBH", 0, 21, 0) + attribute(1, b"eth0\0") + attribute(13 | NESTED, b"".join(told))
    # The buffer of the kernel may be longer than the message.
    return message(79, body) + b"\xff" * 8


def pfc(bits: int) -> bytes:
    # struct ieee_pfc: capability, enabled, mbc, a hole, delay, two tables of eight counters.
    return attribute(2, struct.pack("=BBBxH2x", 8, bits, 0, 0) + b"\0" * 128)


def table(*entries: tuple[int, int, int]) -> bytes:
    return attribute(3 | NESTED, b"".join(attribute(1, struct.pack("=BBH", *one)) for one in entries))


ETS = attribute(1, b"\0" * 67)
DSCP, ETHERTYPE = (5, 3, 26), (1, 3, 0x8915)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ([ETS, pfc(0), table()], ([], "pcp")),
        ([ETS, pfc(0b1000), table(ETHERTYPE, DSCP)], ([3], "dscp")),
        ([pfc(0b10001000), table(ETHERTYPE)], ([3, 7], "pcp")),
        # Since Linux 6.2: the order in which they are trusted.
        ([pfc(8), table(DSCP), attribute(11, attribute(1, b"\xff") + attribute(1, b"\x05"))], ([3], "pcp")),
        ([pfc(8), attribute(11, attribute(1, b"\x05"))], ([3], "dscp")),
    ],
)
def test_answers(told: list[bytes], found: tuple[list[int], str]) -> None:
    said = _dcb.ask("eth0", lambda _message: answer(*told))
    assert (said["pfc"], said["trust"], said["problem"]) == (*found, "")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (message(2, struct.pack("=i", -errno.EOPNOTSUPP)), "the driver of eth0 does not tell it"),
        (message(2, struct.pack("=i", -errno.ENODEV)), "No such device"),
        (answer(ETS), "does not tell its flow control"),
        (answer(attribute(2, b"\x08")), "does not tell its flow control"),
        (b"\0" * 3, "is broken"),
        (answer(struct.pack("=HH", 2, 2)), "is broken"),
    ],
)
def test_what_cannot_be_read_has_a_reason(given: bytes, why: str) -> None:
    said = _dcb.ask("eth0", lambda _message: given)
    assert (said["pfc"], said["trust"]) == (None, None)
    assert why in said["problem"]


def test_the_question_is_that_of_dcb() -> None:
    asked: list[bytes] = []
    _dcb.ask("eth0", lambda question: asked.append(question) or answer(pfc(0)))  # type: ignore[func-returns-value]
    # `strace -e sendmsg -x dcb pfc show dev eth0`, but for sequence and acknowledgement.
    assert asked[0] == struct.pack("=IHHII", 32, 78, 1, 1, 0) + b"\0\x15\0\0" + b"\x09\0\x01\0eth0\0" + b"\0" * 3


def test_the_kernel_answers() -> None:
    assert "No such device" in _dcb.ask("gpufleet-none")["problem"]
