# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fingerprints of OpenPGP public keys, so that a repository's key is taken only when it is the expected one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Needs no GnuPG: a version 4 fingerprint is the SHA-1 of the key packet (RFC 4880, 12.2), a version 6 one is the SHA-256
(RFC 9580, 5.5.4.3).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t

#: Packet tag of a primary public key (RFC 4880, 4.3).
PUBLIC_KEY = 6


def dearmor(text: str) -> bytes:
    """Return the bytes of an ASCII-armoured public key block. Raises ValueError."""
    matched = re.search(
        r"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(.*?)-----END PGP PUBLIC KEY BLOCK-----", text, re.DOTALL
    )
    if matched is None:
        raise ValueError("it is no ASCII-armoured OpenPGP public key")
    lines = matched[1].splitlines()
    # Headers such as Comment: end at the first empty line; the checksum line starts with an equals sign.
    body = lines[lines.index("") + 1 :] if "" in lines else lines
    try:
        return base64.b64decode("".join(line for line in body if not line.startswith("=")), validate=True)
    except binascii.Error as error:
        raise ValueError(f"its armour is broken: {error}") from None


def packets(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Return (tag, body) of every packet. Raises ValueError where the data is cut off or of unknown form."""
    at = 0
    while at < len(data):
        header, at = data[at], at + 1
        if not header & 0x80:
            raise ValueError("it is no sequence of OpenPGP packets")
        if header & 0x40:
            tag, (length, at) = header & 0x3F, _new_length(data, at)
        else:
            tag, size = (header >> 2) & 0x0F, {0: 1, 1: 2, 2: 4}.get(header & 3)
            if size is None:
                raise ValueError("a packet has no length")
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("it is cut off")
        yield tag, data[at : at + length]
        at += length


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at] if at < len(data) else 0
    if first < 192:
        return first, at + 1
    if first < 224:
        return ((first - 192) << 8) + (data[at + 1] if at + 1 < len(data) else 0) + 192, at + 2
    if first == 255:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    raise ValueError("a key packet has a partial length")


def fingerprints(text: str) -> list[str]:
    """Return the fingerprints, in capitals, of all primary keys in an armoured block. Raises ValueError."""
    found = []
    for tag, body in packets(dearmor(text)):
        if tag != PUBLIC_KEY:
            continue
        if body[:1] == b"\x04":
            found.append(hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body).hexdigest().upper())
        elif body[:1] == b"\x06":
            found.append(hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest().upper())
        else:
            raise ValueError("it holds a key of an unknown version")
    return found
