# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is read from files and two bounded commands; what is absent is empty, never a guess."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _node


def tree(root: pathlib.Path, files: dict[str, str]) -> str:
    """Write files under ``root`` and return it."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return str(root)


@pytest.fixture
def tool(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str, str], None]:
    """Return ``tool(name, script)``: put a shell script on PATH, in front of all others."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return put


def test_a_text_is_stripped_or_none(tmp_path: pathlib.Path) -> None:
    root = tree(tmp_path, {"etc/x": "  words\n\n"})
    assert _node.text(root, "/etc/x") == "words"
    assert _node.text(root, "/etc/none") is None
    assert _node.text(root, "/etc") is None


DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\n'
ROCKY = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
ALMA = "ID='almalinux'\nID_LIKE='rhel centos fedora'\nVERSION_ID='9.5'\n"
REDHAT = 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.3"\n'
MINT = "ID=linuxmint\nID_LIKE='ubuntu debian'\nVERSION_ID=22\nVERSION_CODENAME=wilma\n"
ALPINE = "ID=alpine\nVERSION_ID=3.20.1\n"


@pytest.mark.parametrize(
    ("release", "debian_version", "expected"),
    [
        (DEBIAN, "12.9\n", ("Debian", "12.9", "12", "bookworm", "Debian", "apt")),
        (DEBIAN, "bookworm/sid\n", ("Debian", "12", "12", "bookworm", "Debian", "apt")),
        (DEBIAN, None, ("Debian", "12", "12", "bookworm", "Debian", "apt")),
        (UBUNTU, "bookworm/sid\n", ("Ubuntu", "22.04", "22", "jammy", "Debian", "apt")),
        (UBUNTU, "12.1\n", ("Ubuntu", "22.04", "22", "jammy", "Debian", "apt")),
        (ROCKY, None, ("Rocky", "9.4", "9", "", "RedHat", "dnf")),
        (ALMA, None, ("AlmaLinux", "9.5", "9", "", "RedHat", "dnf")),
        (REDHAT, None, ("RedHat", "9.3", "9", "", "RedHat", "dnf")),
        (MINT, None, ("Linuxmint", "22", "22", "wilma", "Debian", "apt")),
        (ALPINE, None, ("Alpine", "3.20.1", "3", "", "unknown", "unknown")),
        (None, None, ("Unknown", "", "", "", "unknown", "unknown")),
    ],
)
def test_the_distribution(
    tmp_path: pathlib.Path, release: str | None, debian_version: str | None, expected: tuple[str, ...]
) -> None:
    files = {"etc/os-release": release, "etc/debian_version": debian_version}
    root = tree(tmp_path, {path: text for path, text in files.items() if text})
    keys = ("distribution", "distribution_version", "distribution_major", "codename", "os_family", "package_manager")
    assert _node.distribution(root) == dict(zip(keys, expected, strict=True))


STATUS = """\
Package: bash
Status: install ok installed
Version: 5.2-1
Description: a shell
 Package: not-this-one

Package: linux-image-amd64
Status: hold ok installed
Version: 6.1.99

Package: removed
Status: deinstall ok config-files
Version: 1

Package: broken
Status: install reinstreq half-installed
Version: 2
"""


def test_packages_of_dpkg(tmp_path: pathlib.Path) -> None:
    root = tree(tmp_path, {"var/lib/dpkg/status": STATUS})
    expected = {"bash": "5.2-1", "linux-image-amd64": "6.1.99"}, ["linux-image-amd64"]
    assert _node.packages("apt", root) == expected
    assert _node.packages("apt", str(tmp_path / "none")) == ({}, [])


def test_packages_of_rpm(tmp_path: pathlib.Path, tool: t.Callable[[str, str], None]) -> None:
    tool("rpm", "printf 'kernel 5.14.0-427.el9\\nkernel-core 5.14.0-427.el9\\ndocker-ce 29.1-1.el9\\nnoise\\n'")
    locks = "# Added lock\nkernel-core-0:5.14.0-427.el9.*\n3:docker-ce-29.1-1.el9.*\n!kernel-0:5.15\n"
    root = tree(tmp_path, {"etc/dnf/plugins/versionlock.list": locks})
    versions = {"kernel": "5.14.0-427.el9", "kernel-core": "5.14.0-427.el9", "docker-ce": "29.1-1.el9"}
    assert _node.packages("dnf", root) == (versions, ["docker-ce", "kernel-core"])


