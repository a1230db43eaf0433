# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command lines of perftest, and what its programs print.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The figures are read from the table on standard output. Its form is the same since perftest 4.4 (Ubuntu 22.04); the file of
``--out_json_file`` is not: 4.4 has none, and what 6.06 (Debian 12) writes is no JSON, its keys have no quotes (its source
quotes them later).
"""

from __future__ import annotations

import re
import typing as t

#: What is measured: the program, the unit, and the column of its table that is the value, by preference.
#: t_typical is the median.
TESTS: dict[str, dict[str, t.Any]] = {
    "rdma_write_bw": {"program": "ib_write_bw", "unit": "Gb/s", "columns": ("BW average[Gb/sec]",)},
    "rdma_write_lat": {"program": "ib_write_lat", "unit": "us", "columns": ("t_typical[usec]", "t_avg[usec]")},
}

#: What a client says when nobody listens yet; it ends at once then (perftest_communication.c, all versions).
NOBODY_LISTENS = "Couldn't connect to"

#: Lines that name no cause.
_NOISE = re.compile(r"^(-+|\*+.*|#.*|.*couldn't load driver.*|\s*WARNING: BW peak won't be measured in this run\.)$")

#: A device's errors, from what the kernel and libibverbs say to what that means.
_MEANING = (
    ("syndrom 0x81", "the other side did not acknowledge (transport retries exceeded): no path between the two ports"),
    (
        "Failed status 12",
        "the other side did not acknowledge (transport retries exceeded): no path between the two ports",
    ),
    ("Couldn't allocate MR", "memory could not be registered: raise memlock"),
    ("Failed to modify QP", "the queue pair could not be connected: look at GID index and link layer of both ports"),
    # Both are said where no device is found at all.
    ("Did not detect devices", "the node has no RDMA device that user space can open"),
    ("Unable to find the Infiniband/RoCE device", "there is no such RDMA device"),
)


def words(test: str, wish: t.Mapping[str, t.Any], can: t.Collection[str] = (), cores: str = "") -> list[str]:
    """Return the command line of one side.

    ``wish``: hca, ib_port, port (TCP, for the exchange of addresses), address (the server's; empty on the server),
    gid_index (None: perftest's own choice), bytes, seconds (of the bandwidth test), iterations (of the latency test),
    gpu (number of the GPU whose memory is used, None for the host's), numa_node (None or negative: not pinned).
    ``can``: what is there, of numactl and use_cuda. ``cores``: those beside the HCA, for ``taskset`` where numactl is not there;
    memory comes from where the process runs. Figures come in Gb/s; without -F a changing clock is a warning only.
    """
    found: list[str] = []
    pin = -1 if wish["numa_node"] is None else wish["numa_node"]
    if pin >= 0 and "numactl" in can:
        found = ["numactl", f"--cpunodebind={pin}", f"--membind={pin}"]
    elif pin >= 0 and cores:
        found = ["taskset", "--cpu-list", cores]
    found += [TESTS[test]["program"], "-F", "-d", wish["hca"], "-i", str(wish["ib_port"]), "-p", str(wish["port"])]
    if wish["gid_index"] is not None:
        found += ["-x", str(wish["gid_index"])]
    if test == "rdma_write_bw":
        found += ["--report_gbits", "-s", str(wish["bytes"]), "-D", str(wish["seconds"])]
    else:
        # 2 bytes: perftest's default, what figures of latency are given for.
        found += ["-s", "2", "-n", str(wish["iterations"])]
    if wish["gpu"] is not None and "use_cuda" in can:
        found.append(f"--use_cuda={wish['gpu']}")
    return found + ([wish["address"]] if wish["address"] else [])


def table(output: str) -> dict[str, float]:
    """Return {column: figure} of the last row of the table; empty when there is none."""
    columns: list[str] = []
    row: list[float] = []
    for line in output.splitlines():
        if line.lstrip().startswith("#bytes"):
            # A name may hold a blank ("BW peak[Gb/sec]"): a name that is no "#…" ends with its unit.
            columns = re.findall(r"#\w+|[^\s#\]][^#\]]*\]", line)
        elif columns and re.match(r"\s*\d+\s+\d", line):
            row = [float(word) for word in line.split() if re.fullmatch(r"\d+(\.\d+)?", word)]
    return dict(zip(columns, row))


def value(test: str, output: str) -> float | None:
    """Return the figure of a test in its unit, or None when the output holds none."""
    figures = table(output)
    return next((figures[column] for column in TESTS[test]["columns"] if column in figures), None)


def version(output: str) -> str:
    """Return the version of ``--version``, or an empty string."""
    found = re.search(r"Version:\s*(\S+)", output)
    return found.group(1) if found else ""


def cause(output: str) -> str:
    """Return why a run failed, in one line: what is known of the error, and perftest's own last words."""
    said = [line.strip() for line in output.splitlines() if line.strip() and not _NOISE.match(line.strip())]
    meaning = next((text for mark, text in _MEANING if mark in output), "")
    last = said[-1][:200] if said else "it said nothing"
    return f"{meaning} ({last})" if meaning else last
