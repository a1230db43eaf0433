# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lab hosts: systemd containers with an address of their own, reached over real SSH."""

from __future__ import annotations

import pathlib
import socket

from tests.lab import engine_daemon, host_image, paths, platforms
from tests.lab.platforms import Host
from tests.lab.shell import LabError, attempt, run, say, wait_for

LABEL = "gpufleet.lab"
SHM_SIZE = "2g"  # vLLM and Ray share tensors in /dev/shm
STOP_SIGNAL = "SIGRTMIN+3"  # what systemd as PID 1 takes for "halt"


def run_argv(host: Host, cgroup_v1: bool) -> list[str]:
    """Return the ``docker run`` command of a host.

    No ``--privileged``: machines without CAP_SYS_RESOURCE refuse it. ``systempaths=unconfined`` keeps /proc/sys writable.
    """
    argv = ["docker", "run", "-d", "--name", host.name, "--hostname", host.hostname, "--label", LABEL]
    argv += ["--network", platforms.NETWORK, "--ip", host.address]
    argv += ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"]
    for option in ("seccomp", "apparmor", "systempaths"):
        argv += ["--security-opt", f"{option}=unconfined"]
    argv += ["--tmpfs", "/run", "--tmpfs", "/run/lock", "--shm-size", SHM_SIZE, "--stop-signal", STOP_SIGNAL]
    argv += ["-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--cgroupns=host", "-v", f"{host.volume}:/var/lib/docker"]
    argv += ["-e", "container=docker"]
    if cgroup_v1 and host.platform == "trixie":  # its systemd refuses cgroup v1 unless told twice
        argv += ["-e", "SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
    return [*argv, platforms.image(host.platform), "/sbin/init"]


def up(names: list[str]) -> None:
    """Bring hosts up: image, network, key, container, systemd, sshd. What is there already is left as it is."""
    wanted = platforms.hosts(names)
    engine_daemon.require()
    ensure_key()
    ensure_network()
    cgroup_v1 = not pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
    for host in wanted:
        state = container_state(host)
        if state == "running":
            continue
        host_image.build(host.platform)
        say(f"starting {host.name} ({host.platform}, {host.address})")
        run(["docker", "start", host.name] if state else run_argv(host, cgroup_v1))
    for host in wanted:
        wait_until_ready(host)
    write_known_hosts()


def down(names: list[str]) -> None:
    """Remove hosts with their volumes; all of them with ``--all``, which also removes the network."""
    everything = names == ["--all"]
    wanted = list(platforms.HOSTS.values()) if everything else platforms.hosts(names)
    engine_daemon.require()
    for host in wanted:
        if container_state(host):
            say(f"removing {host.name}")
            run(["docker", "rm", "--force", "--volumes", host.name])
        if attempt(["docker", "volume", "inspect", host.volume]) is not None:
            run(["docker", "volume", "rm", host.volume])
    if everything and attempt(["docker", "network", "inspect", platforms.NETWORK]) is not None:
        run(["docker", "network", "rm", platforms.NETWORK])
    write_known_hosts()


def reboot(names: list[str]) -> None:
    """Restart hosts as a reboot does: everything in them ends, systemd starts again."""
    for host in platforms.hosts(names):
        if not container_state(host):
            raise LabError(f"{host.name} does not exist; run `python -m tests.lab up {host.name}`")
        say(f"rebooting {host.name}")
        run(["docker", "restart", "--time", "20", host.name])
        wait_until_ready(host)


def container_state(host: Host) -> str:
    """Return the state of the host's container; "" when there is none."""
    return attempt(["docker", "container", "inspect", host.name, "--format", "{{.State.Status}}"]) or ""


def ensure_key() -> None:
    """Make the SSH key of the lab."""
    if not paths.SSH_KEY.exists():
        paths.SSH_KEY.parent.mkdir(parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "gpufleet-lab", "-f", str(paths.SSH_KEY)])


def ensure_network() -> None:
    """Make the network of the lab, with the MTU of this machine's way out (smaller behind tunnels)."""
    if attempt(["docker", "network", "inspect", platforms.NETWORK]) is not None:
        return
    argv = ["docker", "network", "create", "--subnet", platforms.SUBNET, "--gateway", platforms.GATEWAY]
    run([*argv, "--opt", f"com.docker.network.driver.mtu={outward_mtu()}", platforms.NETWORK])


def outward_mtu() -> int:
    """Return the MTU of the interface of the default route; 1500 when there is none."""
    for line in pathlib.Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        interface, destination = line.split()[:2]
        if destination == "00000000":
            return int(pathlib.Path(f"/sys/class/net/{interface}/mtu").read_text(encoding="ascii"))
    return 1500


def wait_until_ready(host: Host) -> None:
    """Wait for systemd, install the lab's key, wait for sshd. Raises LabError with the remedy."""
    remedy = f"Look with `docker logs {host.name}` and `docker exec {host.name} systemctl --failed`."
    wait_for(lambda: _system_state(host) in ("running", "degraded"), f"the start of {host.name}", remedy, 90)
    key = paths.SSH_KEY.with_suffix(".pub").read_text(encoding="ascii")
    authorized = "install -m 0600 /dev/stdin /root/.ssh/authorized_keys"
    run(["docker", "exec", "-i", host.name, "sh", "-c", authorized], stdin=key)
    wait_for(lambda: _sshd_accepts(host), f"sshd on {host.name}", remedy)


def _system_state(host: Host) -> str:
    # `is-system-running` returns 1 for "degraded"
    return attempt(["docker", "exec", host.name, "sh", "-c", "systemctl is-system-running || true"]) or ""


def _sshd_accepts(host: Host) -> bool:
    try:
        with socket.create_connection((host.address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def write_known_hosts() -> None:
    """Write the host keys of all running hosts of this lane, read through the engine: host key checking stays on."""
    lane = platforms.lane()
    path = paths.KNOWN_HOSTS.with_name(f"{paths.KNOWN_HOSTS.name}{lane and '-'}{lane}")
    lines = []
    for host in platforms.HOSTS.values():
        if host.lane == lane and container_state(host) == "running":
            key = run(["docker", "exec", host.name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub"])
            lines.append(f"{host.name},{host.address} {' '.join(key.split()[:2])}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="ascii")
