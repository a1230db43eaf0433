#!/usr/bin/python3

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep one rank of a group running: the main process of a gpufleet unit (systemd, NotifyAccess=main).

usage: rank_supervisor.py SPEC.json

It carries out the rank's part of a plan, again and again: sweep what a killed predecessor left, wait for what the rank
needs, start the container, wait until it is ready, watch that it stays alive. When any of this fails it stops the whole
container, waits longer after each failure, and gives up after too many in a row (exit 78, which the unit does not
restart), so that a broken group does not hammer the node. `systemctl status UNIT` shows what it is doing.

Spec (JSON), all times in seconds:
  container   {name, run: [arguments of `docker run` after -d --name NAME], stop_seconds}
  sweep       [glob of files under /dev/shm or /tmp left by a killed process; only those that no process has open]
  waits       [probe]        needed before the start
  ready       [probe]        when all pass once, the rank is ready
  alive       [probe]        watched from then on, every watch_seconds
  wait_budget_seconds, ready_budget_seconds, watch_seconds, alive_failures (in a row before the rank counts as dead)
  give_up     {failures, window_seconds, delays_seconds: [after the first failure, after the second, ...]}
Probe kinds:
  {kind: tcp, address, port}                                   a connection is accepted
  {kind: process, name}                                        a process of that name runs in the container
  {kind: http, url, token_path?}                               answers 200
  {kind: ray_nodes, url, token_path, addresses: [..], gpus}    Ray counts all members alive with that many GPUs
  {kind: completion, url, model}                               a bounded completion gives a token
