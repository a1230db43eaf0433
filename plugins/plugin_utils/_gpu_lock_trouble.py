# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say why the driver could not be installed or loaded, and whether a reboot may cure it: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

#: (what a tool said, cause, what to do).
SIGNS: tuple[tuple[str, str, str], ...] = (
    (
        r"Key was rejected by service|Required key not available",
        "Secure Boot refuses modules that no enrolled key has signed",
        "Enrol DKMS's key (mokutil --import /var/lib/dkms/mok.pub, then confirm at the console of the next boot), take "
        "Canonical's signed modules, or turn Secure Boot off in the firmware.",
    ),
    (
        r"(?:Module|FATAL: Module) nvidia\S* is in use|Resource temporarily unavailable",
        "processes use the cards",
        "Stop them (a drained node has none), or set nvidia_driver_reboot: allowed.",
    ),
    (
        r"Bad return status for module build|nvidia\S*dkms package post-installation script",
        "the modules of this version do not build for a kernel whose headers are installed",
        "The compiler's words are in /var/lib/dkms/nvidia*/*/build/make.log. Write a newer nvidia_driver_version or another "
        "nvidia_driver_source, or go back to the kernel before; then run this again.",
    ),
    (
        r"Module nvidia\S* not found",
        "no module was built for the running kernel",
        "Look at `dkms status` and /var/lib/dkms/nvidia/*/build/make.log; the headers of the running kernel must be "
        "installed.",
    ),
    (r"No such device", "the module sees no card", "Look at `lspci -d 10de:` and `journalctl -k -g NVRM`."),
    (
        r"Invalid argument|Unknown symbol|disagrees about version of symbol",
        "the module was built for another kernel, or against other symbols",
        "Rebuild it: dkms install --force nvidia/<version> -k <kernel>.",
    ),
    (
        r"[Nn]o package (?:matching|\S*) ?'?(?:linux-headers|kernel-devel)",
        "no source has the headers of the running kernel, against which the modules are built",
        "Boot the newest installed kernel, or add the archive that has the running one's; nothing was changed.",
    ),
    (
        r"[Nn]o space left on device",
        "the disk is full",
        "Make room, then run this again: it completes what was interrupted.",
    ),
    (
        r"(?:unmet dependencies|held broken packages|Unable to correct problems)",
        "the packages do not fit together with what is installed",
        "Remove a driver of another origin first (dpkg -l '*nvidia*'); nothing was changed.",
    ),
)

#: What apt, and dpkg of Debian 12 and of Debian 13, say of who holds their lock.
_HOLDER = re.compile(r"(?:held by process|locked by \S+ process with pid)\s+(\d+)(?:\s+\(([^)]+)\))?")


def explain(said: str, processes: str = "") -> str:
    """Return cause and remedy of a failure, from what a tool said. ``processes``: what ``ps -o pid=,comm=`` printed."""
    holder = _HOLDER.search(said)
    if holder:
        name = holder[2] or dict(re.findall(r"^\s*(\d+)\s+(\S+)", processes, re.MULTILINE)).get(holder[1], "")
        who = f"process {holder[1]}" + (f" ({name})" if name else "")
        return f"{who} holds the lock of the package manager. Wait for it or end it, then run this again."
    for sign, cause, remedy in SIGNS:
        if re.search(sign, said):
            return f"{cause[0].upper()}{cause[1:]}. {remedy}"
    return f"The tool said: {said.strip()[-600:]}"


def reboot(why: str, policy: str, connection: str, boot_id: str, earlier: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return {"allowed", "refusal", "record"} for a reboot with a reason.

    ``earlier`` is the record of the last reboot that this role asked for: {"boot_id", "why"}. When the node has booted
    since and the reason is the same, the reboot was no cure, and another one would be a loop.
    """
    record = {"boot_id": boot_id, "why": why}
    refusal = ""
    if connection in ("local", "docker", "podman"):
        refusal = f"A reboot is needed ({why}), but the connection is {connection}: reboot this machine by hand."
    elif policy != "allowed":
        refusal = (
            f"A reboot is needed: {why}. Set nvidia_driver_reboot: allowed, or reboot the node and run this again."
        )
    elif earlier.get("why") == why and earlier.get("boot_id") not in ("", None, boot_id):
        refusal = (
            f"The node was rebooted for this already, and still {why}. It is not rebooted again: look at `dkms status`, "
            "`journalctl -k -g NVRM` and `lsmod`, then remove /var/lib/gpufleet/nvidia_driver_reboot.json."
        )
    return {"allowed": not refusal, "refusal": refusal, "record": record}
