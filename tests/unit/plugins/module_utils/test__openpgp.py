# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._openpgp import dearmor, fingerprints, packets

# Made for these tests with GnuPG 2.2; the private halves are gone.
RSA = """-----BEGIN PGP PUBLIC KEY BLOCK-----
Comment: a header

mI0EawJzzQEEALknDPo80Vr5j5E8tyTAxFYVlE0wVOWZJa2Wwe8ZE3sQ1lDOBlNC
gqnhIJ5B68BqJPCcYBshphQssLGr++SppOhtvwLTw06vKw7QNhwscEDF0xYOUwoh
yvhY/WqFTV1hOyN2wAus7gcNCF0nfivK2X9HkK4Z1HFDofq1NvnuhR+FABEBAAG0
CHJzYSB0ZXN0iM4EEwEKADgWIQR+rdy4d2ASnhSLTsPZh78x7aXxrwUCawJzzQIb
AwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRDZh78x7aXxr2SNBACd2b1h/HF3
xUxaC3dgVudiHmLr5J+ho0nNvNelDvSmIJDK6py8Ff9Ed2V7/tPA04MneOl7Trbb
4ur6mQFr/bq+wiH3r9qHKRPK8YjwlMvXMFe8vRyRJ63VQF9PAvZvGx9gcg8wBtzu
MWlt4kJwyDTFnScxC9UFGK1EQFD2J45aTA==
=obl+
-----END PGP PUBLIC KEY BLOCK-----
"""
RSA_FINGERPRINT = "7EADDCB87760129E148B4EC3D987BF31EDA5F1AF"
ED25519 = """-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawJxbhYJKwYBBAHaRw8BAQdAi+Dw7bopNs0Hp1ifcSOhVzlNhUjklAtBH4EA
lgDSroW0FmdwdWZsZWV0IGxhYiBzdGFuZC1pbnOIkAQTFggAOBYhBFhkBJk3pigJ
wMKP4jRNKPHWofFvBQJrAnFuAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJ
EDRNKPHWofFvjHMBAK/7ruBTnx4AMJGgevxSBOJIPEaC3OG521mJn1I5GP4XAQD5
rkfo/X2tQ4pTwVK8c5vAOJLFBnGKdJJ8jX9xRs6MCw==
=pvGK
-----END PGP PUBLIC KEY BLOCK-----
"""
ED25519_FINGERPRINT = "5864049937A62809C0C28FE2344D28F1D6A1F16F"


@pytest.mark.parametrize(("key", "expected"), [(RSA, RSA_FINGERPRINT), (ED25519, ED25519_FINGERPRINT)])
def test_fingerprints_are_those_of_gnupg(key: str, expected: str) -> None:
    assert fingerprints(key) == [expected]
    assert fingerprints(key.replace("\n", "\r\n")) == [expected]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>404</html>", "no ASCII-armoured"),
        (RSA.replace("mI0E", "mI0!"), "armour is broken"),
        (RSA.replace("mI0E", "mP0E"), "a packet has no length"),
    ],
)
def test_what_is_no_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fingerprints(text)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xc6\x03abc", [(6, b"abc")]),
        (b"\xc6\xc0\x00" + b"x" * 192, [(6, b"x" * 192)]),
        (b"\xc6\xff\x00\x00\x00\x01a", [(6, b"a")]),
        (b"\x99\x00\x02ab\xb4\x01c", [(6, b"ab"), (13, b"c")]),
        (b"", []),
    ],
)
def test_packets_of_both_formats(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert list(packets(data)) == expected


@pytest.mark.parametrize("data", [b"\xc6\x09abc", b"\x9b", b"abc", b"\xc6\xe1a"])
def test_broken_packets_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"packet|cut off|length"):
        list(packets(data))


def test_a_block_with_two_keys_has_two_fingerprints() -> None:
    both = base64.b64encode(dearmor(RSA) + dearmor(ED25519)).decode()
    text = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{both}\n-----END PGP PUBLIC KEY BLOCK-----\n"
    assert fingerprints(text) == [RSA_FINGERPRINT, ED25519_FINGERPRINT]