def test_no_package_database_is_no_package(tool: t.Callable[[str, str], None], tmp_path: pathlib.Path) -> None:
    tool("rpm", "exit 1")
    assert _node.packages("dnf", str(tmp_path)) == ({}, [])


def test_units_of_systemd(tool: t.Callable[[str, str], None], tmp_path: pathlib.Path) -> None:
    tool(
        "systemctl",
        f"""echo "$@" > {tmp_path}/asked
cat <<'END'
Id=docker.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled

Id=nginx.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=

Id=gpufleet-ray.service
LoadState=masked
ActiveState=failed
END""",
    )
    assert _node.units(["docker.service", "gpufleet-*"]) == {
        "docker.service": {"load": "loaded", "active": "active", "sub": "running", "enabled": "enabled"},
        "gpufleet-ray.service": {"load": "masked", "active": "failed", "sub": "", "enabled": ""},
    }
    assert (tmp_path / "asked").read_text().split()[-2:] == ["docker.service", "gpufleet-*"]


def test_without_systemd_there_are_no_units(tool: t.Callable[[str, str], None]) -> None:
    tool("systemctl", "echo System has not been booted with systemd >&2; exit 1")
    assert _node.units(["docker.service"]) == {}


def test_interfaces(tool: t.Callable[[str, str], None], tmp_path: pathlib.Path) -> None:
    tool(
        "ip",
        """cat <<'END'
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever
2: eth0    inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever
3: bond0.100@bond0    inet 10.1.0.1/16 scope global bond0.100
9: tun9    inet 10.9.0.1/32 scope global tun9
noise
END""",
    )
    root = tree(
        tmp_path,
        {
            "sys/class/net/lo/mtu": "65536\n",
            "sys/class/net/lo/operstate": "unknown\n",
            "sys/class/net/eth0/mtu": "9000\n",
            "sys/class/net/eth0/operstate": "up\n",
            "sys/class/net/eth0/speed": "400000\n",
            "sys/class/net/bond0.100/speed": "-1\n",
            "sys/class/net/bonding_masters": "bond0\n",
        },
    )
    assert _node.interfaces(root) == {
        "bond0.100": {"addresses": ["10.1.0.1"], "state": "unknown", "mtu": 0, "speed_mbps": None},
        "eth0": {"addresses": ["10.0.0.1", "fe80::1"], "state": "up", "mtu": 9000, "speed_mbps": 400000},
        "lo": {"addresses": ["127.0.0.1"], "state": "unknown", "mtu": 65536, "speed_mbps": None},
    }
    assert _node.interfaces(str(tmp_path / "none")) == {}


ROUTES = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        (ROUTES + "eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0\n", "eth0"),
        (
            ROUTES
            + "bond0 00000000 0100000A 0003 0 0 600 00000000 0 0 0\n"
            + "eth9 00000000 0100000A 0003 0 0 100 00000000\n",
            "eth9",
        ),
        (ROUTES + "eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n", None),
        (ROUTES + "tun0 00000000 00000000 0001 0 0 0 00000080 0 0 0\n", None),
        (ROUTES + "cut 00000000\n", None),
        (ROUTES, None),
        (None, None),
    ],
    ids=["one", "lowest metric", "no default", "half of all addresses", "cut line", "no route", "no file"],
)
def test_the_interface_of_the_default_route(tmp_path: pathlib.Path, routes: str | None, expected: str | None) -> None:
    assert _node.default_interface(tree(tmp_path, {"proc/net/route": routes} if routes else {})) == expected


SOCKETS = "  sl  local_address rem_address   st\n"


def test_listening_ports(tmp_path: pathlib.Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/net/tcp": SOCKETS
            + "   0: 0B00000A:18EB 00000000:0000 0A 0:0\n"
            + "   1: 0100007F:2049 00000000:0000 0A 0:0\n"
            + "   2: 00000000:0016 00000000:0000 0A 0:0\n"
            + "   3: 0B00000A:0050 0C00000A:D431 01 0:0\n"
            + "   4: cut\n",
            "proc/net/tcp6": SOCKETS
            + "   0: 00000000000000000000000001000000:0016 0:0000 0A 0:0\n"
            + "   1: B80D0120000000000000000001000000:01BB 0:0000 0A 0:0\n",
        },
    )
    assert _node.listening(root) == [
        {"address": "0.0.0.0", "port": 22},
        {"address": "::1", "port": 22},
        {"address": "2001:db8::1", "port": 443},
        {"address": "10.0.0.11", "port": 6379},
        {"address": "127.0.0.1", "port": 8265},
    ]
    assert _node.listening(str(tmp_path / "none")) == []


