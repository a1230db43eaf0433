#!/usr/bin/python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set at every boot what the kernel forgets: ACS of bridges, read requests of HCAs, priorities of RoCE.

Usage: rdma_settings.py FILE, JSON with ``acs_disabled``, ``max_read_request_bytes``, ``roce`` {trust, pfc_priorities} and
``hcas``, each only where it is wanted. Says what it changed, reads it back, and ends with 1 when something did not take.
Standard library only; runs on Python 3.9.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
import typing as t

FUNCTION = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
DEVICES, INFINIBAND = "/sys/bus/pci/devices", "/sys/class/infiniband"
NVIDIA, DISPLAY = "0x10de", "0x03"

#: PCI Express Base Specification: where the capability lists begin, and the ids of PCI Express and of ACS in them.
FIRST_CAPABILITY, PCI_EXPRESS, DEVICE_CONTROL = 0x34, 0x10, 8
FIRST_EXTENDED, ACS, ACS_CONTROL = 0x100, 0x000D, 6
READ_REQUEST_SHIFT, READ_REQUEST_MASK = 12, 0x7000

#: Six bits of a packet's class of service, three of them its priority.
DSCP_VALUES = 64
COMMAND_SECONDS = 20

#: A card's firmware may still be starting when this does, and OFED's service loads the drivers late.
APPEAR_SECONDS = 45.0


class Refused(Exception):
    """Something did not take; ``args[0]`` says what and what to do."""


def text(path: str) -> str:
    """Return the stripped text of a file; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def names(path: str) -> list[str]:
    """Return the sorted entries of a directory; none when there is no such directory."""
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def path_of(root: str, link: str) -> list[str]:
    """Return the PCI functions on the way to what a link below /sys points to, the last one itself."""
    target = os.path.realpath(root + link)
    return [part for part in target.split("/") if FUNCTION.fullmatch(part)]


def hcas(root: str) -> list[str]:
    """Return the PCI addresses of all RDMA devices."""
    paths = [path_of(root, f"{INFINIBAND}/{name}/device") for name in names(root + INFINIBAND)]
    return [path[-1] for path in paths if path]


def bridges(root: str) -> list[str]:
    """Return the PCI bridges above GPUs and RDMA devices."""
    found: set[str] = set()
    for address in names(root + DEVICES):
        function = f"{root}{DEVICES}/{address}"
        gpu = text(f"{function}/vendor") == NVIDIA and text(f"{function}/class").startswith(DISPLAY)
        if gpu or address in hcas(root):
            found.update(path_of(root, f"{DEVICES}/{address}")[:-1])
    return sorted(found)


def configuration(root: str, address: str) -> bytes:
    """Return the configuration space of a PCI function, 4096 bytes where it has extended capabilities."""
    try:
        with open(f"{root}{DEVICES}/{address}/config", "rb") as stream:
            return stream.read()
    except OSError as error:
        raise Refused(f"{address}: its configuration cannot be read: {error}") from error


def capability(space: bytes, wanted: int) -> int:
    """Return the offset of a capability; 0 without it. Bounded, as a sick device answers with 0xff everywhere."""
    at = space[FIRST_CAPABILITY] & 0xFC if len(space) > FIRST_CAPABILITY else 0
    for _step in range(48):
        if not at or at + 2 > len(space) or space[at] == 0xFF:
            return 0
        if space[at] == wanted:
            return at
        at = space[at + 1] & 0xFC
    return 0


def extended_capability(space: bytes, wanted: int) -> int:
    """Return the offset of an extended capability; 0 without it."""
    at = FIRST_EXTENDED
    for _step in range(960):
        if at < FIRST_EXTENDED or at + 4 > len(space):
            return 0
        (header,) = struct.unpack_from("<I", space, at)
        if header in (0, 0xFFFFFFFF):
            return 0
        if header & 0xFFFF == wanted:
            return at
        at = header >> 20
    return 0


def write_word(root: str, address: str, offset: int, value: int) -> None:
    """Write 16 bits into the configuration space and read them back."""
    try:
        with open(f"{root}{DEVICES}/{address}/config", "r+b", buffering=0) as stream:
            stream.seek(offset)
            stream.write(struct.pack("<H", value))
    except OSError as error:
        raise Refused(
            f"{address}: the kernel refuses to write its configuration ({error}); with Secure Boot the kernel is locked "
            "down: set this in the firmware (BIOS) instead, or turn Secure Boot off"
        ) from error
    (seen,) = struct.unpack_from("<H", configuration(root, address), offset)
    if seen != value:
        raise Refused(
            f"{address}: 0x{value:04x} was written at 0x{offset:x}, and it reads 0x{seen:04x}: set it in the firmware"
        )


def disable_acs(root: str) -> list[str]:
    """Let transfers between GPU and HCA take the short way through the PCIe switch, not through the CPU."""
    done = []
    for address in bridges(root):
        space = configuration(root, address)
        at = extended_capability(space, ACS)
        if not at:
            continue
        (seen,) = struct.unpack_from("<H", space, at + ACS_CONTROL)
        if seen:
            write_word(root, address, at + ACS_CONTROL, 0)
            done.append(f"{address}: ACS 0x{seen:04x} -> 0x0000")
    return done


def set_read_requests(root: str, size: int) -> list[str]:
    """Let HCAs ask for more per read."""
    done = []
    for address in hcas(root):
        space = configuration(root, address)
        at = capability(space, PCI_EXPRESS)
        if not at:
            raise Refused(f"{address}: no PCI Express capability can be read; run this as root")
        (seen,) = struct.unpack_from("<H", space, at + DEVICE_CONTROL)
        code = (size // 128).bit_length() - 1
        value = (seen & ~READ_REQUEST_MASK) | (code << READ_REQUEST_SHIFT)
        if value != seen:
            write_word(root, address, at + DEVICE_CONTROL, value)
            was = 128 << ((seen & READ_REQUEST_MASK) >> READ_REQUEST_SHIFT)
            done.append(f"{address}: read requests {was} -> {size} bytes")
    return done


def roce_commands(interface: str, trust: str, priorities: t.Sequence[int], tool: str) -> list[list[str]]:
    """Return the commands that give an interface its trust and its lossless priorities, by ``mlnx_qos`` or ``dcb``."""
    commands: list[list[str]] = []
    if tool == "mlnx_qos":
        if trust != "keep":
            commands.append([tool, "-i", interface, f"--trust={trust}"])
        if priorities:
            lossless = ",".join("1" if one in priorities else "0" for one in range(8))
            commands.append([tool, "-i", interface, f"--pfc={lossless}"])
        return commands
    if trust == "dscp":
        # The kernel's interface has no word for trust: mlx5 trusts DSCP as soon as it has a table of it.
        table = [f"{dscp}:{dscp >> 3}" for dscp in range(DSCP_VALUES)]
        commands.append([tool, "app", "replace", "dev", interface, "dscp-prio", *table])
    if trust == "pcp":
        commands.append([tool, "app", "flush", "dev", interface, "dscp-prio"])
    if priorities:
        switched = [f"{one}:{'on' if one in priorities else 'off'}" for one in range(8)]
        commands.append([tool, "pfc", "set", "dev", interface, "prio-pfc", *switched])
    return commands


def set_roce(root: str, chosen: t.Sequence[str], wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Give the interfaces of the chosen HCAs what the fabric's switches expect."""
    tool = next((one for one in ("mlnx_qos", "dcb") if shutil.which(one)), "")
    if not tool:
        raise Refused(
            "neither mlnx_qos nor dcb is installed; dcb is part of iproute2 from 5.11 on, mlnx_qos of DOCA-OFED"
        )
    done = []
    for name in chosen:
        for interface in names(f"{root}{INFINIBAND}/{name}/device/net"):
            for command in roce_commands(interface, wishes["trust"], wishes["pfc_priorities"], tool):
                ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
                if ended.returncode:
                    raise Refused(f"{' '.join(command)}: {ended.stderr.strip() or ended.returncode}")
                done.append(f"{interface}: {' '.join(command[1:])}"[:100])
    return done


