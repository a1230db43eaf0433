# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rank supervisor asks: ports, processes, an engine's answers and its counters.

Probe kinds, as a plan names them:
  {kind: tcp, address, port}                                   a connection is accepted
  {kind: process, name}                                        a process of that name runs in the container
  {kind: http, url, token_path?}                               answers 200
  {kind: ray_nodes, url, token_path, addresses: [..], gpus}    Ray counts all members alive with that many GPUs
  {kind: completion, url, model}                               a bounded completion gives a token
  {kind: tokens, url, model, metrics_url?, counters: [..], idle_seconds, timeout_seconds}
                                                               tokens flow, or a bounded completion gives one; see Heartbeat
"""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import time
import typing as t
import urllib.error
import urllib.request

#: A probe's own bound; a hung peer is a failed probe.
PROBE_TIMEOUT_SECONDS = 10.0

#: A first completion may compile kernels.
COMPLETION_TIMEOUT_SECONDS = 120.0

#: How an engine tells what share of something it has done, as progress bars write it.
SHARE = re.compile(r"([A-Z][A-Za-z0-9 ,_-]{3,60}?)(?: \(\w+\))?:\s+(\d{1,3})%")


class RankFailedError(Exception):
    """This start came to nothing; the text says why. ``weight``: as how many failures in a row it counts."""

    weight = 1


class SilentError(RankFailedError):
    """The engine gives no token, although it was given time: two in a row are enough."""

    weight = 3


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
    with _understood(one.get("url", one["kind"])):
        _probe(one, container)


@contextlib.contextmanager
def _understood(what: str) -> t.Iterator[None]:
    """Turn what an answer of another form does to our code into a failure with a reason: a supervisor must not end of it."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RankFailedError(f"{what} answered in an unknown form: {error!r}") from error


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
        complete(one["url"], one["model"])
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


def missing_ray_nodes(nodes: t.Sequence[dict[str, t.Any]], addresses: t.Sequence[str], gpus: float) -> str:
    """Return what Ray lacks of the wanted members, as a sentence part; empty when it lacks nothing."""
    alive = [node for node in nodes if node.get("state") == "ALIVE"]
    absent = sorted(set(addresses) - {node.get("node_ip") for node in alive})
    if absent:
        return f"Ray does not count {', '.join(absent)} as alive"
    members = [node for node in alive if node.get("node_ip") in set(addresses)]
    have = sum(float((node.get("resources_total") or {}).get("GPU", 0)) for node in members)
    return f"Ray has {have:g} of {gpus:g} GPUs" if have < gpus else ""


class Heartbeat:
    """Whether tokens flow. An engine whose counter moves needs no question; a silent one must give a token now and then.

    It finds what /health does not: vLLM answers 200 there with a dead or stopped rank behind it, until somebody asks.
    """

    def __init__(self, spec: dict[str, t.Any]) -> None:
        self.spec = spec
        self.total: float | None = None
        self.seen = time.monotonic()

    def beat(self) -> None:
        """Raise SilentError when a completion was due and gave nothing in time."""
        total = self._count()
        now = time.monotonic()
        if total is not None and self.total is not None and total > self.total:
            self.seen = now
        self.total = total
        if now - self.seen < self.spec["idle_seconds"]:
            return
        try:
            complete(self.spec["url"], self.spec["model"], self.spec["timeout_seconds"])
        except RankFailedError as why:
            raise SilentError(f"no token: {why}") from why
        self.seen = time.monotonic()

    def _count(self) -> float | None:
        if not self.spec.get("metrics_url"):
            return None
        try:
            return total_of(ask(self.spec["metrics_url"], timeout=PROBE_TIMEOUT_SECONDS), self.spec["counters"])
        except RankFailedError:
            # Without counters a completion is due; that one tells more.
            return None


def complete(url: str, model: str, timeout_seconds: float = COMPLETION_TIMEOUT_SECONDS) -> None:
    """Ask for one token; raises RankFailedError when none came."""
    body = {"model": model, "prompt": "1", "max_tokens": 1, "temperature": 0}
    with _understood(url):
        answer = json.loads(ask(url, body=body, timeout=timeout_seconds))
        if not (answer.get("usage") or {}).get("completion_tokens"):
            raise RankFailedError(f"{url} gave no token")


def total_of(metrics: str, names: t.Sequence[str]) -> float | None:
    """Return the sum of all series of these names in Prometheus' text; None when there is none."""
    found = None
    for line in metrics.splitlines():
        name, _, rest = line.partition("{") if "{" in line else line.partition(" ")
        if name in names:
            with contextlib.suppress(ValueError, IndexError):
                found = (found or 0.0) + float(rest.rpartition("}")[2].split()[0])
    return found


def progress(log: str) -> str:
    """Return the last share that a log tells, such as ``Loading safetensors checkpoint shards 42 %``; empty when none."""
    found = SHARE.findall(log)
    return f"{found[-1][0].strip()} {found[-1][1]} %" if found else ""