def test_gpus_are_nvidia_display_functions(tmp_path: pathlib.Path) -> None:
    devices = {
        "0000:1b:00.0": ("0x10de", "0x030200", "0x2329"),
        "0000:1a:00.0": ("0x10de", "0x030000", "0x2330"),
        "0000:1c:00.0": ("0x10de", "0x068000", "0x22a3"),
        "0000:02:00.0": ("0x1002", "0x030000", "0x1636"),
    }
    files = {
        f"sys/bus/pci/devices/{name}/{kind}": f"{value}\n"
        for name, values in devices.items()
        for kind, value in zip(("vendor", "class", "device"), values, strict=True)
    }
    assert _node.gpus(tree(tmp_path, files)) == [
        {"pci": "0000:1a:00.0", "device": "2330"},
        {"pci": "0000:1b:00.0", "device": "2329"},
    ]
    assert _node.gpus(str(tmp_path / "none")) == []


OPEN_DRIVER = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (dvs-builder)"
OWN_DRIVER = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024"


@pytest.mark.parametrize(
    ("said", "version", "flavour"),
    [(OPEN_DRIVER, "580.159.04", "open"), (OWN_DRIVER, "550.54.14", "proprietary"), ("", "", "")],
)
def test_the_loaded_driver(tmp_path: pathlib.Path, said: str, version: str, flavour: str) -> None:
    files = {"proc/driver/nvidia/version": f"{said}\nGCC version: gcc 12\n"} if said else {}
    found = _node.nvidia(tree(tmp_path, files))
    assert (found["version"], found["flavour"], found["nouveau"], found["switches"]) == (version, flavour, False, [])


def test_nouveau_and_nvswitches(tmp_path: pathlib.Path) -> None:
    switch, card = "sys/bus/pci/devices/0000:05:00.0", "sys/bus/pci/devices/0000:06:00.0"
    files = {
        "sys/module/nouveau/refcnt": "1\n",
        f"{switch}/vendor": "0x10de\n",
        f"{switch}/class": "0x068000\n",
        f"{card}/vendor": "0x10de\n",
        f"{card}/class": "0x030200\n",
    }
    found = _node.nvidia(tree(tmp_path, files))
    assert (found["nouveau"], found["switches"]) == (True, ["0000:05:00.0"])


@pytest.mark.parametrize(("script", "expected"), [("echo kvm", "kvm"), ("echo none; exit 1", "none"), ("", "unknown")])
def test_virtualization(tool: t.Callable[[str, str], None], script: str, expected: str) -> None:
    tool("systemd-detect-virt", script)
    assert _node.virtualization() == expected


def test_free_bytes_are_those_of_the_nearest_parent(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[pathlib.Path] = []

    def usage(path: pathlib.Path) -> t.Any:
        asked.append(path)
        return shutil._ntuple_diskusage(10, 3, 7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    wanted = [str(tmp_path), str(tmp_path / "not/yet")]
    assert _node.disk_free_bytes(wanted) == dict.fromkeys(wanted, 7)
    assert asked == [tmp_path, tmp_path]


@pytest.mark.parametrize(
    ("interpreter", "folder", "expected"),
    [
        ("python3.11", "python3.11", {"nvidia-ml-py": "13.615.71", "pip": "23.0.1"}),
        # The distribution's Python was upgraded under the environment.
        ("python3.12", "python3.11", {}),
        # It was removed.
        ("", "python3.11", {}),
    ],
)
def test_python_environments(interpreter: str, folder: str, expected: dict[str, str], tmp_path: pathlib.Path) -> None:
    site = tmp_path / "venv/lib" / folder / "site-packages"
    for name in ("nvidia_ml_py-13.615.71.dist-info", "pip-23.0.1.dist-info", "pip"):
        (site / name).mkdir(parents=True)
    (tmp_path / "venv/bin").mkdir()
    if interpreter:
        (tmp_path / interpreter).touch()
    (tmp_path / "venv/bin/python3").symlink_to(f"../../{interpreter or 'gone'}")
    found = _node.python_environments(["/venv", "/none"], root=str(tmp_path))
    assert found == {"/venv": expected, "/none": {}}
