# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of a bare host: systemd, sshd and Python, nothing else."""

from __future__ import annotations

from tests.lab import base_image, platforms

PACKAGES = (
    "systemd systemd-sysv dbus openssh-server python3 python3-apt sudo "
    "iproute2 ca-certificates procps kmod iputils-ping"
)

#: Every host makes its own host keys at its first start: the image carries none. As in Debian's own container images, apt
#: fetches no translations and dpkg does not wait for the disk after each file.
FINISH = (
    'echo "Acquire::Languages \\"none\\";" > /etc/apt/apt.conf.d/gpufleet-lab && '
    "echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/gpufleet-lab && "
    "rm -f /etc/ssh/ssh_host_* && mkdir -p -m 0700 /root/.ssh && mkdir -p /etc/systemd/system/ssh.service.d && "
    'printf "%s\\n" "[Service]" ExecStartPre= "ExecStartPre=/usr/bin/ssh-keygen -A" "ExecStartPre=/usr/sbin/sshd -t"'
    " > /etc/systemd/system/ssh.service.d/gpufleet-lab.conf"
)


def build(platform: str) -> None:
    """Build the image of ``platform`` when it is missing or its inputs changed."""
    base_image.ensure(base_image.Recipe(platforms.image(platform), platform, tuple(PACKAGES.split()), FINISH))
