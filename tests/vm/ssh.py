# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SSH into guests: one key, one host key known beforehand, so that host key checking stays on."""

from __future__ import annotations

import socket

from tests.lab.shell import run
from tests.vm import paths

#: All guests come from one disk and have one host key; ports differ from run to run.
ALIAS = "gpufleet-vm"


def ensure_keys() -> None:
    """Make the keys, and write the host key down as known."""
    for key in (paths.SSH_KEY, paths.HOST_KEY):
        if not key.exists():
            key.parent.mkdir(parents=True, exist_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", ALIAS, "-f", str(key)])
    kind, key_text = paths.HOST_KEY.with_suffix(".pub").read_text(encoding="ascii").split()[:2]
    paths.KNOWN_HOSTS.write_text(f"{ALIAS} {kind} {key_text}\n", encoding="ascii")


def options() -> list[str]:
    """Return the options of ssh that Ansible needs as well."""
    return ["-o", f"UserKnownHostsFile={paths.KNOWN_HOSTS}", "-o", f"HostKeyAlias={ALIAS}", "-o", "BatchMode=yes"]


def argv(port: int, command: str) -> list[str]:
    """Return the command line that runs ``command`` in the guest behind ``port``."""
    return ["ssh", "-i", str(paths.SSH_KEY), "-p", str(port), *options(), "root@127.0.0.1", command]


def answers(port: int) -> bool:
    """Tell whether an SSH server greets behind ``port``: QEMU itself accepts every connection."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def inventory(ports: dict[str, int]) -> dict[str, object]:
    """Return an inventory of guests by name and port, as Ansible reads it from YAML or JSON."""
    shared = {
        "ansible_user": "root",
        "ansible_host": "127.0.0.1",
        "ansible_ssh_private_key_file": str(paths.SSH_KEY),
        "ansible_ssh_common_args": " ".join(options()),
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    return {"gpu_nodes": {"hosts": {name: {"ansible_port": port} for name, port in ports.items()}, "vars": shared}}
