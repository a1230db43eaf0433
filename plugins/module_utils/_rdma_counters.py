# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error counters of RDMA ports: read them, take differences, and say which grew too fast.

They count since the last reset, so that only what came in a known time says something. A snapshot is plain data and can be
kept as JSON::

    {"time": Unix seconds, "ports": {"mlx5_0/1": {"link_downed": 0, …}}, "refused": {"mlx5_0/1": ["counters"]}}

Some functions answer EINVAL and write a line into the kernel's log each time (node_exporter issue 3434): the folder is left
alone after the first refusal, and in every later reading that knows of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_sysfs import CLASS
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import attempt, below, number
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, WARN

Snapshot = dict[str, t.Any]

_SECOND, _MINUTE, _HOUR = 1.0, 60.0, 3600.0


class Limit(t.NamedTuple):
    """More than ``most`` in ``seconds`` is this bad; 0 seconds: more than that at all. A shorter look counts as whole."""

    verdict: str
    most: float
    seconds: float = 0.0

    def exceeded(self, count: int, looked: float) -> bool:
        return count > self.most * (max(looked / self.seconds, 1.0) if self.seconds else 1.0)


#: Counter → (folder, limits from worst). Source: defaults of NVSentinel's nic-health-monitor, read 2026-11-21.
WATCHED: dict[str, tuple[str, tuple[Limit, ...]]] = {
    "link_downed": ("counters", (Limit(FAIL, 0),)),
    "excessive_buffer_overrun_errors": ("counters", (Limit(FAIL, 0),)),
    "local_link_integrity_errors": ("counters", (Limit(FAIL, 0),)),
    "rnr_nak_retry_err": ("hw_counters", (Limit(FAIL, 0),)),
    "symbol_error": ("counters", (Limit(FAIL, 120, _HOUR), Limit(WARN, 10, _SECOND))),
    "link_error_recovery": ("counters", (Limit(WARN, 5, _MINUTE),)),
    "port_rcv_errors": ("counters", (Limit(WARN, 10, _SECOND),)),
    "local_ack_timeout_err": ("hw_counters", (Limit(WARN, 1, _SECOND),)),
    "port_xmit_discards": ("counters", (Limit(WARN, 100, _SECOND),)),
    "roce_slow_restart": ("hw_counters", (Limit(WARN, 10, _SECOND),)),
    "carrier_changes": ("net", (Limit(WARN, 2),)),
}
SOURCE = "/sys/class/infiniband/*/ports/*/{counters,hw_counters}; limits of NVSentinel, 2026-11"


def snapshot(
    root: str,
    hcas: t.Mapping[str, t.Mapping[str, t.Any]],
    refused: t.Mapping[str, t.Sequence[str]] | None = None,
    clock: t.Callable[[], float] = time.time,
) -> Snapshot:
    """Return the watched counters of all ports; ``refused`` are the folders that an earlier reading was refused."""
    ports: dict[str, dict[str, int]] = {}
    refusals = {label: list(folders) for label, folders in (refused or {}).items()}
    for name, one in hcas.items():
        for port, of_port in one["ports"].items():
            label = f"{name}/{port}"
            ports[label] = {}
            for counter, (folder, _limits) in WATCHED.items():
                if folder in refusals.get(label, []):
                    continue
                base = (
                    f"/sys/class/net/{of_port['netdev']}"
                    if folder == "net"
                    else f"{CLASS}/{name}/ports/{port}/{folder}"
                )
                said, problem = attempt(below(root, f"{base}/{counter}"))
                value = number(said)
                if value is not None:
                    ports[label][counter] = value
                elif problem == "EINVAL" and folder != "net":  # an interface that is down has no carrier to count
                    refusals.setdefault(label, []).append(folder)
    return {"time": clock(), "ports": ports, "refused": refusals}


def growth(before: Snapshot, now: Snapshot) -> dict[str, dict[str, int]]:
    """Return {port: {counter: how much it grew}} of what both know. One that shrank was reset meanwhile: it counts whole."""
    grown: dict[str, dict[str, int]] = {}
    for label, counters in now["ports"].items():
        old = before["ports"].get(label, {})
        both = {name: (value, old[name]) for name, value in counters.items() if name in old}
        grown[label] = {name: value - then if value >= then else value for name, (value, then) in both.items()}
    return grown


def too_fast(grown: t.Mapping[str, int], seconds: float) -> dict[str, str]:
    """Return {counter: verdict} of the counters of one port that exceed a limit."""
    found: dict[str, str] = {}
    for name, count in grown.items():
        exceeded = [limit.verdict for limit in WATCHED[name][1] if limit.exceeded(count, seconds)]
        if exceeded:
            found[name] = exceeded[0]
    return found


def is_snapshot(read: t.Any) -> bool:
    """Tell whether what came from a file is a snapshot."""
    return (
        isinstance(read, dict)
        and isinstance(read.get("time"), (int, float))
        and all(isinstance(read.get(key), dict) for key in ("ports", "refused"))
        and all(isinstance(one, dict) for one in read["ports"].values())
        and all(isinstance(value, int) for one in read["ports"].values() for value in one.values())
    )
