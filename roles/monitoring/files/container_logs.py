# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow the logs of our containers and print each line as JSON, for a log shipper to read: {"container", "message"}.

Docker's own files are named by container ids, which nobody knows afterwards; here is the name. What users wrote stays out.
``container_logs.py STATE``: the file STATE remembers how far each log was read, over restarts.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import typing as t

PREFIX = "gpufleet-"
LOOK_SECONDS = 5.0
#: What engines print when they are told to log requests.
PROMPT = re.compile(
    r"(?i)((?:^|[\s{,(])[\"']?(?:prompt|messages|prompt_token_ids|input_ids)[\"']?\s*[:=]\s*)(?=[\"'\[{]).*"
)


def entry(container: str, line: str) -> tuple[str, str]:
    """Return (time stamp, JSON) of one line of ``docker logs --timestamps``."""
    stamp, _space, message = line.rstrip("\n").partition(" ")
    text = PROMPT.sub(r"\g<1><left out>", message)
    return stamp, json.dumps({"container": container, "message": text}, separators=(",", ":"))


def command(container: str, since: str) -> list[str]:
    """Return the command that follows a log from ``since`` on."""
    return ["docker", "logs", "--follow", "--timestamps", f"--since={since or '1m'}", container]


class Follower:
    """Follows every container of ours, one thread each, for as long as it runs."""

    def __init__(self, state: str, write: t.Callable[[str], t.Any]) -> None:
        self._state, self._write, self._lock = state, write, threading.Lock()
        self._followed: set[str] = set()
        self.seen: dict[str, str] = self._load()

    def _load(self) -> dict[str, str]:
        try:
            with open(self._state, encoding="utf-8") as stream:
                return dict(json.load(stream))
        except (OSError, ValueError):
            return {}

    def save(self) -> None:
        """Keep how far each log was read."""
        with self._lock:
            text = json.dumps(self.seen)
        with open(f"{self._state}.new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(f"{self._state}.new", self._state)

    def take(self, container: str, line: str) -> None:
        """Write one line, unless it was written before the last restart."""
        stamp, text = entry(container, line)
        with self._lock:
            if stamp > self.seen.get(container, ""):
                self.seen[container] = stamp
                self._write(text + "\n")

    def follow(self, container: str) -> None:
        """Read a container's log until it ends."""
        argv = command(container, self.seen.get(container, ""))
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as log:
            for line in log.stdout or ():
                self.take(container, line)
        with self._lock:
            self._followed.discard(container)

    def look(self) -> None:
        """Begin to follow containers that were started since the last look."""
        argv = ["docker", "ps", "--format", "{{.Names}}", "--filter", f"name=^{PREFIX}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        for container in done.stdout.split():
            with self._lock:
                new = container not in self._followed
                self._followed.add(container)
            if new:
                threading.Thread(target=self.follow, args=(container,), daemon=True).start()


def main(state: str) -> None:
    def write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    follower = Follower(state, write)
    while True:
        try:
            follower.look()
            follower.save()
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"container_logs: {error}", file=sys.stderr)
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
