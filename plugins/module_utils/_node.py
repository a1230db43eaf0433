# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a node quickly: files under /etc, /proc and /sys, the package database, and two bounded commands.

Every function takes the root of the file tree, so that tests can read a fake one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import socket
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._command import bounded

#: PCI vendor of NVIDIA and the class prefix of display controllers (VGA 0x0300, 3D 0x0302), PCI code and ID assignment.
NVIDIA_VENDOR = "0x10de"
DISPLAY_CLASS = "0x03"

#: Class of NVSwitches, "other bridge".
BRIDGE_CLASS = "0x0680"

#: Distributions that count as members of the RedHat family.
REDHAT_FAMILY = ("rhel", "fedora", "centos", "rocky", "almalinux", "ol")


def text(root: str, path: str) -> str | None:
    """Return the stripped text of a small file, or None when it cannot be read."""
    try:
        return (pathlib.Path(root) / path.lstrip("/")).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def distribution(root: str = "/") -> dict[str, str]:
    """Return name, version, major version, codename, family and package manager from os-release."""
    fields: dict[str, str] = {}
    for line in (text(root, "/etc/os-release") or "").splitlines():
        key, _sep, value = line.partition("=")
        fields[key] = value.strip().strip("\"'")
    kind = [fields.get("ID", "unknown"), *fields.get("ID_LIKE", "").split()]
    redhat = any(name in REDHAT_FAMILY for name in kind)
    version = text(root, "/etc/debian_version") if fields.get("ID") == "debian" else None
    version = version if version and version[:1].isdigit() else fields.get("VERSION_ID", "")
    names = {"debian": "Debian", "ubuntu": "Ubuntu", "rhel": "RedHat", "rocky": "Rocky", "almalinux": "AlmaLinux"}
    return {
        "distribution": names.get(kind[0], kind[0].capitalize()),
        "distribution_version": version,
        "distribution_major": version.split(".")[0],
        "codename": fields.get("VERSION_CODENAME", ""),
        "os_family": "RedHat" if redhat else "Debian" if {"debian", "ubuntu"} & set(kind) else "unknown",
        "package_manager": "dnf" if redhat else "apt" if {"debian", "ubuntu"} & set(kind) else "unknown",
    }


def dpkg_packages(status: str) -> tuple[dict[str, str], list[str]]:
    """Return ({installed package: version}, [held packages]) from the text of dpkg's status file."""
    versions: dict[str, str] = {}
    held: list[str] = []
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Status|Version): (.*)$", paragraph, re.MULTILINE))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        versions[fields["Package"]] = fields.get("Version", "")
        if fields["Status"].startswith("hold "):
            held.append(fields["Package"])
    return versions, sorted(held)