"""

from __future__ import annotations

import contextlib
import glob
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request

#: Exit status that the unit excludes from restarting: EX_CONFIG of sysexits.h.
GIVEN_UP = 78

#: A probe's own bound; a hung peer is a failed probe.
PROBE_TIMEOUT_SECONDS = 10.0

#: A first completion may compile kernels.
COMPLETION_TIMEOUT_SECONDS = 120.0

#: A line on which Python, and so every engine, names an error and what it says.
ERROR_LINE = re.compile(r"\b\w*(?:Error|Exception)\b: \S")
POINTS_ELSEWHERE = re.compile(
    r"see (?:the )?(?:stack ?trace|root cause|error)|root cause above|EngineDeadError", re.IGNORECASE
)


class RankFailedError(Exception):
    """This start came to nothing; the text says why."""


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
    named = [line for line in lines if ERROR_LINE.search(line)]
    roots = [line for line in named if not POINTS_ELSEWHERE.search(line)]
    return next(iter([*roots[-1:], *named[-1:]]), " | ".join(lines[-3:]))


def missing_ray_nodes(nodes: t.Sequence[dict[str, t.Any]], addresses: t.Sequence[str], gpus: float) -> str:
    """Return what Ray lacks of the wanted members, as a sentence part; empty when it lacks nothing."""
    alive = [node for node in nodes if node.get("state") == "ALIVE"]
    absent = sorted(set(addresses) - {node.get("node_ip") for node in alive})
    if absent:
        return f"Ray does not count {', '.join(absent)} as alive"
    members = [node for node in alive if node.get("node_ip") in set(addresses)]
    have = sum(float((node.get("resources_total") or {}).get("GPU", 0)) for node in members)
    return f"Ray has {have:g} of {gpus:g} GPUs" if have < gpus else ""


# --- asking ----------------------------------------------------------------------------------------------------------


def ask(url: str, token_path: str | None = None, body: dict[str, t.Any] | None = None, timeout: float = 10.0) -> str:
    """Return the body of a 200 answer; raises RankFailedError otherwise. Uses no proxy: the peer is on this fabric."""
    headers = {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        if token_path:
            headers["Authorization"] = "Bearer " + pathlib.Path(token_path).read_text(encoding="utf-8").strip()
        request = urllib.request.Request(url, data=data, headers=headers)
        with opener.open(request, timeout=timeout) as answer:
            return str(answer.read(10_000_000), "utf-8", "replace")
    except urllib.error.HTTPError as error:
        raise RankFailedError(f"{url} answered {error.code}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RankFailedError(f"{url}: {getattr(error, 'reason', error)}") from error


def run(*argv: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
    """Run a command with a bound; a command that hangs is a failure of this start."""
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise RankFailedError(f"{' '.join(argv[:3])} did not return within {timeout:g} s") from error
    except OSError as error:
        raise RankFailedError(f"{argv[0]} cannot be started: {error.strerror}") from error


def probe(one: dict[str, t.Any], container: str) -> None:
    """Make one probe; raises RankFailedError with the reason when it does not pass."""
    try:
        _probe(one, container)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RankFailedError(f"{one.get('url', one['kind'])} answered in an unknown form: {error!r}") from error


def _probe(one: dict[str, t.Any], container: str) -> None:
    kind = one["kind"]
    if kind == "tcp":
        try:
            socket.create_connection((one["address"], one["port"]), timeout=PROBE_TIMEOUT_SECONDS).close()
        except OSError as error:
            raise RankFailedError(f"{one['address']}:{one['port']} does not accept: {error}") from error
    elif kind == "process":
        if one["name"] not in processes(container):
            raise RankFailedError(f"{one['name']} does not run in {container}")
    elif kind == "http":
        ask(one["url"], one.get("token_path"), timeout=PROBE_TIMEOUT_SECONDS)
    elif kind == "ray_nodes":
        answer = json.loads(ask(one["url"], one.get("token_path"), timeout=PROBE_TIMEOUT_SECONDS))
        lack = missing_ray_nodes(answer["data"]["result"]["result"], one["addresses"], one["gpus"])
        if lack:
            raise RankFailedError(lack)
    elif kind == "completion":
        body = {"model": one["model"], "prompt": "1", "max_tokens": 1, "temperature": 0}
        answer = json.loads(ask(one["url"], body=body, timeout=COMPLETION_TIMEOUT_SECONDS))
        if not (answer.get("usage") or {}).get("completion_tokens"):
            raise RankFailedError(f"{one['url']} gave no token")
    else:
        raise RankFailedError(f"the plan names an unknown probe {kind!r}")


def processes(container: str) -> set[str]:
    """Return the names of the processes in a container, read from /proc: cheap enough to ask every few seconds."""
    identity = run("docker", "inspect", "--format", "{{.Id}}", container).stdout.strip()
    names: set[str] = set()
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and identity:
            with contextlib.suppress(OSError):
                if identity in (entry / "cgroup").read_text():
                    names.add((entry / "comm").read_text().strip())
    return names


def open_paths() -> set[str]:
    """Return every path under /dev/shm and /tmp that a process has mapped or open."""
    found: set[str] = set()
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

    def until_all_pass(self, probes: list[dict[str, t.Any]], budget: float, doing: str, *, watch: bool) -> None:
        """Make the probes until each has passed once; raises when the budget is spent or the rank died."""
        end = time.monotonic() + budget
        for one in probes:
            while True:
                if watch:
                    self.must_run()
                try:
                    probe(one, self.name)
                    break
                except RankFailedError as why:
                    left = end - time.monotonic()
                    if left <= 0:
                        raise RankFailedError(f"{doing}: {why} (budget of {budget:g} s spent)") from why
                    self.say(f"{doing}: {why}")
                time.sleep(2)

    def must_run(self) -> None:
        """Raise RankFailedError when the container has ended, with its exit code and last words."""
        state = run("docker", "inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", self.name)
        words = state.stdout.split()
        if state.returncode != 0:
            raise RankFailedError(f"the container {self.name} is gone")
        if words[0] != "true":
            log = run("docker", "logs", "--tail", "400", self.name)
            why = last_words(log.stdout + log.stderr)
            raise RankFailedError(f"the container {self.name} ended with exit code {words[1]}: {why}")

    def sweep(self) -> None:
        """Remove the container and the files of a predecessor that was killed."""
        run("docker", "rm", "--force", self.name)
        left = [path for pattern in self.spec.get("sweep", []) for path in glob.glob(pattern)]
        used = open_paths() if left else set()
        for path in left:
            if path not in used:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def start(self) -> None:
        """Sweep, wait, start, and wait until ready."""
        self.sweep()
        self.until_all_pass(self.spec["waits"], self.spec["wait_budget_seconds"], "waiting", watch=False)
        self.say(f"starting {self.name}")
        started = run("docker", "run", "--detach", "--name", self.name, *self.spec["container"]["run"], timeout=300)
        if started.returncode != 0:
            raise RankFailedError(f"docker run failed: {started.stderr.strip()[-500:]}")
        begun = time.monotonic()
        self.until_all_pass(self.spec["ready"], self.spec["ready_budget_seconds"], "loading", watch=True)
        self.say(f"ready after {time.monotonic() - begun:.0f} s", ready=True)

    def watch(self) -> None:
        """Return never; raises RankFailedError when the rank is dead."""
        failures = 0
        while True:
            time.sleep(self.spec["watch_seconds"])
            self.must_run()
            try:
                for one in self.spec["alive"]:
                    probe(one, self.name)
                failures = 0
            except RankFailedError as why:
                failures += 1
                print(f"alive? {failures} of {self.spec['alive_failures']}: {why}", flush=True)
                if failures >= self.spec["alive_failures"]:
                    raise

    def stop(self) -> None:
        """Stop the container, politely first; keep it, so that its log can be read until the next start."""
        seconds = self.spec["container"]["stop_seconds"]
        with contextlib.suppress(RankFailedError):
            run("docker", "stop", "--time", str(seconds), self.name, timeout=seconds + 30)

    def keep(self) -> int:
        """Start and watch until stopped (returns 0) or given up (returns 78)."""
        failures: list[float] = []
        while True:
            try:
                self.start()
                self.watch()
            except RankFailedError as why:
                self.stop()
                failures.append(time.monotonic())
                delay = next_delay(failures, failures[-1], self.spec["give_up"])
                if delay is None:
                    self.say(f"given up after {len(failures)} failures, the last one: {why}")
                    return GIVEN_UP
                self.say(f"failed: {why}; next start in {delay:g} s")
                time.sleep(delay)


def main() -> int:
    def asked_to_stop(_number: int, _frame: t.Any) -> None:
        raise StoppedError

    signal.signal(signal.SIGTERM, asked_to_stop)
    signal.signal(signal.SIGINT, asked_to_stop)
    rank = Rank(json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")))
    try:
        return rank.keep()
    except StoppedError:
        rank.say(f"stopping {rank.name}")
        rank.stop()
        return 0


if __name__ == "__main__":
    sys.exit(main())
