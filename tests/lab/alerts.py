# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make real faults in a monitored lab and see Prometheus fire the alert of each: ``python -m tests.lab.alerts``.

lab1 and lab2 must serve and be monitored from lab1 (``site.yml -i inventories/lab -i inventories/lab_monitoring``). Faults that do
not disturb each other are made together. At the end ``site.yml`` mends them. Prints how long each alert took.
What needs a graphics card, InfiniBand, hours or a full disk of this machine is fired by promtool alone (``tests/unit``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import ssl
import sys
import threading
import time
import typing as t
import urllib.error
import urllib.request

from tests.lab import paths
from tests.lab.shell import LabError, run, say

INVENTORY = ("-i", "inventories/lab", "-i", "inventories/lab_monitoring")
SECRETS = paths.ROOT / "inventories/lab/.secrets"
URL = "https://10.77.0.11/v1/completions"
MODEL = "tiny-deepseek-v3"
TEXTFILE = "/var/lib/gpufleet-monitoring/textfile"
#: The longest `for` here is a quarter of an hour.
PATIENCE_SECONDS = 1800
WRONG_KEY = "0123456789abcdef0123456789abcdef"

#: A promise that no engine keeps, and somebody who does not listen.
WISHES = {
    "monitoring_slo": {"ttft_seconds": 0.001, "tpot_seconds": 0.1, "objective": 0.95},
    "monitoring_receivers": [{"name": "deaf", "webhook_url": "http://127.0.0.1:9/"}],
}

ASK = """
import json, urllib.request
with urllib.request.urlopen("http://127.0.0.1:9090/api/v1/alerts", timeout=10) as answer:
    print(json.dumps(json.load(answer)["data"]["alerts"]))
"""
#: More memory than the kernel gives it.
GREEDY = (
    "systemd-run --quiet --wait -p MemoryMax=60M -p MemoryLimit=60M python3 -c \"print(len(b'x' * 400000000))\" || true"
)


def on(host: str, script: str) -> None:
    """Run a shell script on a lab host."""
    run(["docker", "exec", host, "sh", "-ec", script])


def play(playbook: str, **variables: t.Any) -> None:
    """Run one of our playbooks on the lab."""
    run([".venv/bin/ansible-playbook", f"playbooks/{playbook}.yml", *INVENTORY, "-e", json.dumps(variables)])


def fail_a_check() -> None:
    """Undo what os_tuning did, and let verify.yml find it."""
    on("lab1", "sysctl -qw net.core.somaxconn=128")
    # It ends with an error, as it finds what was broken; the alert tells whether it did.
    with contextlib.suppress(LabError):
        play("verify")


def waits() -> None:
    """Nothing to do: the fault was made at the start, or together with another one."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is done, and the alert that it must fire, of that node where the alert names one.

    ``after``: alerts that must have fired before this fault is made, as it would hide theirs.
    """

    alert: str
    what: str
    make: t.Callable[[], None] = waits
    node: str = ""
    after: tuple[str, ...] = ()


FAULTS = (
    Fault("CertificateExpiresSoon", "a certificate for five days"),
    Fault("SloBurnsFast", "a promise of 1 ms to the first token"),
    Fault("AlertsNotDelivered", "a receiver at a closed port"),
    Fault("GatewayRefuses", "two requests of three have a wrong key"),
    Fault("MemoryEnded", "a process beyond its memory limit", lambda: on("lab1", GREEDY), "lab1"),
    Fault(
        "TextfileUnreadable",
        "a file that is no metrics",
        lambda: on("lab1", f"echo broken > {TEXTFILE}/broken.prom"),
        "lab1",
    ),
    Fault("VerdictFailed", "net.core.somaxconn set back, then verify.yml", fail_a_check, "lab1"),
    Fault(
        "VerdictsStale",
        "verdicts nine days old",
        lambda: on("lab1", rf"sed -i -E 's/^(gpufleet_proof_timestamp_seconds.*) .*/\1 1000000000/' {TEXTFILE}/*.prom"),
        "lab1",
        ("VerdictFailed",),
    ),
    Fault(
        "TargetDown",
        "the node exporter stopped",
        lambda: on("lab2", "systemctl stop gpufleet-node-exporter.service"),
        "lab2",
        ("VerdictFailed",),
    ),
    Fault(
        "RayNodeLost",
        "the second node's Ray stopped",
        lambda: on("lab2", "systemctl stop gpufleet-ray.service"),
        "lab2",
        ("SloBurnsFast", "VerdictFailed"),
    ),
    Fault(
        "GatewayErrors",
        "no engine behind the gateway",
        lambda: on("lab1", f"systemctl stop gpufleet-engine-{MODEL}.service"),
        "lab1",
        ("SloBurnsFast", "VerdictFailed"),
    ),
    Fault("EndpointDown", "the same: /health says 503", after=("SloBurnsFast", "VerdictFailed")),
)


def fires(fault: Fault, alerts: t.Iterable[t.Mapping[str, t.Any]]) -> bool:
    """Return whether the alert of a fault is among those that Prometheus lists as firing."""
    return any(
        one["state"] == "firing"
        and one["labels"]["alertname"] == fault.alert
        and (not fault.node or one["labels"].get("node") == fault.node)
        for one in alerts
    )


def due(made: t.Container[str], fired: t.Container[str]) -> list[Fault]:
    """Return the faults that are to be made now."""
    return [one for one in FAULTS if one.alert not in made and all(other in fired for other in one.after)]


def alerts_now() -> list[dict[str, t.Any]]:
    """Return what Prometheus lists."""
    found: list[dict[str, t.Any]] = json.loads(run(["docker", "exec", "lab1", "python3", "-c", ASK]))
    return found


@contextlib.contextmanager
def clients() -> t.Iterator[None]:
    """Ask the gateway all the time: once with the right key, twice with a wrong one."""
    key = (SECRETS / "gateway_api_key").read_text(encoding="utf-8").splitlines()[0].rpartition(":")[2].strip()
    body = json.dumps({"model": MODEL, "prompt": "Hello", "max_tokens": 4}).encode()
    context = ssl._create_unverified_context()
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(1):
            for one in (key, WRONG_KEY, WRONG_KEY):
                headers = {"Authorization": f"Bearer {one}", "Content-Type": "application/json"}
                with (
                    contextlib.suppress(OSError, urllib.error.URLError),
                    urllib.request.urlopen(urllib.request.Request(URL, body, headers), timeout=20, context=context),
                ):
                    pass

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        stop.set()
        asking.join()


def watch() -> dict[str, float]:
    """Make the faults, each when it is due, and return the seconds from there to its alert."""
    made: dict[str, float] = {}
    fired: dict[str, float] = {}
    end = time.monotonic() + PATIENCE_SECONDS
    while len(fired) < len(FAULTS) and time.monotonic() < end:
        for fault in due(made, fired):
            if fault.make is not waits and fires(fault, alerts_now()):
                raise LabError(f"{fault.alert} fires before its fault is made")
            say(f"{fault.alert}: {fault.what}")
            made[fault.alert] = time.monotonic()
            fault.make()
        now = alerts_now()
        for fault in FAULTS:
            if fault.alert in made and fault.alert not in fired and fires(fault, now):
                fired[fault.alert] = time.monotonic() - made[fault.alert]
                say(f"{fault.alert} fires after {fired[fault.alert]:.0f} s")
        time.sleep(3)
    return fired


def main() -> int:
    """Make all faults, print a table, mend them. Returns 1 when an alert did not fire."""
    early = [fault.alert for fault in FAULTS if fires(fault, alerts_now())]
    if early:
        raise LabError(f"{', '.join(early)} fire before anything was broken")
    for path in SECRETS.glob("gateway-*.crt"):
        path.unlink()
    try:
        play("serve", gateway_certificate_days=5)
        with clients():
            play("monitor", **WISHES)
            fired = watch()
    finally:
        say("mending")
        for path in SECRETS.glob("gateway-*.crt"):
            path.unlink()
        on("lab1", f"rm -f {TEXTFILE}/broken.prom")
        play("site")
    print(f"\n| {datetime.datetime.now(datetime.UTC).date()}: fault | alert | after, s |\n|---|---|---|")
    for fault in FAULTS:
        print(f"| {fault.what} | {fault.alert} | {f'{fired[fault.alert]:.0f}' if fault.alert in fired else 'never'} |")
    return 0 if len(fired) == len(FAULTS) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"lab: error: {error}")
