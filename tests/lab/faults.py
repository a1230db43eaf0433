# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Break each rank of a running deployment in turn, watch how long its group takes to be whole again, and
whether it then says the same.

``python -m tests.lab.faults DEPLOYMENT HOST... [--only kill,hang,cut] [--ranks 0,1]``, the hosts in the order of their ranks.
The first host is asked for a token every second, on the engine's own port. Written for lab hosts: it reaches them by
``docker exec``, so that it can cut their network.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import sys
import time
import typing as t

from tests.lab import platforms
from tests.lab.shell import LabError, run, say

#: How long a network stays cut. Longer than the supervisors bear silence (rank_group.py), so that both sides must act.
CUT_SECONDS = 60

#: Tokens of the greedy reply that must be the same after every fault.
REPLY_TOKENS = 16

#: How long a group may take before the test ends in failure.
PATIENCE_SECONDS = 600

ASK = """
import json, sys, urllib.request
body = json.dumps({"model": sys.argv[2], "prompt": "Hello", "max_tokens": int(sys.argv[3]), "temperature": 0}).encode()
asked = urllib.request.Request(sys.argv[1], data=body, headers={"Content-Type": "application/json"})
with urllib.request.urlopen(asked, timeout=5 + int(sys.argv[3])) as answer:
    said = json.load(answer)
assert said["usage"]["completion_tokens"] > 0
print(json.dumps(said["choices"][0]["text"]))
"""

#: Everything but loopback is dropped, both ways.
CUT = """table inet cut {
  chain i { type filter hook input priority -300; iifname != "lo" drop; }
  chain o { type filter hook output priority -300; oifname != "lo" drop; }
}"""


@dataclasses.dataclass
class Group:
    """A deployment on lab hosts; host and container of each rank."""

    name: str
    hosts: list[str]
    url: str = "http://127.0.0.1:8000/v1/completions"

    @property
    def unit(self) -> str:
        return f"gpufleet-engine-{self.name}.service"

    def container(self, rank: int) -> str:
        return f"gpufleet-engine-{self.name}-rank{rank}"

    def reply(self, tokens: int) -> str:
        """Return a greedy completion; empty when none comes in time (five seconds, and one per token)."""
        try:
            ask = ["python3", "-c", ASK, self.url, self.name, str(tokens)]
            return run(["docker", "exec", self.hosts[0], *ask], timeout_seconds=60).strip()
        except LabError:
            return ""

    def status(self, rank: int) -> str:
        """Return what the supervisor of a rank says."""
        show = ["systemctl", "show", "--property=StatusText", "--value", self.unit]
        return run(["docker", "exec", self.hosts[rank], *show]).strip()

    def started(self, rank: int) -> str:
        """Return when the container of a rank was started; empty while there is none."""
        try:
            ask = ["docker", "inspect", "--format", "{{.State.StartedAt}} {{.State.Running}}", self.container(rank)]
            when, running = run(["docker", "exec", self.hosts[rank], *ask]).split()
        except LabError:
            return ""
        return when if running == "true" else ""


def kill(group: Group, rank: int) -> None:
    """The container of a rank dies at once."""
    run(["docker", "exec", group.hosts[rank], "docker", "kill", group.container(rank)])


def hang(group: Group, rank: int) -> None:
    """Every process of a rank stops where it is, and its sockets stay open."""
    script = f"for pid in $(docker top {group.container(rank)} -eo pid | tail -n +2); do kill -STOP $pid; done"
    run(["docker", "exec", group.hosts[rank], "sh", "-c", script])


def cut(group: Group, rank: int) -> None:
    """The node of a rank loses its network for a while; nobody is told."""
    run(["docker", "exec", group.hosts[rank], "nft", CUT])
    time.sleep(CUT_SECONDS)
    run(["docker", "exec", group.hosts[rank], "nft", "delete table inet cut"])


FAULTS: dict[str, t.Callable[[Group, int], None]] = {"kill": kill, "hang": hang, "cut": cut}


def measure(group: Group, fault: str, rank: int) -> dict[str, t.Any]:
    """Make one fault and return {fault, rank, whole_seconds, restarted, said}. Raises LabError when it is not whole in time.

    The group is whole again when every container is another one than before and a token comes.
    """
    before = [group.started(number) for number in range(len(group.hosts))]
    begun = time.monotonic()
    FAULTS[fault](group, rank)
    said: list[str] = []
    while time.monotonic() - begun < PATIENCE_SECONDS:
        now = [group.started(number) for number in range(len(group.hosts))]
        status = group.status(0)
        if status.startswith(("failed", "given up")) and status not in said:
            said.append(status)
        if all(new and new != old for new, old in zip(now, before, strict=True)) and group.reply(1):
            seconds = time.monotonic() - begun
            return {"fault": fault, "rank": rank, "whole_seconds": round(seconds), "said": said}
        time.sleep(1)
    states = [f"rank {number}: {group.status(number)}" for number in range(len(group.hosts))]
    raise LabError(f"{fault} of rank {rank}: not whole after {PATIENCE_SECONDS} s. {'; '.join(states)}")


def main(arguments: list[str]) -> int:
    """Make all faults asked for and print a table. Returns 1 when the group did not come back from one."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.faults", allow_abbrev=False)
    parser.add_argument("deployment")
    parser.add_argument("hosts", nargs="+")
    parser.add_argument("--only", default=",".join(FAULTS))
    parser.add_argument("--ranks", default="")
    asked = parser.parse_args(arguments)
    group = Group(asked.deployment, [host.name for host in platforms.hosts(asked.hosts)])
    ranks = [int(one) for one in asked.ranks.split(",")] if asked.ranks else list(range(len(group.hosts)))
    first = group.reply(REPLY_TOKENS)
    if not first:
        raise LabError(f"{group.name} gives no token before anything was broken")
    rows = []
    for fault in asked.only.split(","):
        for rank in ranks:
            say(f"{fault} of rank {rank}")
            rows.append(measure(group, fault, rank))
            say(json.dumps(rows[-1]))
            again = group.reply(REPLY_TOKENS)
            if again != first:
                raise LabError(f"{fault} of rank {rank}: the greedy reply was {first}, and is {again}")
    print(
        f"\n| {datetime.datetime.now(datetime.UTC).date()}: fault | rank | whole again after, s | what rank 0 said |\n|---|---|---|---|"
    )
    for row in rows:
        print(f"| {row['fault']} | {row['rank']} | {row['whole_seconds']} | {(row['said'] or ['-'])[0][:160]} |")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        sys.exit(f"lab: error: {error}")
