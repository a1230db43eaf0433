# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_host_driver
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.gpu_host import KERNEL, answering, make_root, read_root

NEXT = "6.8.0-62-generic"
GRUB = 'set default="0"\nlinux /boot/vmlinuz-{} root=/dev/md0\nlinux /boot/vmlinuz-{} root=/dev/md0\n'
NOT_FOUND = {"rc": 1, "stderr": "modinfo: ERROR: Module nvidia not found."}


def made(root: pathlib.Path, **changes: t.Any) -> Host:
    make_root(root, **changes)
    return Host(root=str(root), run=answering(root))


@pytest.mark.parametrize(
    ("changes", "version", "flavour", "loaded"),
    [
        ({}, "580.159.04", "open", True),
        ({"driver": "550.54.14", "flavour": "proprietary"}, "550.54.14", "proprietary", True),
        ({"driver": None}, "", "", False),
        ({"files": {"/proc/driver/nvidia/version": "something else\n"}}, "", "", True),
    ],
)
def test_driver(tmp_path: pathlib.Path, changes: t.Any, version: str, flavour: str, loaded: bool) -> None:
    found = _gpu_host_driver.driver(made(tmp_path, **changes))
    assert (found["version"], found["flavour"], found["loaded"]) == (version, flavour, loaded)


def test_modules(tmp_path: pathlib.Path) -> None:
    found = _gpu_host_driver.modules(made(tmp_path, modules={"nouveau": "", "nvidia_uvm": None}))
    assert found["nvidia"] == {"loaded": True, "version": "580.159.04", "references": 3}
    assert found["nouveau"] == {"loaded": True, "version": "", "references": 3}
    assert found["nvidia_uvm"] == {"loaded": False, "version": "", "references": None}


def test_a_path_that_nobody_may_look_at_is_unknown(tmp_path: pathlib.Path) -> None:
    assert _gpu_host_driver.there(Host(root=str(tmp_path)), "/" + "x" * 300) is None


@pytest.mark.parametrize(
    ("files", "by"),
    [
        ({}, ["/etc/modprobe.d/nvidia.conf"]),
        ({"/etc/modprobe.d/nvidia.conf": "#blacklist nouveau\nblacklist nouveau_x\n"}, []),
        ({"/etc/modprobe.d/nvidia.conf": "install nouveau /bin/false\n"}, ["/etc/modprobe.d/nvidia.conf"]),
        ({"/etc/modprobe.d/nvidia.conf": "alias nouveau off\n"}, ["/etc/modprobe.d/nvidia.conf"]),
        (
            {"/etc/modprobe.d/nvidia.conf": None, "/proc/cmdline": "root=x rd.driver.blacklist=a,nouveau ro\n"},
            ["/proc/cmdline"],
        ),
    ],
)
def test_nouveau(tmp_path: pathlib.Path, files: t.Any, by: list[str]) -> None:
    assert _gpu_host_driver.nouveau(made(tmp_path, files=files)) == {"blacklisted_by": by}


def test_device_nodes(tmp_path: pathlib.Path) -> None:
    host = made(tmp_path, profile="h200x2_guest")
    (tmp_path / "dev/nvidia1").chmod(0o600)
    (tmp_path / "dev/nvidia-uvm").unlink()
    (tmp_path / "dev/nvidia-gone").symlink_to("nowhere")
    assert _gpu_host_driver.device_nodes(host) == {
        "/dev/nvidia0": "0666",
        "/dev/nvidia1": "0600",
        "/dev/nvidiactl": "0666",
        "/dev/nvidia-modeset": "0666",
        "/dev/nvidia-uvm-tools": "0666",
    }
    assert _gpu_host_driver.capability_nodes(host) == {"nvidia-caps": 2, "nvidia-caps-imex-channels": 0}


PEERMEM = {"modules": {"nvidia_peermem": "580.159.04"}}


@pytest.mark.parametrize(
    ("changes", "dma_buf", "peermem", "persistent"),
    [
        ({}, True, False, False),
        ({"files": {"/proc/sys/kernel/osrelease": "5.12.0-1"}}, True, False, False),
        ({"files": {"/proc/sys/kernel/osrelease": "5.4.0-150-generic"}}, False, False, False),
        ({"flavour": "proprietary"}, False, False, False),
        ({"flavour": "proprietary", **PEERMEM}, False, True, False),
        ({**PEERMEM, "files": {"/etc/modules-load.d/gpu.conf": "# x\nnvidia-peermem\n"}}, True, True, True),
        ({**PEERMEM, "files": {"/usr/lib/modules-load.d/gpu.conf": "nvidia_peermem\n"}}, True, True, True),
        ({"modules": {"nvidia_peermem": ""}}, True, False, False),
        (
            {"modules": {"nvidia_peermem": ""}, "files": {"/sys/kernel/mm/memory_peers/nv_mem/version": "1"}},
            True,
            True,
            False,
        ),
        ({"driver": None}, None, False, False),
    ],
)
def test_gdr(tmp_path: pathlib.Path, changes: t.Any, dma_buf: bool | None, peermem: bool, persistent: bool) -> None:
    make_root(tmp_path, **changes)
    assert read_root(tmp_path)["gdr"] == {"dma_buf": dma_buf, "peermem": peermem, "persistent": persistent}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"efi": True, "enabled": False, "lockdown": "none", "keys": []}),
        ({"secure_boot": None}, {"efi": False, "enabled": False, "lockdown": "none", "keys": []}),
        ({"secure_boot": True}, {"efi": True, "enabled": True, "lockdown": "integrity", "keys": []}),
        (
            {"secure_boot": True, "files": {"/var/lib/dkms/mok.pub": "x"}},
            {
                "efi": True,
                "enabled": True,
                "lockdown": "integrity",
                "keys": [{"path": "/var/lib/dkms/mok.pub", "enrolled": True}],
            },
        ),
        (
            {"secure_boot": None, "files": {"/sys/firmware/efi/systab": "", "/sys/kernel/security/lockdown": None}},
            {"efi": True, "enabled": None, "lockdown": "", "keys": []},
        ),
    ],
)
def test_secure_boot(tmp_path: pathlib.Path, changes: t.Any, expected: t.Any) -> None:
    assert _gpu_host_driver.secure_boot(made(tmp_path, **changes)) == expected


