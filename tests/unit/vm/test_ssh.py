# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way into guests."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import threading
import typing as t

import pytest

from tests.lab.shell import LabError
from tests.vm import paths, ssh


@contextlib.contextmanager
def server(greeting: bytes) -> t.Iterator[int]:
    """Accept one connection, greet and hang up, as QEMU does for a guest that is not up yet."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def greet() -> None:
            connection, _ = listening.accept()
            connection.sendall(greeting)
            connection.close()

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


@pytest.mark.parametrize(("greeting", "up"), [(b"SSH-2.0-OpenSSH_9.2\r\n", True), (b"", False)])
def test_an_open_port_is_no_sshd(greeting: bytes, up: bool) -> None:
    with server(greeting) as port:
        assert ssh.answers(port) is up


def test_host_keys_are_checked(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_KEY", "HOST_KEY", "KNOWN_HOSTS"):
        monkeypatch.setattr(paths, name, tmp_path / name)
    ssh.ensure_keys()
    kept = paths.SSH_KEY.read_bytes()
    ssh.ensure_keys()
    assert paths.SSH_KEY.read_bytes() == kept
    assert paths.HOST_KEY.with_suffix(".pub").read_text().split()[1] in paths.KNOWN_HOSTS.read_text()
    said = " ".join(ssh.argv(2201, "true"))
    assert f"UserKnownHostsFile={tmp_path}/KNOWN_HOSTS" in said
    assert "StrictHostKeyChecking" not in said


def test_all_guests_are_in_the_inventory() -> None:
    found: t.Any = ssh.inventory({"n1": 2201, "n2": 2202})["gpu_nodes"]
    assert {name: one["ansible_port"] for name, one in found["hosts"].items()} == {"n1": 2201, "n2": 2202}
    assert "HostKeyAlias=gpufleet-vm" in found["vars"]["ansible_ssh_common_args"]


def test_without_a_key_program_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(paths, "SSH_KEY", tmp_path / "new" / "key")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="ssh-keygen is not installed"):
        ssh.ensure_keys()
