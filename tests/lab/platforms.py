# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of lab hosts: name, platform, address. Adding a platform to the lab is one row here."""

from __future__ import annotations

import dataclasses
import os

from tests.lab.shell import LabError

NETWORK = "gpufleet-lab"
SUBNET = "10.77.0.0/24"
GATEWAY = "10.77.0.1"
PLATFORMS = ("bookworm", "trixie")

#: Molecule has a pair of hosts in each lane, so that two scenarios can run at once. A lane's addresses begin after this number.
LANES = {"": 20, "b": 30}


@dataclasses.dataclass(frozen=True)
class Host:
    """A lab host: its container is called ``name``, and itself by its ``hostname``, the same in all lanes."""

    name: str
    platform: str
    address: str
    lane: str = ""

    @property
    def hostname(self) -> str:
        return self.name.removesuffix(f"-{self.lane}") if self.lane else self.name

    @property
    def volume(self) -> str:
        return f"{NETWORK}-{self.name}"


HOSTS = {
    host.name: host
    for host in (
        *(Host(f"lab{number}", "bookworm", f"10.77.0.{10 + number}") for number in range(1, 9)),
        *(
            Host(f"mol-{platform}{lane and '-'}{lane}", platform, f"10.77.0.{base + number}", lane)
            for lane, base in LANES.items()
            for number, platform in enumerate(PLATFORMS, start=1)
        ),
    )
}


def lane() -> str:
    """Return the lane that ``LAB_LANE`` names. Raises LabError when there is none of that name."""
    name = os.environ.get("LAB_LANE", "")
    if name not in LANES:
        raise LabError(f"LAB_LANE={name}: there is no such lane; known: {', '.join(filter(None, LANES))}, or none")
    return name


def hosts(names: list[str]) -> list[Host]:
    """Return the hosts of these names in this lane. Raises LabError that lists all unknown names."""
    unknown = [name for name in names if name not in HOSTS]
    if unknown or not names:
        raise LabError(f"unknown hosts: {', '.join(unknown) or '(none given)'}; known: {', '.join(HOSTS)}")
    return [HOSTS.get(f"{name}-{lane()}", HOSTS[name]) for name in dict.fromkeys(names)]


def image(platform: str) -> str:
    """Return the image of a bare host of this platform."""
    if platform not in PLATFORMS:
        raise LabError(f"unknown host image {platform}; known: {', '.join(PLATFORMS)}")
    return f"gpufleet-lab/host:{platform}"
