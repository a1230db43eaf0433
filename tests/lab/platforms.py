# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of lab hosts: name, platform, address. Adding a platform to the lab is one row here."""

from __future__ import annotations

import dataclasses

from tests.lab.shell import LabError

NETWORK = "gpufleet-lab"
SUBNET = "10.77.0.0/24"
GATEWAY = "10.77.0.1"
PLATFORMS = ("bookworm", "trixie")


@dataclasses.dataclass(frozen=True)
class Host:
    """A lab host."""

    name: str
    platform: str
    address: str

    @property
    def volume(self) -> str:
        return f"{NETWORK}-{self.name}"


HOSTS = {
    host.name: host
    for host in (
        *(Host(f"lab{number}", "bookworm", f"10.77.0.{10 + number}") for number in range(1, 9)),
        Host("mol-bookworm", "bookworm", "10.77.0.21"),
        Host("mol-trixie", "trixie", "10.77.0.22"),
    )
}


def hosts(names: list[str]) -> list[Host]:
    """Return the hosts of these names. Raises LabError that lists all unknown names."""
    unknown = [name for name in names if name not in HOSTS]
    if unknown or not names:
        raise LabError(f"unknown hosts: {', '.join(unknown) or '(none given)'}; known: {', '.join(HOSTS)}")
    return [HOSTS[name] for name in dict.fromkeys(names)]


def image(platform: str) -> str:
    """Return the image of a bare host of this platform."""
    if platform not in PLATFORMS:
        raise LabError(f"unknown host image {platform}; known: {', '.join(PLATFORMS)}")
    return f"gpufleet-lab/host:{platform}"
