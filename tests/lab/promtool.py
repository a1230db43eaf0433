# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The distribution's programs of Prometheus, unpacked and not installed: an installed one would listen on this machine."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile

from tests.lab import paths, shell

CACHE = paths.ROOT / ".cache" / "prometheus"

#: Program to the package that holds it.
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-exporter-exporter": "prometheus-exporter-exporter",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
}


def program(name: str) -> str:
    """Return the path of a program, installed or unpacked. Raises LabError when apt cannot give it."""
    found = shutil.which(name)
    if found:
        return found
    path = CACHE / PACKAGES[name] / "usr/bin" / name
    if not path.is_file():
        _unpack(PACKAGES[name])
    return str(path)


def _unpack(package: str) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        download = ["apt-get", "download", package]
        if shell.attempt(["env", "--chdir", scratch, *download], timeout_seconds=300) is None:
            # The lists of a fresh machine are empty.
            shell.run(["apt-get", "update"], timeout_seconds=300)
            shell.run(["env", "--chdir", scratch, *download], timeout_seconds=300)
        archive = next(pathlib.Path(scratch).glob("*.deb"))
        shell.run(["dpkg-deb", "--extract", str(archive), f"{scratch}/tree"], timeout_seconds=120)
        target = CACHE / package
        if target.exists():
            shutil.rmtree(target)
        os.replace(f"{scratch}/tree", target)
