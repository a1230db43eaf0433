# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure a site.yml that changes nothing beside a ping of the same hosts: ``python -m benchmarks [2 4 8]``.

Writes ``benchmarks/results.md``. Times are medians of three, in seconds; round trips are SSH executions per host.
"""

from __future__ import annotations

import datetime
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
RUNS = 3


def inventory(count: int) -> pathlib.Path:
    """Write an inventory of the first ``count`` lab hosts that shares the lab's variables, and return its folder."""
    folder = ROOT / ".cache" / "bench" / str(count)
    folder.mkdir(parents=True, exist_ok=True)
    hosts = "\n".join(f"    lab{number}:\n      ansible_host: 10.77.0.{10 + number}" for number in range(1, count + 1))
    lab = (ROOT / "inventories/lab/hosts.yml").read_text(encoding="utf-8")
    _before, variables = lab.split("  vars:\n", 1)
    text = f"---\ngpu_nodes:\n  hosts:\n{hosts}\n  vars:\n{variables}".replace("inventory_dir", "lab_directory")
    (folder / "hosts.yml").write_text(text, encoding="utf-8")
    variables = (ROOT / "inventories/lab/group_vars/all.yml").read_text(encoding="utf-8")
    variables = variables.replace("inventory_dir", "lab_directory")
    variables = variables.replace("    pipeline_parallel: 2\n", "    pipeline_parallel: 2\n    nodes: [lab1, lab2]\n")
    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars" / "all.yml").write_text(
        f"{variables}\nlab_directory: {ROOT}/inventories/lab\n", encoding="utf-8"
    )
    return folder


def run(*words: str, timeout: int = 3000) -> tuple[float, str]:
    """Run a command that must succeed and return (seconds, output)."""
    environment = dict(os.environ, GPUFLEET_REPORT_DIRECTORY=str(ROOT / ".cache/bench/reports"))
    begun = time.monotonic()
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False, env=environment
    )
    if done.returncode:
        sys.exit(f"{' '.join(words)} returned {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return time.monotonic() - begun, done.stdout


def median(*words: str) -> float:
    """Return the median time of a command."""
    return statistics.median(run(*words)[0] for _run in range(RUNS))


def measure(count: int) -> dict[str, float]:
    """Return the figures for ``count`` hosts, which are brought up and converged first."""
    folder = str(inventory(count))
    site = (str(BIN / "ansible-playbook"), "playbooks/site.yml", "-i", folder)
    run(str(BIN / "python"), "-m", "tests.lab", "up", *[f"lab{number}" for number in range(1, count + 1)])
    print(f"{count} hosts: converging", flush=True)
    run(*site)
    _seconds, output = run(*site)
    if len(re.findall(r"changed=0 ", output)) != count + 1:
        sys.exit(f"the second run on {count} hosts changed something:\n{output[-3000:]}")
    ping = median(str(BIN / "ansible"), "gpu_nodes", "-m", "ansible.builtin.ping", "-i", folder)
    quiet = median(*site)
    _seconds, verbose = run(*site, "-vvv")
    trips = len(re.findall(r"SSH: EXEC ", verbose))
    return {"hosts": count, "ping": ping, "site": quiet, "ratio": quiet / ping, "trips": trips / count}


def main(arguments: list[str]) -> None:
    rows = []
    for count in [int(one) for one in arguments] or [2, 4, 8]:
        rows.append(measure(count))
        print(rows[-1], flush=True)
    date = datetime.datetime.now(datetime.UTC).date()
    lines = [
        f"# A site.yml without changes, {date}, {os.cpu_count()} cores that also run the hosts and the engine",
        "",
        "| Hosts | ping, s | site.yml, s | site / ping | site.yml per host, s | round trips per host |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['hosts']:.0f} | {row['ping']:.1f} | {row['site']:.1f} | {row['ratio']:.1f} "
        f"| {row['site'] / row['hosts']:.1f} | {row['trips']:.1f} |"
        for row in rows
    ]
    (ROOT / "benchmarks" / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