def packages(manager: str, root: str = "/") -> tuple[dict[str, str], list[str]]:
    """Return ({package: version}, [held packages]); empty when the package database cannot be read."""
    if manager == "apt":
        return dpkg_packages(text(root, "/var/lib/dpkg/status") or "")
    listed = bounded(["rpm", "-qa", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\n"], timeout_seconds=30)
    versions = dict(line.split(" ", 1) for line in listed.stdout.splitlines() if " " in line)
    locks = text(root, "/etc/dnf/plugins/versionlock.list") or ""
    # NAME-EPOCH:VERSION: the digit tells kernel-0:5.14 from kernel-core-0:5.14.
    held = [name for name in versions if re.search(rf"^(\d+:)?{re.escape(name)}-\d", locks, re.MULTILINE)]
    return versions, sorted(held)


def units(patterns: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return {unit: {load, active, sub, enabled}} of the systemd units that match; empty without systemd."""
    shown = bounded(["systemctl", "show", "--property=Id,LoadState,ActiveState,SubState,UnitFileState", *patterns])
    found: dict[str, dict[str, str]] = {}
    for paragraph in shown.stdout.split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in paragraph.splitlines())
        if fields.get("Id") and fields.get("LoadState") != "not-found":
            found[fields["Id"]] = {
                "load": fields.get("LoadState", ""),
                "active": fields.get("ActiveState", ""),
                "sub": fields.get("SubState", ""),
                "enabled": fields.get("UnitFileState", ""),
            }
    return found


def interfaces(root: str = "/") -> dict[str, dict[str, t.Any]]:
    """Return {interface: {addresses, state, mtu, speed_mbps}}; addresses come from iproute2."""
    found: dict[str, dict[str, t.Any]] = {}
    base = pathlib.Path(root) / "sys/class/net"
    # A loaded bonding module keeps a plain file, bonding_masters, among the interfaces.
    for name in sorted(one.name for one in base.iterdir() if one.is_dir()) if base.is_dir() else []:
        speed = text(root, f"/sys/class/net/{name}/speed") or ""
        found[name] = {
            "addresses": [],
            "state": text(root, f"/sys/class/net/{name}/operstate") or "unknown",
            "mtu": int(text(root, f"/sys/class/net/{name}/mtu") or 0),
            "speed_mbps": int(speed) if speed.isdigit() else None,
        }
    for line in bounded(["ip", "-oneline", "address", "show"]).stdout.splitlines():
        match = re.match(r"\d+:\s+([^\s@]+)\S*\s+inet6?\s+([^\s/]+)", line)
        if match and match[1] in found:
            found[match[1]]["addresses"].append(match[2])
    return found


def default_interface(root: str = "/") -> str | None:
    """Return the interface of the IPv4 default route with the lowest metric, or None."""
    routes = [line.split() for line in (text(root, "/proc/net/route") or "").splitlines()[1:]]
    defaults = [(int(route[6]), route[0]) for route in routes if len(route) > 7 and route[1] == route[7] == "00000000"]
    return min(defaults)[1] if defaults else None


def listening(root: str = "/") -> list[dict[str, t.Any]]:
    """Return [{address, port}] of the listening TCP sockets, IPv4 and IPv6, from /proc/net."""
    found: set[tuple[str, int]] = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in (text(root, f"/proc/net/{table}") or "").splitlines()[1:]:
            fields = line.split()
            if len(fields) < 4 or fields[3] != "0A":  # TCP_LISTEN, include/net/tcp_states.h
                continue
            address, port = fields[1].split(":")
            raw = bytes.fromhex(address)
            words = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
            found.add((socket.inet_ntop(family, words), int(port, 16)))
    return [{"address": address, "port": port} for address, port in sorted(found, key=lambda one: (one[1], one[0]))]


def gpus(root: str = "/") -> list[dict[str, str]]:
    """Return [{pci, device}] of the NVIDIA display functions on the PCI bus; needs no driver."""
    base = pathlib.Path(root) / "sys/bus/pci/devices"
    found: list[dict[str, str]] = []
    for name in sorted(os.listdir(base)) if base.is_dir() else []:
        if text(str(base), f"{name}/vendor") != NVIDIA_VENDOR:
            continue
        if (text(str(base), f"{name}/class") or "").startswith(DISPLAY_CLASS):
            found.append({"pci": name, "device": (text(str(base), f"{name}/device") or "")[2:]})
    return found


def nvidia(root: str = "/") -> dict[str, t.Any]:
    """Return what of NVIDIA's driver is loaded, and the NVSwitches on the PCI bus::

    {"version": "580.126.20" | "", "flavour": "open" | "proprietary" | "", "nouveau": False, "switches": [pci address]}
    """
    said = (text(root, "/proc/driver/nvidia/version") or "").partition("\n")[0]
    version = re.search(r"\s(\d{3,}\.[\d.]+)\s", said)
    flavour = "open" if "Open Kernel Module" in said else "proprietary"
    base = pathlib.Path(root) / "sys/bus/pci/devices"
    return {
        "version": version[1] if version else "",
        "flavour": flavour if version else "",
        "nouveau": (pathlib.Path(root) / "sys/module/nouveau").is_dir(),
        "switches": [
            name
            for name in (sorted(os.listdir(base)) if base.is_dir() else [])
            if text(str(base), f"{name}/vendor") == NVIDIA_VENDOR
            and (text(str(base), f"{name}/class") or "").startswith(BRIDGE_CLASS)
        ],
    }


def python_environments(paths: t.Iterable[str], root: str = "/") -> dict[str, dict[str, str]]:
    """Return {path: {package: version}} of virtual environments; empty where the interpreter is gone or was replaced."""
    found: dict[str, dict[str, str]] = {}
    for path in paths:
        base = pathlib.Path(root) / path.lstrip("/")
        # An upgrade of the distribution's Python leaves the packages in the folder of the old version.
        interpreter = pathlib.Path(os.path.realpath(base / "bin/python3"))
        site = base / "lib" / interpreter.name / "site-packages"
        names = [one.name for one in site.glob("*.dist-info")] if interpreter.is_file() else []
        pairs = (name[: -len(".dist-info")].rpartition("-")[::2] for name in names)
        found[path] = {name.replace("_", "-").lower(): version for name, version in pairs}
    return found


def virtualization() -> str:
    """Return systemd's word for the virtualization of the node: none, docker, kvm …"""
    return bounded(["systemd-detect-virt"]).stdout.strip() or "unknown"


def disk_free_bytes(paths: t.Iterable[str]) -> dict[str, int]:
    """Return {path: bytes free to root on the nearest existing parent}."""
    free: dict[str, int] = {}
    for path in paths:
        nearest = pathlib.Path(path)
        while not nearest.exists():
            nearest = nearest.parent
        free[path] = shutil.disk_usage(nearest).free
    return free
