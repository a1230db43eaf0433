#!/usr/bin/env python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run make targets, go on after a failure, and end with a table of times and one counting line.

Usage: ``python3 tests/stages.py setup laws unit molecule``. The word ``molecule`` stands for: a Docker Engine, images,
hosts, every scenario, and the removal of all that at the end, whatever happened. Then there are two lanes, each with
hosts of its own: checks and the scenarios of roles in one, images and the scenarios that serve a model in the other.
Runs before there is a virtual environment, hence standard library only.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import io
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import typing as t

ROOT = pathlib.Path(__file__).resolve().parent.parent

#: Without these nothing that follows can run.
FOUNDATIONS = ("setup", "lab-docker", "molecule-create", "molecule-create@b")
#: What scenarios need, and checks do not: the hosts of both lanes.
HOSTS = ["lab-docker", "molecule-create", "molecule-create@b"]
#: Scenarios that `make molecule-slow` runs: kernel modules are built, vLLM starts on Ray, as in site, SGLang starts, and a
#: stand-in is measured, for which there is no time left within CI's hour; the chat page needs minutes, 1 GB and a browser.
SLOW = {"nvidia_driver_distribution", "engine_ray", "engine_sglang", "load_test", "chat_ui"}
#: Scenarios that serve a model, in this order: an engine without Ray must cope with the Ray that ray_cluster leaves behind.
SERVING = ["ray_cluster", "engine", "site"]
#: The last line of pytest, such as ``== 2 failed, 31 passed in 1.21s ==``.
PYTEST_COUNT = re.compile(r"(\d+) (passed|failed|errors?)\b")

#: Molecule colours what nobody looks at unless told not to.
PLAIN = {"NO_COLOR": "1", "PY_COLORS": "0", "ANSIBLE_NOCOLOR": "1"}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a stage: make's return code, seconds, and how many tests passed and failed in it."""

    stage: str
    rc: int
    seconds: float
    passed: int
    failed: int


def scenarios() -> list[str]:
    """Return the quick molecule scenarios of roles; ``default`` only makes and removes the hosts."""
    names = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")}
    return sorted(names - {"default", *SLOW, *SERVING})


def docker_answers() -> bool:
    """Tell whether a Docker Engine runs already: then it is not ours to stop."""
    try:
        return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def target(stage: str) -> list[str]:
    """Return make's arguments for a stage: ``molecule:x`` is the scenario x, ``x@b`` stands for x in lane b."""
    stage, _, lane = stage.partition("@")
    _, _, scenario = stage.partition(":")
    return [
        *(["molecule-scenario", f"ROLE={scenario}"] if scenario else [stage]),
        *([f"LAB_LANE={lane}"] if lane else []),
    ]


def count(line: str, rc: int) -> tuple[int, int]:
    """Return (passed, failed) of a stage from pytest's closing line; a stage without one counts as one."""
    found = {word.rstrip("s"): int(number) for number, word in PYTEST_COUNT.findall(line)}
    failed = found.get("failed", 0) + found.get("error", 0)
    if not found:
        return (0, 1) if rc else (1, 0)
    return found.get("passed", 0), max(failed, 1 if rc else 0)


def run(stage: str, out: t.TextIO) -> Outcome:
    """Run one stage with its output passed through."""
    print(f"\n=== {stage}", file=out, flush=True)
    started = time.monotonic()
    closing = ""
    with subprocess.Popen(
        ["make", *target(stage)],
        cwd=ROOT,
        env=dict(os.environ, **({} if sys.stdout.isatty() else PLAIN)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", file=out, flush=True)
            if line.startswith("=") and PYTEST_COUNT.search(line):
                closing = line
    passed, failed = count(closing, process.returncode)
    return Outcome(stage, process.returncode, time.monotonic() - started, passed, failed)


def run_in_order(stages: list[str], outcomes: list[Outcome], out: t.TextIO | None = None) -> bool:
    """Run the stages into ``outcomes``; stop, and return False, only where nothing that follows can run."""
    for stage in stages:
        outcomes.append(run(stage, out or sys.stdout))
        if outcomes[-1].rc and stage in FOUNDATIONS:
            return False
    return True


class Piece(io.StringIO):
    """What a stage says: printed in one piece at its end, or as it comes once nothing else is printed."""

    def __init__(self, alone: threading.Event) -> None:
        super().__init__()
        self._alone = alone

    def flush(self) -> None:
        if self._alone.is_set():
            self.show()

    def show(self) -> None:
        print(self.getvalue(), end="", flush=True)
        self.seek(0)
        self.truncate()


def serve(outcomes: list[Outcome], hosts: concurrent.futures.Future[bool], alone: threading.Event) -> None:
    """Run lane b, and tell by ``hosts`` as soon as there are some; ``alone`` is set when the other lane has ended."""
    try:
        for stage in [*HOSTS, "lab-images", *(f"molecule:{name}@b" for name in SERVING)]:
            said = Piece(alone)
            going_on = run_in_order([stage], outcomes, said)
            said.show()
            print(f"=== (end of {stage})", flush=True)
            if not going_on:
                break
            if stage == HOSTS[-1]:
                hosts.set_result(True)
    finally:
        if not hosts.done():
            hosts.set_result(False)


def run_molecule(checks: list[str], outcomes: list[Outcome]) -> None:
    """Run checks and scenarios in two lanes; remove the hosts at the end, and the engine if it was started here."""
    wanted = [f"molecule:{name}" for name in scenarios()]
    if not wanted:
        raise SystemExit("no molecule scenario found under molecule/: nothing would be tested")
    ending = ["molecule-destroy@b", "molecule-destroy", *([] if docker_answers() else ["lab-docker-stop"])]
    beside: list[Outcome] = []
    hosts: concurrent.futures.Future[bool] = concurrent.futures.Future()
    alone = threading.Event()
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            serving = pool.submit(serve, beside, hosts, alone)
            run_in_order(checks, outcomes)
            if hosts.result():
                run_in_order(wanted, outcomes)
            alone.set()
            serving.result()
    finally:
        outcomes += beside
        run_in_order(ending, outcomes)


def table(outcomes: list[Outcome], seconds: float) -> str:
    """Return a table of stages, the seconds of the whole run, and the counting line."""
    lines = [
        f"{one.stage:<32} {'ok' if not one.rc else 'FAILED':<7} {one.seconds:7.1f} s"
        + (f"  {one.passed} passed, {one.failed} failed" if one.passed + one.failed != 1 else "")
        for one in outcomes
    ]
    lines.append(f"{'together':<40} {seconds:7.1f} s")
    lines.append(f"{sum(one.passed for one in outcomes)} passed, {sum(one.failed for one in outcomes)} failed")
    return "\n".join(lines)


def main(words: list[str]) -> int:
    outcomes: list[Outcome] = []
    started = time.monotonic()
    checks = [word for word in words if word not in {"setup", "molecule"}]
    try:
        if run_in_order(["setup"] if "setup" in words else [], outcomes):
            if "molecule" in words:
                run_molecule(checks, outcomes)
            else:
                run_in_order(checks, outcomes)
    finally:
        print(f"\n{table(outcomes, time.monotonic() - started)}", flush=True)
    return 1 if any(one.rc or one.failed for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
