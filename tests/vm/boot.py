# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole guest, booted by its own GRUB into systemd: our roles over SSH, a real reboot, and what is left of them."""

from __future__ import annotations

from tests.lab import nvidia_repository
from tests.vm import ansible, image
from tests.vm.guest import Guest, Shape, free_port
from tests.vm.say import must

#: Under emulation: systemd with all its units, twice.
START_SECONDS = 240
PLAYBOOK_SECONDS = 900


def prove() -> None:
    """Bring the guest up, run the playbook, remove it."""
    image.build()
    nvidia_repository.build()
    # Nobody is at the other end of the cable: soft-RoCE has to have an interface.
    cable = f"listen=127.0.0.1:{free_port()}"
    with Guest(Shape("whole", 1, cable, processors=2, megabytes=1024, by_grub=True)) as guest:
        guest.wait_for_ssh(START_SECONDS)
        inventory = ansible.inventory("boot", [guest])
        ansible.play(ansible.PLAYBOOKS / "boot.yml", inventory, timeout_seconds=PLAYBOOK_SECONDS)
        ansible.play(ansible.PLAYBOOKS / "boot_again.yml", inventory, timeout_seconds=PLAYBOOK_SECONDS)
        must(ansible.changed() == 0, "a second run of os_tuning and rdma after the reboot changes nothing")
