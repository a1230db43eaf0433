# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""QEMU's command line, and what is said when a guest does not come."""

from __future__ import annotations

import pathlib
import stat

import pytest

from tests.lab.shell import LabError
from tests.vm import guest, paths, verbs
from tests.vm.guest import Guest, Shape

LOGS = pathlib.Path("/logs")


def words(shape: Shape) -> str:
    return " ".join(guest.arguments(shape, 2201, LOGS))


def test_no_guest_needs_kvm_or_reaches_a_network() -> None:
    said = words(Shape("n1", 1))
    assert "-accel tcg" in said
    assert "kvm" not in said
    assert "user,id=us,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:2201-10.0.2.101:22" in said
    assert "snapshot=on" in said, "the disk stays as it was made"


def test_a_quick_guest_starts_our_init_and_a_whole_one_boots_its_disk() -> None:
    quick, whole = words(Shape("n1", 1)), words(Shape("n1", 1, by_grub=True))
    assert f"-kernel {paths.KERNEL}" in quick
    assert "init=/usr/local/sbin/gpufleet-vm-init gpufleet.name=n1 gpufleet.address=10.0.2.101" in quick
    assert "-kernel" not in whole
    assert "/logs/n1.raw" in whole
    assert "snapshot=on" not in whole, "what it wrote must be there after a reboot"


def test_a_guest_that_reboots_comes_back_with_its_disk(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boots = tmp_path / "boots"
    emulator(
        tmp_path,
        f"echo boot >> {boots}; cat {tmp_path}/whole.raw >> {boots}; test $(grep -c boot {boots}) -lt 3",
        monkeypatch,
    )
    monkeypatch.setattr(paths, "DISK", tmp_path / "made.raw")
    paths.DISK.write_text("disk\n", encoding="utf-8")
    with Guest(Shape("whole", 1, by_grub=True)) as whole:
        whole.process.wait(timeout=60)
    assert boots.read_text(encoding="utf-8") == "boot\ndisk\n" * 3
    assert paths.DISK.exists()
    assert not (tmp_path / "whole.raw").exists(), "nothing is left of it"


def test_the_fabric_is_a_cable_between_two_guests() -> None:
    first, second = verbs.pair()
    port = first.cable.removeprefix("listen=")
    assert second.cable == f"connect={port}"
    assert f"socket,id=fabric,listen={port}" in words(first)
    assert "id=fabric0,mac=52:54:00:78:00:01" in words(first)
    assert "id=fabric0,mac=52:54:00:78:00:02" in words(second)
    assert "fabric" not in words(Shape("n3", 3))


def test_the_address_in_the_fabric_follows_the_number_as_the_guest_reads_it() -> None:
    assert "mac=52:54:00:78:00:1f" in words(Shape("n31", 31, "listen=127.0.0.1:1"))
    script = (pathlib.Path(guest.__file__).parent / "image_files/gpufleet-vm-rxe").read_text("utf-8")
    assert "52:54:00:78:00:*" in script
    assert "$((0x$number))" in script


def emulator(folder: pathlib.Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in the place of QEMU, and the logs into ``folder``."""
    program = folder / "emulator"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setattr(guest, "EMULATOR", (str(program),))
    monkeypatch.setattr(paths, "LOGS", folder)


@pytest.mark.parametrize("wait", [Guest.wait_for_ssh, Guest.wait_for_monitor])
def test_an_emulator_that_ends_tells_why(wait: object, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator(tmp_path, "echo no such machine >&2; exit 1", monkeypatch)
    with Guest(Shape("n1", 1)) as one:
        one.process.wait()
        with pytest.raises(LabError, match="no such machine"):
            wait(one)  # type: ignore[operator]


def test_a_guest_that_stays_silent_is_ended_and_its_console_shown(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator(tmp_path, f"echo Kernel panic > {tmp_path}/n1.console; exec sleep 60", monkeypatch)
    with pytest.raises(LabError, match=r"log in to n1 after 0\.5 s"), Guest(Shape("n1", 1)) as one:
        one.wait_for_ssh(0.5)
    assert one.process.returncode == -9
    assert "Kernel panic" in capsys.readouterr().out


def test_the_end_of_a_console_is_shown_not_all_of_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "console").write_bytes(b"".join(b"line %d\r\n" % number for number in range(100)) + b"\xff\n")
    shown = guest.tail(tmp_path / "console", 3).splitlines()
    assert shown[:2] == ["line 98", "line 99"]
    assert guest.tail(tmp_path / "none") == "(nothing)"
