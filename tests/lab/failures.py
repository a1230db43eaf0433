# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make starts fail for real, by our own ``serve.yml`` over two lab hosts, and look at what the operator is told.

``python -m tests.lab.failures [--inventory PATH] [--hosts A,B] [CASE...]``; without a case, all of them. The hosts must be prepared
(``make demo``). Each run must end with the cause, what to do, the lines that show it, and the logs of all ranks on the controller.
What was served before is stopped, and nothing is served afterwards. Prints a table of times.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import tempfile
import time
import typing as t

from tests.lab import paths, platforms
from tests.lab.matrix import VLLM
from tests.lab.shell import LabError, attempt, say

NAME = "broken"
UNIT = f"gpufleet-engine-{NAME}.service"


@dataclasses.dataclass(frozen=True)
class Case:
    """How a deployment is broken (``wish``), and words of the cause, the fix, and a line that shows it."""

    wish: dict[str, t.Any]
    cause: str
    fix: str
    line: str


CASES = {
    "context": Case(
        {"options": {**VLLM, "max_model_len": 4096}},
        "options.max_model_len 4096 is more than the model was made for (2048",
        "lower options.max_model_len",
        "is greater than the derived max_model_len",
    ),
    "architecture": Case(
        {"options": {**VLLM, "hf_overrides": {"architectures": ["NoSuchForCausalLM"]}}},
        "does not know the architecture 'NoSuchForCausalLM'",
        "use a newer image, or another engine",
        "are not supported for now",
    ),
    "interface": Case(
        {"options": VLLM, "environment": {"GLOO_SOCKET_IFNAME": "nosuch0"}},
        "GLOO_SOCKET_IFNAME names nosuch0, which this node does not have",
        "set ray_cluster_interface of this node",
        "nosuch0",
    ),
}

#: An operator must not wait longer for the message of a start that fails at once.
PATIENCE_SECONDS = 600


def variables(case: str, hosts: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the variables of a run: one deployment over the hosts that cannot start. Raises LabError."""
    if case not in CASES:
        raise LabError(f"there is no case {case}; there are {', '.join(CASES)}")
    wish = {
        "name": NAME,
        "model": "tiny-qwen2",
        "engine": "vllm_native",
        "tensor_parallel": len(hosts),
        "nodes": [*hosts],
    }
    model = {"name": "tiny-qwen2", "source": str(paths.CACHE / "models" / "tiny-qwen2")}
    return {
        "engine_deployments": [{**wish, "image": "{{ ray_cluster_image }}", **CASES[case].wish}],
        "model_store_models": [model],
    }


def lacks(case: Case, report: t.Mapping[str, t.Any], logs: t.Mapping[str, str], hosts: t.Sequence[str]) -> list[str]:
    """Return what an operator would miss: in the run's report, and among the logs that were kept, {name: text}."""
    # Each node tells it.
    told = str(report["failures"][0]["message"])
    found = [f"the {what} ({words})" for what, words in (("cause", case.cause), ("fix", case.fix)) if words not in told]
    lines = [line for line in told.splitlines() if line.startswith("  | ")]
    if not any(case.line in line for line in lines):
        found.append(f"a line with {case.line!r}")
    if len(lines) > 10:
        found.append(f"brevity: {len(lines)} lines")
    names = [f"{host}-gpufleet-engine-{NAME}-rank{rank}.log" for rank, host in enumerate(hosts)]
    found += [f"the log {name}" for name in names if not logs.get(name)]
    if not any(case.line in text for text in logs.values()):
        found.append(f"{case.line!r} in a log")
    return found


def measure(name: str, inventory: str, hosts: t.Sequence[str]) -> tuple[float, str]:
    """Break a start; return the seconds until it was told, and the message. Raises LabError with what was missing."""
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        (here / "vars.json").write_text(json.dumps(variables(name, hosts)))
        playbook = [str(paths.ROOT / ".venv/bin/ansible-playbook"), "playbooks/serve.yml", "-i", inventory]
        begun = time.monotonic()
        os.environ["GPUFLEET_REPORT_DIRECTORY"] = folder
        os.chdir(paths.ROOT)
        if attempt([*playbook, "-e", f"@{here}/vars.json"], timeout_seconds=PATIENCE_SECONDS) is not None:
            raise LabError(f"{name}: serve.yml succeeded")
        seconds = time.monotonic() - begun
        report = paths.read_json(here / "last.json")
        if not report.get("failures"):
            raise LabError(f"{name}: serve.yml did not end within {PATIENCE_SECONDS} s, or left no report")
        logs = {one.name: one.read_text(errors="replace") for one in (here / "logs").glob("*.log")}
    missing = lacks(CASES[name], report, logs, hosts)
    told = str(report["failures"][0]["message"])
    if missing:
        raise LabError(f"{name}: the operator misses {'; '.join(missing)}. Told was:\n{told}\nLogs: {', '.join(logs)}")
    return seconds, told


def main(arguments: list[str]) -> int:
    """Make all failures asked for and print a table. Returns 1 when an operator would not have been told."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.failures", allow_abbrev=False)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--inventory", default="inventories/lab")
    parser.add_argument("--hosts", default="lab1,lab2")
    asked = parser.parse_args(arguments)
    hosts = asked.hosts.split(",")
    rows, failed = [], []
    for case in asked.cases or CASES:
        say(case)
        try:
            seconds, told = measure(case, asked.inventory, hosts)
            rows.append(f"| {case} | {seconds:.0f} |")
            say(f"told after {seconds:.0f} s:\n{told}")
        except LabError as error:
            failed.append(case)
            say(f"FAILED: {error}")
    for host in platforms.hosts(hosts):
        attempt(["docker", "exec", host.name, "systemctl", "disable", "--now", UNIT])
    print("\n".join(["", "| failure | told after, s |", "|---|---|", *rows]))
    print(f"{len(rows)} passed, {len(failed)} failed{': ' * bool(failed)}{', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"lab: error: {error}")
