# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _candidates
from ansible_collections.gpufleet.inference.plugins.module_utils._candidates import (
    Unavailable,
    key_problem,
    madison,
    own_sources,
    repoquery,
    transitional,
)
from tests.lab import nvidia_packages, nvidia_repository

MADISON = """\
 nvidia-fabricmanager-580 | 580.126.20-1 | https://mirror.example.com/debian12  Packages
 nvidia-fabricmanager-580 | 580.126.20-1 | https://mirror.example.com/debian12  Packages
   nvidia-driver | 535.261.03-1 | http://archive.example.com bookworm/non-free amd64 Packages
   nvidia-driver | 535.261.03-1 | http://archive.example.com bookworm/non-free Sources
"""

#: As Canonical's multiverse has them (2026).
SHOWN = """\
Package: nvidia-fabricmanager-570
Version: 570.211.01-0ubuntu0.24.04.1
Depends: nvidia-fabricmanager-580
Description-en: Fabric Manager for NVSwitch based systems

Package: libnvidia-compute-590-server
Version: 590.48.01-0ubuntu1
Description: NVIDIA libcompute package (transitional package)

Package: nvidia-utils-580-server
Version: 580.126.20-0ubuntu1
Depends: libnvidia-compute-580-server (= 580.126.20-0ubuntu1)
Description: NVIDIA driver support binaries
"""


@pytest.fixture
def tool(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str, str], None]:
    """Return ``tool(name, script)``: put a shell script on PATH, in front of all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)

    return put


def test_madison_names_version_and_repository_once() -> None:
    found = madison(MADISON)
    assert found["nvidia-fabricmanager-580"] == [
        {"version": "580.126.20-1", "repository": "https://mirror.example.com/debian12", "transitional": False}
    ]
    assert len(found["nvidia-driver"]) == 1


def test_empty_packages_of_another_branch_are_transitional() -> None:
    assert transitional(SHOWN) == {
        ("nvidia-fabricmanager-570", "570.211.01-0ubuntu0.24.04.1"),
        ("libnvidia-compute-590-server", "590.48.01-0ubuntu1"),
    }


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("W: GPG error: The following signatures couldn't be verified: NO_PUBKEY A4B469963BF863CC", "another one"),
        ("E: EXPKEYSIG 3BF863CC", "expired"),
        ("Sub-process /usr/bin/sqv returned an error: SHA1 is not considered secure since 2026-02-01", "SHA-1"),
        ("E: The repository 'file:/x ./ Release' is not signed.", "not signed"),
        ("E: Failed to fetch: 404 Not Found", ""),
    ],
)
def test_trouble_with_keys_is_told_from_other_trouble(stderr: str, said: str) -> None:
    found = key_problem(stderr)
    assert said in found and bool(found) is bool(said)


def test_the_nodes_own_sources_are_those_of_apt(tmp_path: pathlib.Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "sources.list").write_text("deb a\n", encoding="utf-8")
    for name in ("cuda.list", "debian.sources", "notes.txt"):
        (parts / name).write_text("x\n", encoding="utf-8")
    assert sorted(own_sources(tmp_path)) == ["cuda.list", "debian.sources", "sources.list"]


def test_lines_of_dnf() -> None:
    text = "nvidia-open|3|580.126.20-1.el9|cuda|NVIDIA open\nnvlsm|0|2025.06.6-1|cuda|NVLSM\nnonsense\n"
    found = repoquery(text)
    assert found["nvidia-open"][0]["version"] == "3:580.126.20-1.el9"
    assert found["nvlsm"][0]["version"] == "2025.06.6-1" and len(found) == 2


def test_dnf_gets_the_repository_on_its_command_line(tool: t.Callable[[str, str], None]) -> None:
    tool("dnf", """printf '%s|0|1|own|x\\n' "$6 $7" """)
    asked = _candidates.ask_dnf(["nvidia-*"], {"own": "https://example.com/"}, 10)
    said = " ".join(asked)
    assert next(iter(asked.values()))[0]["repository"] == "https://example.com/"
    assert "--repofrompath=own,https://example.com/" in said and "--setopt=own.module_hotfixes=1" in said
    tool("dnf", "echo 'Cannot download repomd.xml' >&2; exit 1")
    with pytest.raises(Unavailable, match=r"Cannot download repomd\.xml"):
        _candidates.ask_dnf(["nvidia-*"], {}, 10)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'https://example.com/x InRelease: NO_PUBKEY 1' >&2; exit 100", r"https://example\.com/x is not trusted"),
        ("echo 'Could not resolve host' >&2; exit 100", "check the address"),
        ("exec sleep 30", "did not answer within"),
    ],
)
def test_lists_that_cannot_be_fetched(tool: t.Callable[[str, str], None], script: str, said: str) -> None:
    tool("apt-get", script)
    with pytest.raises(Unavailable, match=said):
        _candidates.ask_apt(["nvidia-*"], {"x.list": ""}, 1)


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="this machine has no apt")
def test_the_real_apt_is_asked_in_a_scratch_directory() -> None:
    # apt fetches as a user of its own, who must not be kept out by the directory of these tests.
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        ask_the_real_apt(pathlib.Path(scratch))


def ask_the_real_apt(folder: pathlib.Path) -> None:
    paragraphs = []
    for package in nvidia_packages.canonical("580.126.20") + nvidia_packages.canonical("570.211.01"):
        content = nvidia_repository.deb(package)
        paragraphs.append(nvidia_repository.stanza(package, f"{package.name}.deb", content))
    (folder / "Packages").write_text("\n".join(paragraphs), encoding="utf-8")
    source = {"x.list": f"deb [trusted=yes] file:{folder} ./\n"}
    found = _candidates.ask_apt(["nvidia-fabricmanager-*", "nvidia-utils-580*"], source, 60)
    assert sorted(found) == ["nvidia-fabricmanager-570", "nvidia-fabricmanager-580", "nvidia-utils-580-server"]
    assert found["nvidia-fabricmanager-570"][0]["transitional"]
    assert not found["nvidia-fabricmanager-580"][0]["transitional"]
    assert _candidates.ask_apt(["no-such-*"], source, 60) == {}
