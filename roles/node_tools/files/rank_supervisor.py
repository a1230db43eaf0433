#!/usr/bin/python3

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep one rank of a group running: the main process of a gpufleet unit (systemd, NotifyAccess=main).

usage: rank_supervisor.py SPEC.json

It carries out the rank's part of a plan, again and again: end what a killed predecessor left, wait for what the rank
needs, sweep, start the container, wait until it is ready, watch that it stays alive. When any of this fails it stops the whole
container, waits longer after each failure, and gives up after too many in a row (exit 78, which the unit does not
restart), so that a broken group does not hammer the node. `systemctl status UNIT` shows what it is doing.

Spec (JSON), all times in seconds:
  container   {name, run: [arguments of `docker run` after -d --name NAME], stop_seconds}
  sweep       [glob of files under /dev/shm or /tmp left by a killed process; only those that no process has open]
  ports       [{address, port}] that the container listens on: nobody may have them before
  waits       [probe]        needed before the start
  ready       [probe]        when all pass once, the rank is ready
  alive       [probe]        watched from then on, every watch_seconds
  wait_budget_seconds, ready_budget_seconds, watch_seconds, alive_failures (in a row before the rank counts as dead)
  budget      what the time for loading is made of, where it is computed on the node: see rank_budget.py
  cache       {directory, name}, where compiled kernels outlive the container, and the deployment whose they are
  give_up     {failures, window_seconds, delays_seconds: [after the first failure, after the second, ...]}
  process     name of the process without which the container is as good as ended, once it has been seen there
  group       {name, rank, address, port, peers}, where other nodes run ranks of the same deployment: see rank_group.py
  drain       {metrics_url, gauges: [..], seconds}: how long a stop that is asked for waits for requests to end
Probes are those of rank_probes.py, which lies beside this file.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import json
import os
import pathlib
import re
import signal
import socket
import sys
import time
import typing as t

import rank_budget
import rank_ports
from rank_group import LAST_WORD_SECONDS, Group, GroupGivenUpError, RoundEndedError
from rank_probes import (
    PROBE_TIMEOUT_SECONDS,
    Heartbeat,
    RankFailedError,
    ask,
    probe,
    processes,
    progress,
    run,
    total_of,
)

#: Exit status that the unit excludes from restarting: EX_CONFIG of sysexits.h.
GIVEN_UP = 78

#: Behind the name of the container that failed last; engine_diagnosis looks there too.
BEFORE = "-before"

#: When a container was started that never was, as Docker tells it.
NEVER = "0001-"

#: How long Docker may be silent, as it is while it is restarted under containers that go on (live-restore).
BLIND_SECONDS = 120

#: What a rank does, as it stands at the beginning of its status.
WAITING, LOADING = "waiting", "loading"

#: A line on which Python, and so every engine, names an error and what it says.
ERROR_LINE = re.compile(r"\b\w*(?:Error|Exception)\b: \S")
#: pydantic tells what is wrong in the next line, vLLM with all the names that would be right.
COUNTS_ERRORS = re.compile(r"\d+ validation errors? for \S+$")
POINTS_ELSEWHERE = re.compile(
    r"see (?:the )?(?:stack ?trace|root cause|error)|root cause above|EngineDeadError", re.IGNORECASE
)


class StoppedError(Exception):
    """systemd asked us to stop."""


# --- decisions: pure -------------------------------------------------------------------------------------------------


def next_delay(failures: t.Sequence[float], now: float, give_up: dict[str, t.Any]) -> float | None:
    """Return the seconds to wait before the next start, or None to give up.

    ``failures`` are the times of all failures so far; only those within the window count.
    """
    recent = [when for when in failures if now - when <= give_up["window_seconds"]]
    if len(recent) >= give_up["failures"]:
        return None
    delays = give_up["delays_seconds"]
    return float(delays[min(max(len(recent), 1), len(delays)) - 1])


