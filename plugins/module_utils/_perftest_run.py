# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One side of a measurement with perftest between two nodes: bounded, and never without a reason.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Both sides start in the same moment, as far as a playbook goes: the server waits, the client tries again until somebody
listens. Neither waits longer than its bound, whatever the other one does.
"""

from __future__ import annotations

import shutil
import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _perftest
from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded

SYSFS = "/sys/class/infiniband"

#: Between two attempts of a client to find its server.
PAUSE_SECONDS = 0.2

#: Of `--version` and `--help`, which ask no device.
ASK_SECONDS = 5.0

Wish = t.Mapping[str, t.Any]


class Host:
    """What a measurement needs of the node; a test gives another one."""

    root = SYSFS

    def run(self, argv: t.Sequence[str], timeout_seconds: float) -> Outcome:
        return bounded(argv, timeout_seconds)

    def has(self, program: str) -> bool:
        return shutil.which(program) is not None

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def read(self, path: str) -> str | None:
        try:
            with open(f"{self.root}/{path}", encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except OSError:
            return None


def measure(wish: Wish, host: Host) -> list[dict[str, t.Any]]:
    """Return a measurement per test of one side.

    ``wish``: that of _perftest.words, and node, peer, side (client or server), peer_hca, tests, connect_seconds (how long
    the two may miss each other), grace_seconds (beyond the test's own time). A figure is the client's; a server's
    measurement holds none, and a problem when its side failed. Each ends within connect_seconds + its own time + grace.
    """
    found: list[dict[str, t.Any]] = []
    for number, test in enumerate(wish["tests"]):
        failed = next((one["kind"] for one in found if one["problem"]), "")
        if failed:
            found.append(_measurement(test, wish, problem=f"not tried, as {failed} failed"))
            continue
        found.append(_one(test, dict(wish, port=wish["port"] + number), host))
    return found


def missing(test: str, wish: Wish, host: Host) -> tuple[str, bool]:
    """Return why this side cannot take part and whether its own port is the reason, or ("", False); asks nobody but this node."""
    program = _perftest.TESTS[test]["program"]
    if not host.has(program):
        return f"perftest is not installed on {wish['node']} ({program} is not there)", False
    state = host.read(f"{wish['hca']}/ports/{wish['ib_port']}/state")
    if state is None:
        return f"{wish['node']} has no port {wish['ib_port']} of {wish['hca']}", True
    if not state.endswith("ACTIVE"):
        return f"port {wish['ib_port']} of {wish['hca']} on {wish['node']} is {state.split(': ')[-1]}, not ACTIVE", True
    return "", False


def _one(test: str, wish: Wish, host: Host) -> dict[str, t.Any]:
    problem, down = missing(test, wish, host)
    if problem:
        return _measurement(test, wish, problem=problem, link_failed=down, down=down)
    program = _perftest.TESTS[test]["program"]
    can = _abilities(program, wish, host)
    # Of util-linux, which every node has.
    cores = host.read(f"{wish['hca']}/device/local_cpulist") if host.has("taskset") else ""
    argv = _perftest.words(test, wish, can, cores or "")
    # It returns 1 even when it answers (6.06).
    tool = f"{program} {_perftest.version(host.run([program, '--version'], ASK_SECONDS).stdout)}".rstrip()
    begun = host.now()
    outcome = _serve(argv, test, wish, host) if wish["side"] == "server" else _ask(argv, test, wish, host)
    value = _perftest.value(test, outcome.stdout) if wish["side"] == "client" and outcome.ok else None
    problem, link_failed = _problem(outcome, value, wish)
    return _measurement(
        test,
        wish,
        value=value,
        tool=tool,
        command=" ".join(argv),
        seconds=round(host.now() - begun, 1),
        memory=f"gpu {wish['gpu']}" if any(word.startswith("--use_cuda") for word in argv) else "host",
        pinned=argv[0] in ("numactl", "taskset"),
        problem=problem,
        link_failed=link_failed,
    )


def _abilities(program: str, wish: Wish, host: Host) -> list[str]:
    can = ["numactl"] if host.has("numactl") else []
    if wish["gpu"] is not None and "--use_cuda=" in host.run([program, "--help"], ASK_SECONDS).stdout:
        can.append("use_cuda")
    return can


def _bound(test: str, wish: Wish) -> float:
    return float(wish["grace_seconds"] + (wish["seconds"] if test == "rdma_write_bw" else 0))


def _serve(argv: t.Sequence[str], test: str, wish: Wish, host: Host) -> Outcome:
    return host.run(argv, wish["connect_seconds"] + _bound(test, wish))


def _ask(argv: t.Sequence[str], test: str, wish: Wish, host: Host) -> Outcome:
    deadline = host.now() + wish["connect_seconds"]
    while True:
        outcome = host.run(argv, _bound(test, wish))
        if _perftest.NOBODY_LISTENS not in outcome.stdout + outcome.stderr or host.now() >= deadline:
            return outcome
        host.sleep(PAUSE_SECONDS)


def _problem(outcome: Outcome, value: float | None, wish: Wish) -> tuple[str, bool]:
    """Return what went wrong, naming the pair, and whether the link is known to have failed; or ("", False)."""
    said = outcome.stdout + "\n" + outcome.stderr
    there = f"{wish['peer']} ({wish['address']}, port {wish['port']})" if wish["address"] else wish["peer"]
    if outcome.rc is None and wish["side"] == "server":
        return f"{outcome.problem}: {there} did not come, or the transfer hangs", False
    if outcome.rc is None:
        return f"{outcome.problem}: {there} is out of reach, a firewall drops the port, or the transfer hangs", False
    if _perftest.NOBODY_LISTENS in said:
        return f"nobody listened at {there} for {wish['connect_seconds']:g} s", False
    if not outcome.ok:
        return f"{wish['hca']} -> {wish['peer']} {wish['peer_hca']}: {_perftest.cause(said)}", True
    if wish["side"] == "client" and value is None:
        return (
            f"{wish['hca']} -> {wish['peer']} {wish['peer_hca']}: perftest ended well, but its output holds no figure",
            False,
        )
    return "", False


def _measurement(
    test: str,
    wish: Wish,
    value: float | None = None,
    tool: str = "",
    command: str = "",
    seconds: float = 0.0,
    memory: str = "host",
    pinned: bool = False,
    problem: str = "",
    link_failed: bool = False,
    down: bool = False,
) -> dict[str, t.Any]:
    bandwidth = test == "rdma_write_bw"
    return {
        "node": wish["node"],
        "peer": wish["peer"],
        "kind": test,
        "subject": f"{wish['hca']} -> {wish['peer_hca']}",
        "value": value,
        "unit": _perftest.TESTS[test]["unit"],
        "parameters": {
            "bytes": wish["bytes"] if bandwidth else 2,
            "seconds" if bandwidth else "iterations": wish["seconds" if bandwidth else "iterations"],
            "gid_index": wish["gid_index"],
            "memory": memory,
            "numa_node": wish["numa_node"] if pinned else None,
            **({"link_failed": True} if link_failed else {}),
            **({"down": [wish["node"]]} if down else {}),
        },
        "series": [],
        "samples": [] if value is None else [value],
        "tool": tool or _perftest.TESTS[test]["program"],
        "command": command,
        "seconds": seconds,
        "problem": problem,
    }
