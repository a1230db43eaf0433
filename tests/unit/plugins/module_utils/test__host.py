# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _host
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({}, ""),
        ({"/.dockerenv": ""}, "docker"),
        ({"/run/.containerenv": ""}, "podman"),
        ({"/run/systemd/container": "lxc\n"}, "lxc"),
    ],
)
def test_container(tmp_path: pathlib.Path, files: dict[str, str], name: str) -> None:
    for path, content in files.items():
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    assert _host.container(Host(root=str(tmp_path))) == name


def test_the_kernel_answers_about_its_clock() -> None:
    assert _host.kernel_clock_synchronised() in (True, False)


def test_paths_are_seen_from_the_root(tmp_path: pathlib.Path) -> None:
    root = tmp_path / "a [strange] name"
    (root / "etc").mkdir(parents=True)
    (root / "etc/b.conf").write_text("1 \n")
    (root / "etc/a.conf").write_text("2")
    host = Host(root=f"{root}/")
    assert host.paths("/etc/*.conf") == ["/etc/a.conf", "/etc/b.conf"]
    assert (host.text("/etc/b.conf"), host.text("/etc/c.conf")) == ("1", None)


def test_memory(tmp_path: pathlib.Path) -> None:
    assert _host.memory_bytes(Host(root=str(tmp_path))) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal:       2097152 kB\nMemFree: 1 kB\n")
    assert _host.memory_bytes(Host(root=str(tmp_path))) == 2**31
