# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.vm COMMAND``: see README.md beside this file."""

from __future__ import annotations

import signal
import sys
import time
import typing as t

from tests.lab import privilege
from tests.lab.shell import LabError
from tests.vm import boot, image, paths, topology, verbs
from tests.vm.say import say

USAGE = """usage: python -m tests.vm COMMAND
  image     make the disk of the guests
  verbs     two guests, soft-RoCE between them: modules, burn-in, a pulled cable
  topology  PCIe switches, NUMA nodes and ACS registers as the kernel shows them
  boot      a whole guest: GRUB, initramfs, sysctl, modules, over a reboot
  all       verbs, topology, boot"""

PROOFS: dict[str, t.Callable[[], None]] = {"verbs": verbs.prove, "topology": topology.prove, "boot": boot.prove}


def every() -> None:
    """Run all proofs; the first that fails ends it."""
    for proof in PROOFS.values():
        proof()


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status."""
    commands = {**PROOFS, "image": image.build, "all": every}
    if len(arguments) != 1 or arguments[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    begun = time.monotonic()
    try:
        commands[arguments[0]]()
    except LabError as error:
        print(f"vm: error: {error}", file=sys.stderr)
        return 1
    finally:
        privilege.give_back(paths.CACHE)
    say(f"{arguments[0]}: {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    privilege.become_root("tests.vm")
    # Guests must not outlive a run that is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