def lacking(root: str, wanted: t.Sequence[str], seconds: float) -> list[str]:
    """Wait for the chosen HCAs; return those that did not come."""
    until = time.monotonic() + seconds
    while True:
        missing = [name for name in wanted if not os.path.isdir(f"{root}{INFINIBAND}/{name}")]
        if not missing or time.monotonic() > until:
            return missing
        time.sleep(0.5)


def apply(
    root: str, wishes: t.Mapping[str, t.Any], appear_seconds: float = APPEAR_SECONDS
) -> tuple[list[str], list[str]]:
    """Set everything that is wanted; return (what was done, what was refused)."""
    absent = lacking(root, wishes.get("hcas", []), appear_seconds)
    steps: list[t.Callable[[], list[str]]] = []
    if wishes.get("acs_disabled"):
        steps.append(lambda: disable_acs(root))
    if wishes.get("max_read_request_bytes"):
        steps.append(lambda: set_read_requests(root, wishes["max_read_request_bytes"]))
    if wishes.get("roce"):
        steps.append(lambda: set_roce(root, wishes["hcas"], wishes["roce"]))
    done: list[str] = []
    refused = [f"{name}: there is no such RDMA device, so nothing was set for it" for name in absent]
    for step in steps:
        try:
            done += step()
        except (Refused, subprocess.TimeoutExpired) as error:
            refused.append(str(error))
    return done, refused


def main(arguments: t.Sequence[str]) -> int:
    with open(arguments[0], encoding="utf-8") as stream:
        wishes = json.load(stream)
    done, refused = apply("", wishes)
    print("\n".join(done) or "everything is set already")
    for one in refused:
        print(one, file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
