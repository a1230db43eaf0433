# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest: one QEMU process without KVM, its console in a file, its monitor on a socket."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import types
import typing as t

from tests.lab.shell import LabError, attempt, run
from tests.vm import paths, ssh
from tests.vm.say import say

#: Plain emulation: /dev/kvm may be there and hang a stock kernel. The default CPU, as emulated vector units cost time.
EMULATOR = ("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-nodefaults", "-display", "none", "-no-user-config")
#: A start that needs no systemd: this program is the first process.
QUICK_INIT = "/usr/local/sbin/gpufleet-vm-init"
APPEND = "root=/dev/vda1 rootfstype=ext4 rw fsck.mode=skip console=ttyS0 panic=-1 net.ifnames=0 mitigations=off"


@dataclasses.dataclass(frozen=True)
class Shape:
    """What a guest is. ``number`` is its place in the fabric, and its address there: 10.78.0.<number>.

    A guest that starts by GRUB takes the address of number 1.
    """

    name: str
    number: int
    #: QEMU's name of the other end of the fabric's cable, such as ``listen=127.0.0.1:4001``; "" is no fabric.
    cable: str = ""
    processors: int = 1
    megabytes: int = 768
    #: By GRUB and systemd from the disk, instead of by QEMU's own loader and QUICK_INIT.
    by_grub: bool = False
    machine: str = "pc"
    #: Further arguments of QEMU.
    more: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The guest's address on the way in; the plan refuses two nodes with one."""
        return f"10.0.2.{100 + self.number}"


def arguments(shape: Shape, ssh_port: int, logs: pathlib.Path) -> list[str]:
    """Return QEMU's command line. QEMU ends when the guest reboots."""
    # Left to itself, QEMU may put a device behind one of the bridges in ``more``.
    at = f"bus={'pcie.0' if shape.machine == 'q35' else 'pci.0'}"
    argv = [*EMULATOR, "-machine", shape.machine, "-smp", str(shape.processors), "-m", str(shape.megabytes)]
    argv += ["-name", shape.name, "-no-reboot"]
    argv += ["-chardev", f"file,id=console,path={logs / shape.name}.console,append=on", "-serial", "chardev:console"]
    argv += ["-qmp", f"unix:{logs / shape.name}.qmp,server=on,wait=off", "-device", f"virtio-rng-pci,{at}"]
    disk = f"file={own_disk(shape, logs)}" if shape.by_grub else f"file={paths.DISK},snapshot=on"
    argv += ["-drive", f"{disk},format=raw,if=none,id=disk,cache=unsafe"]
    argv += ["-device", f"virtio-blk-pci,drive=disk,{at}"]
    # No way out for the guest, only one in for us.
    argv += ["-netdev", f"user,id=us,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:{ssh_port}-{shape.address}:22"]
    argv += ["-device", f"virtio-net-pci,netdev=us,mac=52:54:00:77:00:01,romfile=,{at}"]
    if shape.cable:
        argv += ["-netdev", f"socket,id=fabric,{shape.cable}"]
        address = f"52:54:00:78:00:{shape.number:02x}"
        argv += ["-device", f"virtio-net-pci,netdev=fabric,id=fabric0,mac={address},romfile=,{at}"]
    if not shape.by_grub:
        words = f"{APPEND} init={QUICK_INIT} gpufleet.name={shape.name} gpufleet.address={shape.address} quiet"
        argv += ["-kernel", str(paths.KERNEL), "-initrd", str(paths.INITRD), "-append", words]
    return [*argv, *shape.more]


def own_disk(shape: Shape, logs: pathlib.Path) -> pathlib.Path:
    """Return where a guest that may reboot has its disk; the others write to none."""
    return logs / f"{shape.name}.raw"


def again_and_again(argv: list[str]) -> list[str]:
    """Return a command that runs QEMU anew for each boot.

    A QEMU that has run a whole system for minutes and then resets the machine lets GRUB copy a kilobyte per second (QEMU 7.2, GRUB 2.06).
    """
    return ["sh", "-c", 'while "$@"; do :; done', "sh", *argv]


class Guest:
    """A running guest. As a context: ends with it, and what it wrote is gone."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.ssh_port = free_port()
        paths.LOGS.mkdir(parents=True, exist_ok=True)
        self.console = paths.LOGS / f"{shape.name}.console"
        self.console.unlink(missing_ok=True)
        self.errors = paths.LOGS / f"{shape.name}.qemu"
        argv = arguments(shape, self.ssh_port, paths.LOGS)
        if shape.by_grub:
            run(["cp", "--sparse=always", str(paths.DISK), str(own_disk(shape, paths.LOGS))])
            argv = again_and_again(argv)
        with self.errors.open("w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )

    def __enter__(self) -> Guest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        own_disk(self.shape, paths.LOGS).unlink(missing_ok=True)
        if error is not None:
            say(f"the console of {self.shape.name} ends with:\n{tail(self.console)}")

    def wait_for_monitor(self) -> None:
        """Wait until QEMU has made all devices: only then its monitor answers, and a cable's other end may connect."""
        end = time.monotonic() + 30
        while True:
            try:
                self.monitor("query-name", {})
            except (OSError, ValueError) as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise LabError(f"QEMU of {self.shape.name} does not run: {error}\n{tail(self.errors)}") from None
                time.sleep(0.1)
            else:
                return

    def wait_for_ssh(self, timeout_seconds: float = 180) -> None:
        """Wait until a login succeeds. Raises LabError with what QEMU or the console said.

        A greeting alone is not enough: while it boots, sshd has been seen to greet once and hang up on the next one.
        """
        end = time.monotonic() + timeout_seconds
        while not (ssh.answers(self.ssh_port) and attempt(ssh.argv(self.ssh_port, "echo in"), 30) == "in"):
            if self.process.poll() is not None:
                raise LabError(f"QEMU of {self.shape.name} ended: {tail(self.errors)}")
            if time.monotonic() > end:
                raise LabError(
                    f"nobody can log in to {self.shape.name} after {timeout_seconds:g} s; see {self.console}"
                )
            time.sleep(0.2)

    def ask(self, command: str, timeout_seconds: float = 60) -> str:
        """Return the stdout of a shell command in the guest. Raises LabError when it fails."""
        return run(ssh.argv(self.ssh_port, command), timeout_seconds=timeout_seconds)

    def plug(self, plugged: bool) -> None:
        """Plug the fabric's cable in, or pull it."""
        self.monitor("set_link", {"name": "fabric0", "up": plugged})

    def monitor(self, command: str, values: dict[str, t.Any]) -> None:
        """Run a command of QEMU's monitor (QMP). Raises LabError when it is refused."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(paths.LOGS / f"{self.shape.name}.qmp"))
            lines = connection.makefile("rw", encoding="utf-8")
            lines.readline()
            for asked in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": values}):
                lines.write(json.dumps(asked) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
                # An event may come in between.
                while "event" in answer:
                    answer = json.loads(lines.readline())
                if "return" not in answer:
                    raise LabError(f"QEMU refused {command}: {answer}")


def free_port() -> int:
    """Return a free TCP port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tail(path: pathlib.Path, lines: int = 25) -> str:
    """Return the last lines of a console; a guest that died early has left none."""
    if not path.exists():
        return "(nothing)"
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
