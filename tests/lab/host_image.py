# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of a bare host: systemd, sshd and Python from the distribution's own packages, nothing else."""

from __future__ import annotations

import hashlib
import pathlib
import subprocess
import tempfile

from tests.lab import apt_sources, engine_daemon, platforms
from tests.lab.shell import LabError, attempt, install, run, say

PACKAGES = (
    "systemd systemd-sysv dbus openssh-server python3 python3-apt sudo iproute2 ca-certificates procps kmod iputils-ping"
).split()

#: Every host makes its own host keys at its first start: the image carries none.
SSH_DROP_IN = (
    "[Service]\nExecStartPre=\nExecStartPre=/usr/bin/ssh-keygen -A\nExecStartPre=/usr/sbin/sshd -t\n"
)
PREPARE = """
rm -f "$1"/etc/ssh/ssh_host_*
mkdir -p "$1/etc/systemd/system/ssh.service.d" "$1/root/.ssh"
cp "{files}/ssh.conf" "$1/etc/systemd/system/ssh.service.d/gpufleet-lab.conf"
cp "{files}/sources.list" "$1/etc/apt/sources.list"
cp "{files}/apt.conf" "$1/etc/apt/apt.conf.d/90-machine"
chmod 0700 "$1/root/.ssh"
"""


def build(platform: str) -> None:
    """Build the image of ``platform`` when it is missing or its inputs changed."""
    engine_daemon.require()
    tag = platforms.image(platform)
    sources = _sources(platform)
    options = apt_sources.shared_options(run(["apt-config", "dump"]))
    inputs = digest(sources, options)
    label = attempt(["docker", "image", "inspect", tag, "--format", '{{index .Config.Labels "gpufleet.inputs"}}'])
    if label == inputs:
        return
    say(f"building {tag}")
    if sources:
        _bootstrap(platform, tag, sources, options, inputs)
    else:
        _derive(platform, tag, inputs)


def digest(sources: list[str], options: list[str]) -> str:
    """Return the hash of everything that the image is made from."""
    text = "\n".join([*PACKAGES, *sources, *options, SSH_DROP_IN, PREPARE])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sources(platform: str) -> list[str]:
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    found = apt_sources.debian_archive(apt_sources.machine_sources(), apt_sources.codename(release), platform)
    return [one.line() for one in found]


def _bootstrap(platform: str, tag: str, sources: list[str], options: list[str], inputs: str) -> None:
    """Make the root file system with mmdebstrap and import it."""
    install("mmdebstrap", ["mmdebstrap"])
    with tempfile.TemporaryDirectory(prefix="gpufleet-lab-") as scratch:
        folder = pathlib.Path(scratch)
        (folder / "sources.list").write_text("\n".join(sources) + "\n", encoding="utf-8")
        (folder / "apt.conf").write_text("\n".join(options) + "\n", encoding="utf-8")
        (folder / "ssh.conf").write_text(SSH_DROP_IN, encoding="utf-8")
        hook = folder / "prepare"
        hook.write_text("#!/bin/sh -e\n" + PREPARE.format(files=folder), encoding="utf-8")
        hook.chmod(0o755)
        tar = folder / "host.tar"
        apt_options = [f"--aptopt={line}" for line in options]
        include = f"--include={','.join(PACKAGES)}"
        run(["mmdebstrap", "--variant=minbase", include, *apt_options, f"--customize-hook={hook}",
             platform, str(tar), str(folder / "sources.list")])  # fmt: skip
        run(["docker", "import", "--change", f"LABEL gpufleet.inputs={inputs}", str(tar), tag])


def _derive(platform: str, tag: str, inputs: str) -> None:
    """Derive the image from a pulled base: for machines whose own archive is not Debian's (Ubuntu)."""
    dockerfile = f"""
        FROM debian:{platform}
        RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            {' '.join(PACKAGES)} && rm -f /etc/ssh/ssh_host_* && mkdir -p -m 0700 /root/.ssh \
            && mkdir -p /etc/systemd/system/ssh.service.d && printf '{SSH_DROP_IN.encode("unicode_escape").decode()}' \
            > /etc/systemd/system/ssh.service.d/gpufleet-lab.conf
        LABEL gpufleet.inputs={inputs}
    """
    done = subprocess.run(
        ["docker", "build", "-t", tag, "-"], input=dockerfile, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise LabError(
            f"this machine's apt sources hold no Debian archive, and {tag} could not be derived from a pulled base:\n"
            f"{done.stderr[-1500:]}\nGive the machine a Debian archive in /etc/apt, or a registry that has debian."
        )
