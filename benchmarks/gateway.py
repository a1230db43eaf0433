# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure what a gateway costs, side by side: ``python -m benchmarks.gateway [clients …]``.

A stand-in for an engine is asked directly, through the role's HAProxy and through the nginx that it replaced, in turn, in one run; medians
of RUNS. Needs ``haproxy`` and ``nginx`` on this machine; prints the table of ``benchmarks/gateway.md``.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from benchmarks import gateway_setup
from benchmarks.gateway_client import Figures, Load, Route, run

ROOT = pathlib.Path(__file__).resolve().parent.parent

RUNS = 3
CLIENTS = (1, 4, 16, 64, 256)
ENGINE, NGINX, HAPROXY = 18100, 18200, 18300
#: An engine at 50 tokens per second and client; and one that is never the bottleneck.
PACED = {"requests": 2, "tokens": 50, "pace_seconds": 0.02}
#: So many tokens are streamed flat out in all, whatever the number of clients.
FLAT_TOKENS = 25600


def loads(clients: t.Sequence[int]) -> dict[str, list[Load]]:
    """Return the loads of both tables."""
    return {
        "20 ms per token": [Load(number, **PACED) for number in clients],
        "flat out": [Load(number, max(1, FLAT_TOKENS // 100 // number), 100, 0) for number in clients],
    }


@contextlib.contextmanager
def service(port: int, *words: str) -> t.Iterator[int]:
    """Run a program until the end of the block and give its process number; begin when it listens."""
    environment = dict(os.environ, **gateway_setup.ENVIRONMENT)
    with subprocess.Popen(
        words, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            for _attempt in range(100):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            else:
                sys.exit(f"{words[0]} does not listen on {port}")
            yield process.pid
        finally:
            process.terminate()
            process.communicate(timeout=30)


def cpu_seconds(process: int) -> float:
    """Return the CPU time of a process and its children so far."""
    root = pathlib.Path("/proc") / str(process)
    fields = (root / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = (root / "task" / str(process) / "children").read_text(encoding="utf-8").split()
    return own + sum(cpu_seconds(int(child)) for child in children)


def measure(routes: t.Sequence[Route], load: Load) -> dict[str, Figures]:
    """Return the medians of each route; the routes take turns, so that what the machine does else hits all of them."""
    found: dict[str, list[Figures]] = {route.name: [] for route in routes}
    for number in range(RUNS):
        for route in (*routes[number % len(routes) :], *routes[: number % len(routes)]):
            found[route.name].append(run(route, load))
    return {
        name: Figures(
            statistics.median(one.tokens_per_second for one in all_runs),
            statistics.median(one.ttft_ms for one in all_runs),
        )
        for name, all_runs in found.items()
    }


def costs(routes: t.Sequence[Route], processes: t.Sequence[int]) -> t.Iterator[str]:
    """Return what a token costs each gateway; other users of the machine do not change it."""
    load = Load(32, 10, 100, 0.02)
    for route, process in zip(routes, processes, strict=True):
        before = cpu_seconds(process)
        run(route, load)
        tokens = load.clients * load.requests * load.tokens
        yield f"{route.name} {(cpu_seconds(process) - before) / tokens * 1e6:.0f}"


def row(load: Load, figures: t.Mapping[str, Figures]) -> str:
    """Return one line of the table: the engine's own figures, then what each gateway changes."""
    own = figures["engine"]
    cells = [f"{own.tokens_per_second:.0f}", f"{own.ttft_ms:.2f}"]
    for name in ("haproxy", "nginx"):
        lost = (1 - figures[name].tokens_per_second / own.tokens_per_second) * 100
        cells += [f"{lost:+.1f} %", f"{figures[name].ttft_ms - own.ttft_ms:+.2f}"]
    return f"| {load.clients} | {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        context = ssl.create_default_context(cafile=str(gateway_setup.certificate(directory)))
        deployment = {"name": "stub", "served_name": "stub", "upstreams": [f"127.0.0.1:{ENGINE}"]}
        gateway_setup.haproxy(directory, [deployment], HAPROXY)
        gateway_setup.nginx(directory, NGINX, ENGINE)
        stack.enter_context(service(ENGINE, sys.executable, "-m", "benchmarks.gateway_stub", str(ENGINE)))
        haproxy, nginx = shutil.which("haproxy"), shutil.which("nginx")
        if not haproxy or not nginx:
            sys.exit("install haproxy and nginx first (apt-get install haproxy nginx)")
        processes = [
            stack.enter_context(service(HAPROXY, haproxy, "-db", "-q", "-f", str(directory / "haproxy.cfg"))),
            stack.enter_context(service(NGINX, nginx, "-p", str(directory), "-c", str(directory / "nginx.conf"))),
        ]
        routes = [
            Route("engine", ENGINE),
            Route("haproxy", HAPROXY, gateway_setup.KEY, context),
            Route("nginx", NGINX, gateway_setup.KEY, context),
        ]
        date = datetime.datetime.now(datetime.UTC).date()
        print(f"{date}, {os.cpu_count()} cores for clients, gateway and stand-in; medians of {RUNS} runs in turn\n")
        for title, all_loads in loads([int(one) for one in arguments] or CLIENTS).items():
            print(f"**{title}**\n")
            print(
                "| Clients | engine, tokens/s | TTFT, ms | HAProxy: throughput lost | TTFT, ms | nginx: lost | TTFT, ms |"
            )
            print("|---|---|---|---|---|---|---|")
            for load in all_loads:
                print(row(load, measure(routes, load)), flush=True)
            print()
        print("CPU of the gateway per token, microseconds: " + ", ".join(costs(routes[1:], processes)))


if __name__ == "__main__":
    main(sys.argv[1:])