@pytest.mark.parametrize(
    ("answer", "is_enrolled"),
    [
        ("/x is already enrolled", True),
        ({"rc": 1, "stdout": "/x is already enrolled"}, True),
        ("/x is not enrolled", False),
        ({"rc": 1, "stderr": "/x is not enrolled"}, False),
        ({"rc": 255, "stderr": "EFI variables are not supported on this system"}, None),
        (None, None),
    ],
)
def test_enrolled(tmp_path: pathlib.Path, answer: t.Any, is_enrolled: bool | None) -> None:
    assert _gpu_host_driver.enrolled(made(tmp_path, answers={"mokutil": answer}), "/x") is is_enrolled


@pytest.mark.parametrize(
    ("files", "following"),
    [
        ({}, KERNEL),
        ({"/boot/grub/grub.cfg": GRUB.format(NEXT, KERNEL)}, NEXT),
        ({"/boot/grub/grub.cfg": GRUB.format(NEXT, KERNEL).replace('"0"', '"1>2"')}, None),
        ({"/boot/grub/grub.cfg": 'set default="${saved_entry}"\nlinux /boot/vmlinuz-1\n'}, None),
        ({"/boot/grub/grub.cfg": 'set default="0"\n'}, None),
        ({"/boot/grub/grub.cfg": None}, None),
        ({"/boot/grub/grubenv": "next_entry=1\n"}, None),
        (
            {
                "/boot/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=abc-5.14.0-503\n",
                "/boot/loader/entries/abc-5.14.0-503.conf": "title R\nlinux /vmlinuz-5.14.0-503.el9.x86_64\n",
            },
            "5.14.0-503.el9.x86_64",
        ),
        (
            {"/boot/grub2/grubenv": "saved_entry=a\n", "/boot/loader/entries/a.conf": "title without a kernel\n"},
            None,
        ),
    ],
)
def test_next_kernel(tmp_path: pathlib.Path, files: t.Any, following: str | None) -> None:
    assert _gpu_host_driver.next_kernel(made(tmp_path, files=files)) == following


@pytest.mark.parametrize(
    ("changes", "on_disk", "problem"),
    [
        ({}, {KERNEL: "580.159.04"}, ""),
        (
            {"files": {"/boot/grub/grub.cfg": GRUB.format(NEXT, KERNEL)}, "on_disk": {NEXT: ""}},
            {KERNEL: "580.159.04", NEXT: ""},
            "",
        ),
        (
            {"files": {"/boot/grub/grub.cfg": None, f"/boot/vmlinuz-{NEXT}": "", "/boot/vmlinuz-6.8.0-9-generic": ""}},
            {KERNEL: "580.159.04", NEXT: "580.159.04", "6.8.0-9-generic": "580.159.04"},
            "",
        ),
        (
            {"answers": {"modinfo": {"rc": 1, "stdout": "580.1.2\n", "stderr": "Module nvidia-current not found."}}},
            {KERNEL: "580.1.2"},
            "",
        ),
        ({"answers": {"modinfo": None}}, {KERNEL: None}, "modinfo is not installed"),
    ],
)
def test_kernels(tmp_path: pathlib.Path, changes: t.Any, on_disk: t.Any, problem: str) -> None:
    found = _gpu_host_driver.kernels(made(tmp_path, **changes), KERNEL)
    assert (found["nvidia"], found["problem"]) == (on_disk, problem)


@pytest.mark.parametrize(
    ("cpuinfo", "answer", "virtual"),
    [
        ("flags\t\t: fpu hypervisor lm\n", None, True),
        ("flags\t\t: fpu lm\n", "kvm\n", False),
        ("Features\t: fp asimd\n", "kvm\n", True),
        ("Features\t: fp asimd\n", {"rc": 1, "stdout": "none\n"}, False),
        ("Features\t: fp asimd\n", None, None),
        (None, "none\n", False),
    ],
)
def test_hypervisor(tmp_path: pathlib.Path, cpuinfo: str | None, answer: t.Any, virtual: bool | None) -> None:
    host = made(tmp_path, files={"/proc/cpuinfo": cpuinfo}, answers={"systemd-detect-virt": answer})
    assert _gpu_host_driver.hypervisor(host) is virtual


def test_boot(tmp_path: pathlib.Path) -> None:
    found = _gpu_host_driver.boot(made(tmp_path))
    assert (found["kernel"], found["booted_at"], found["uptime_seconds"]) == (KERNEL, 1763700000.0, 86400.0)
    assert (found["container"], found["hypervisor"]) == ("", False)


def test_an_empty_tree(tmp_path: pathlib.Path) -> None:
    host = Host(root=str(tmp_path), run=lambda argv: Outcome(None, "", "", f"{argv[0]} is not installed"))
    assert _gpu_host_driver.boot(host)["kernel"] == ""
    assert _gpu_host_driver.driver(host)["loaded"] is False