def last_words(log: str) -> str:
    """Return why a program ended: the last line of its log that names an error, else its last three lines.

    A line that only points at another one, as the outermost of several tracebacks does, counts when there is no better.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [
        f"{line} | {lines[at + 1][:300]}" if COUNTS_ERRORS.search(line) and lines[at + 1 :] else line
        for at, line in enumerate(lines)
        if ERROR_LINE.search(line)
    ]
    roots = [line for line in named if not POINTS_ELSEWHERE.search(line)]
    return next(iter([*roots[-1:], *named[-1:]]), " | ".join(lines[-3:]))


def open_paths() -> set[str]:
    """Return every path under /dev/shm and /tmp that a process has mapped or open; of sockets the names alone.

    A socket's path is told as its process sees it, in a container another one than here. Those of the host's network,
    which the ranks have, stand in one table.
    """
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/net/unix").read_text(errors="replace").splitlines()[1:]:
            found.add(os.path.basename(line.partition("/")[2]))
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for line in (entry / "maps").read_text(errors="replace").splitlines():
                found.add(line.partition("/")[1] + line.partition("/")[2])
        with contextlib.suppress(OSError):
            for descriptor in (entry / "fd").iterdir():
                with contextlib.suppress(OSError):
                    found.add(os.readlink(descriptor))
    return found


# --- acting ----------------------------------------------------------------------------------------------------------


class Rank:
    """One rank: its spec, and where it stands."""

    def __init__(self, spec: dict[str, t.Any]) -> None:
        self.spec = spec
        self.name: str = spec["container"]["name"]
        self.told = ""
        self.process_seen = False
        self.failed = False
        self.blind_since: float | None = None
        self.group = Group(spec["group"]) if spec.get("group") else None

    def say(self, status: str, *, ready: bool = False) -> None:
        """Tell systemd (status line, readiness) and the journal; the same words are told once."""
        if status == self.told and not ready:
            return
        self.told = status
        print(status, flush=True)
        address = os.environ.get("NOTIFY_SOCKET", "")
        if address:
            message = f"STATUS={status}" + ("\nREADY=1" if ready else "")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
                channel.sendto(message.encode(), "\0" + address[1:] if address.startswith("@") else address)

    def until_all_pass(
        self, checks: t.Iterable[t.Callable[[], None]], budget: t.Callable[[], rank_budget.Allowance], doing: str
    ) -> None:
        """Make the checks until each has passed once; raises when the budget is spent or, once it runs, the rank died."""
        begun = time.monotonic()
        for one in checks:
            while True:
                if doing == LOADING:
                    self.must_hold()
                try:
                    one()
                    break
                except RankFailedError as why:
                    most = budget()
                    if time.monotonic() - begun >= most.seconds:
                        made_of = f": {most.made_of}" if most.made_of else ""
                        raise RankFailedError(
                            f"{doing}: {why} (budget of {most.seconds:.0f} s spent{made_of})"
                        ) from why
                    within = f" (within {most})" if most.made_of else ""
                    self.say(f"{doing}: {(doing == LOADING and progress(self.log(20))) or why}{within}")
                time.sleep(2)

    def must_hold(self) -> None:
        """Raise RankFailedError when the container has ended, with its exit code and last words, or the group's round."""
        words = self.state()
        if words and words[0] != "true":
            why = last_words(self.log(400))
            raise RankFailedError(f"the container {self.name} ended with exit code {words[1]}: {why}")
        process = self.spec.get("process")
        if words and process:
            running = process in processes(self.name)
            if self.process_seen and not running:
                raise RankFailedError(f"{process} ended in the container {self.name}: {last_words(self.log(400))}")
            self.process_seen = running
        if self.group:
            self.group.check()

    def state(self) -> list[str]:
        """Return [whether the container runs, its exit code]; empty while Docker does not answer, for a bounded time."""
        try:
            asked = run("docker", "inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", self.name)
        except RankFailedError as hangs:
            problem = str(hangs)
        else:
            if asked.returncode == 0:
                self.blind_since = None
                return asked.stdout.split()
            problem = asked.stderr.strip()[-200:]
            if "no such" in problem.lower():
                raise RankFailedError(f"the container {self.name} is gone")
        now = time.monotonic()
        if self.blind_since is None:
            self.blind_since = now
            print(f"Docker does not answer, which says nothing of the rank: {problem}", flush=True)
        if now - self.blind_since > BLIND_SECONDS:
            raise RankFailedError(f"Docker has not answered for {BLIND_SECONDS} s: {problem}")
        return []

    def has_run(self) -> bool:
        """Tell whether there is a container, and it has run: one that could not be started has no log."""
        begun = run("docker", "inspect", "--format", "{{.State.StartedAt}}", self.name)
        return begun.returncode == 0 and not begun.stdout.startswith(NEVER)

    def log(self, lines: int) -> str:
        """Return the last lines of the container's log; progress bars begin a line too."""
        shown = run("docker", "logs", "--tail", str(lines), self.name)
        return (shown.stdout + shown.stderr).replace("\r", "\n")

    def sweep(self) -> None:
        """Remove the container and the files of a predecessor; the last one that ran and failed is kept, for its log says why."""
        ran = self.failed and self.has_run()
        if ran or not self.failed:
            run("docker", "rm", "--force", self.name + BEFORE)
        if ran:
            run("docker", "rename", self.name, self.name + BEFORE)
        run("docker", "rm", "--force", self.name)
        left = [path for pattern in self.spec.get("sweep", []) for path in glob.glob(pattern)]
        used = open_paths() if left else set()
        for path in left:
            if not {path, os.path.basename(path)} & used:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def probes(self, kind: str) -> list[t.Callable[[], None]]:
        """Return the checks of ``waits``, ``ready`` or ``alive``, which raise RankFailedError."""
        return [
            Heartbeat(one).beat if one["kind"] == "tokens" else functools.partial(probe, one, self.name)
            for one in self.spec[kind]
        ]

    def start(self) -> None:
        """Wait, sweep, start, and wait until ready."""
        # Its supervisor was killed. The others begin when nothing runs here; the log stays until the next start.
        run("docker", "kill", self.name)
        gather = [functools.partial(must_be_empty, self.group.lacks)] if self.group else []
        patience = rank_budget.Allowance(self.spec["wait_budget_seconds"], "")
        self.until_all_pass([*self.probes("waits"), *gather], lambda: patience, WAITING)
        self.sweep()
        self.say(f"starting {self.name}")
        taken = rank_ports.taken(self.spec.get("ports", []))
        if taken:
            raise RankFailedError(taken)
        own = rank_budget.allowance(self.spec)
        if self.group:
            self.group.needs(own.seconds)
        started = run("docker", "run", "--detach", "--name", self.name, *self.spec["container"]["run"], timeout=300)
        if started.returncode != 0:
            raise RankFailedError(f"docker run failed: {started.stderr.strip()[-500:]}")
        begun = time.monotonic()
        self.process_seen = False
        together = [functools.partial(must_be_empty, self.group.not_ready)] if self.group else []
        self.until_all_pass([*self.probes("ready"), *together], lambda: self.allowed(own), LOADING)
        if self.group:
            self.group.tell("ready" if self.group.leads else "up")
        rank_budget.keep(self.spec)
        self.failed = False
        within = f" of {own}" if own.made_of else ""
        self.say(f"ready after {time.monotonic() - begun:.0f} s{within}", ready=True)

    def allowed(self, own: rank_budget.Allowance) -> rank_budget.Allowance:
        """Return how long this start may take, given what this rank needs by itself: the slowest rank of a group decides."""
        if not self.group:
            return own
        if not self.group.leads:
            # Rank 0 ends the round for all.
            return rank_budget.Allowance(float(self.spec["ready_budget_seconds"]), f"rank 0 decides; here {own}")
        longest, rank = self.group.longest()
        return rank_budget.Allowance(longest, f"rank {rank} needs it") if longest > own.seconds else own

    def watch(self) -> None:
        """Return never; raises RankFailedError when the rank is dead."""
        failures = 0
        alive = self.probes("alive")
        while True:
            time.sleep(self.spec["watch_seconds"])
            self.must_hold()
            try:
                for one in alive:
                    one()
                failures = 0
            except RankFailedError as why:
                failures += why.weight
                print(f"alive? {failures} of {self.spec['alive_failures']}: {why}", flush=True)
                if failures >= self.spec["alive_failures"]:
                    raise

    def drain(self) -> None:
        """Wait, for a bounded time, until no request is served any more."""
        drain = self.spec.get("drain")
        if not drain or not self.told.startswith("ready"):
            return
        end = time.monotonic() + drain["seconds"]
        while time.monotonic() < end:
            try:
                running = total_of(ask(drain["metrics_url"], timeout=PROBE_TIMEOUT_SECONDS), drain["gauges"])
            except RankFailedError:
                return
            if not running:
                return
            self.say(f"draining: {running:g} requests are served still")
            time.sleep(1)

    def stop(self, why: str = "") -> None:
        """Stop the container, politely first; keep it, so that its log can be read until the next start."""
        # The others stop with the leader; a follower is down when it is.
        if self.group and self.group.leads:
            self.group.tell("down", why)
        seconds = self.spec["container"]["stop_seconds"]
        with contextlib.suppress(RankFailedError):
            run("docker", "stop", "--time", str(seconds), self.name, timeout=seconds + 30)
        if self.group:
            self.group.tell("down", why)

    def give_up(self, why: str) -> int:
        """Say so, to the others too, and return the exit status."""
        self.say(f"given up {why}")
        if self.group:
            self.group.tell("given_up", why)
            time.sleep(LAST_WORD_SECONDS)
        return GIVEN_UP

    def keep(self) -> int:
        """Start and watch until stopped (returns 0) or given up (returns 78)."""
        failures: list[float] = []
        if self.group:
            try:
                self.group.serve()
            except OSError as why:
                # The unit starts it again.
                self.say(f"failed: {self.group.spec['address']}:{self.group.spec['port']} cannot be listened on: {why}")
                return 1
        while True:
            try:
                self.start()
                self.watch()
            except GroupGivenUpError as why:
                self.stop(str(why))
                return self.give_up(f"with the group: {why}")
            except RoundEndedError as why:
                # Rank 0 has counted it.
                self.failed = True
                self.stop(str(why))
                self.say(f"stopped with the group: {why}")
                time.sleep(1)
            except RankFailedError as why:
                self.failed = True
                failures.append(time.monotonic())
                recent = sum(failures[-1] - when <= self.spec["give_up"]["window_seconds"] for when in failures)
                failed = f"failed{f' {recent} times' if recent > 1 else ''}: {why}"
                self.stop(failed)
                delay = next_delay(failures, failures[-1], self.spec["give_up"])
                if delay is None:
                    return self.give_up(f"after {len(failures)} failures, the last one: {why}")
                if self.group and not self.group.leads:
                    # Rank 0 waits for the whole group.
                    delay = 1.0
                self.say(f"{failed}; next start in {delay:g} s")
                time.sleep(delay)


def must_be_empty(ask_what_lacks: t.Callable[[], str]) -> None:
    """Raise RankFailedError with what lacks, unless nothing does."""
    lack = ask_what_lacks()
    if lack:
        raise RankFailedError(lack)


def main() -> int:
    def asked_to_stop(_number: int, _frame: t.Any) -> None:
        raise StoppedError

    signal.signal(signal.SIGTERM, asked_to_stop)
    signal.signal(signal.SIGINT, asked_to_stop)
    rank = Rank(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))
    try:
        return rank.keep()
    except StoppedError:
        with contextlib.suppress(StoppedError):
            rank.drain()
        rank.say(f"stopping {rank.name}")
        rank.stop("it was stopped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
