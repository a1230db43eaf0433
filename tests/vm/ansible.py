# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks against guests, over real SSH, as a user runs them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time

from tests.lab import paths as lab_paths
from tests.lab.shell import LabError
from tests.vm import paths, ssh
from tests.vm.guest import Guest, tail
from tests.vm.say import say

PLAYBOOKS = pathlib.Path(__file__).parent / "playbooks"
REPORTS = paths.LOGS / "reports"

#: ansible-playbook's exit status when hosts have failed.
FAILED_HOSTS = 2


def inventory(name: str, guests: list[Guest]) -> pathlib.Path:
    """Write the inventory of these guests."""
    path = paths.LOGS / f"{name}.inventory.json"
    path.write_text(json.dumps(ssh.inventory({guest.shape.name: guest.ssh_port for guest in guests}), indent=1))
    return path


def play(
    playbook: pathlib.Path,
    inventory_file: pathlib.Path,
    *more: str,
    timeout_seconds: float = 300,
    fails: bool = False,
    name: str = "",
) -> None:
    """Run a playbook; what it says is kept beside the consoles, as ``name``. Raises LabError with its end when it fails.

    ``fails``: it has to find something, and end with Ansible's status of failed hosts.
    """
    begun = time.monotonic()
    name = name or playbook.stem
    log = paths.LOGS / f"{name}.log"
    argv = [str(paths.BIN / "ansible-playbook"), "-i", str(inventory_file), str(playbook), *more]
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(lab_paths.ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        # What somebody has in reports/ stays there.
        "GPUFLEET_REPORT_DIRECTORY": str(REPORTS),
    }
    with log.open("w", encoding="utf-8") as out:
        try:
            done = subprocess.run(
                argv,
                cwd=lab_paths.ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{name} did not end within {timeout_seconds:g} s:\n{tail(log)}") from None
    if done.returncode != (FAILED_HOSTS if fails else 0):
        raise LabError(f"{name} returned {done.returncode}:\n{tail(log, 40)}")
    say(f"proven: {name}, {time.monotonic() - begun:.0f} s")


def changed() -> int:
    """Return how many tasks the last playbook changed, as its report says."""
    return int(lab_paths.read_json(REPORTS / "last.json")["counts"]["changed"])
