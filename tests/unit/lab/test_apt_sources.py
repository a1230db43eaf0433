# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's apt sources as data."""

from __future__ import annotations

import pathlib

import pytest

from tests.lab import apt_sources
from tests.lab.apt_sources import Source

ARCHIVE = "http://mirror.example/debian"
SECURITY = "http://mirror.example/debian-security"

DEB822 = f"""\
# the archive
Types: deb deb-src
URIs: {ARCHIVE}
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: {SECURITY}
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Enabled: no
Types: deb
URIs: http://other.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: {ARCHIVE}
Suites: bookworm
Components: main
"""


def test_stanzas_are_read() -> None:
    assert apt_sources.parse_deb822(DEB822) == [
        Source(ARCHIVE, "bookworm", ("main", "contrib")),
        Source(ARCHIVE, "bookworm-updates", ("main", "contrib")),
        Source(SECURITY, "bookworm-security", ("main",)),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"deb {ARCHIVE} bookworm main", [Source(ARCHIVE, "bookworm", ("main",))]),
        (
            f"deb [arch=amd64 signed-by=/x.gpg] {ARCHIVE} bookworm main contrib # note",
            [Source(ARCHIVE, "bookworm", ("main", "contrib"))],
        ),
        (f"deb-src {ARCHIVE} bookworm main", []),
        (f"# deb {ARCHIVE} bookworm main", []),
        ("deb broken", []),
        ("", []),
    ],
)
def test_lines_are_read(line: str, expected: list[Source]) -> None:
    assert apt_sources.parse_list(line) == expected


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (Source(ARCHIVE, "bookworm", ("main",)), "bookworm", "bookworm"),
        (Source(ARCHIVE, "bookworm", ("main",)), "trixie", "trixie"),
        (Source(ARCHIVE, "bookworm-updates", ("main",)), "trixie", "trixie-updates"),
        (Source(SECURITY, "bookworm-security", ("main",)), "trixie", "trixie-security"),
        (Source("http://s.example/archive/debian/20260101T000000Z", "bookworm", ("main",)), "trixie", "trixie"),
        (Source(ARCHIVE, "bookworm-backports", ("main",)), "trixie", None),
        (Source(ARCHIVE, "bookworm", ("contrib",)), "trixie", None),
        (Source("http://vendor.example/linux/debian", "bookworm", ("stable",)), "trixie", None),
        (Source("http://vendor.example/repository", "bookworm", ("main",)), "trixie", None),
        (Source("http://mirror.example/ubuntu", "jammy", ("main",)), "trixie", None),
    ],
)
def test_only_debians_own_archive_counts(source: Source, target: str, expected: str | None) -> None:
    found = apt_sources.debian_archive([source, source], "bookworm", target)
    assert [one.suite for one in found] == ([expected] if expected else [])


def test_machine_sources_reads_both_formats_and_nothing_else(tmp_path: pathlib.Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text(f"deb {ARCHIVE} bookworm main\n")
    (parts / "a.sources").write_text(f"Types: deb\nURIs: {SECURITY}\nSuites: bookworm-security\nComponents: main\n")
    (parts / "b.list.disabled").write_text("deb http://other.example/debian bookworm main\n")
    assert [one.uri for one in apt_sources.machine_sources(tmp_path)] == [ARCHIVE, SECURITY]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", "bookworm"),
        ('VERSION_CODENAME="jammy"\nUBUNTU_CODENAME=x\n', "jammy"),
        ("ID=x\n", ""),
    ],
)
def test_codename(text: str, expected: str) -> None:
    assert apt_sources.codename(text) == expected


def test_only_options_that_hosts_need_are_shared() -> None:
    dump = (
        'APT::Architecture "amd64";\nAcquire::Check-Valid-Until "false";\nAcquire::http "";\n'
        'Acquire::http::Proxy "http://proxy.example:3128";\nAcquire::https::Proxy "";\n'
    )
    assert apt_sources.shared_options(dump) == [
        'Acquire::Check-Valid-Until "false";',
        'Acquire::http::Proxy "http://proxy.example:3128";',
    ]
