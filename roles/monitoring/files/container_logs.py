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
#: What each line of ``docker logs --timestamps`` begins with; a line without are docker's own words.
STAMP = re.compile(r"\d{4}-\d\d-\d\dT")
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


def listed() -> list[tuple[str, str, bool]]:
    """Return (id, name, whether it has ended) of every container of ours."""
    words = ["--all", "--no-trunc", "--filter", f"name=^{PREFIX}", "--format", "{{.ID}} {{.Names}} {{.Status}}"]
    done = subprocess.run(["docker", "ps", *words], capture_output=True, text=True, timeout=30, check=False)
    found = [line.split(" ", 2) for line in done.stdout.splitlines()]
    return [(container, name, not status.startswith("Up")) for container, name, status in found]


class Follower:
    """Follows every container of ours, one thread each, for as long as it runs."""

    def __init__(self, state: str, write: t.Callable[[str], t.Any]) -> None:
        self._state, self._write, self._lock = state, write, threading.Lock()
        self._followed: set[str] = set()
        # Ended containers whose logs were read to their end.
        self._read: set[str] = set()
        self.seen: dict[str, str] = self._load()

    def _load(self) -> dict[str, str]:
        try:
            with open(self._state, encoding="utf-8") as stream:
                kept = json.load(stream).items()
        except (OSError, ValueError, AttributeError):
            return {}
        return {name: stamp for name, stamp in kept if STAMP.match(str(stamp))}

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
            if STAMP.match(stamp) and stamp > self.seen.get(container, ""):
                self.seen[container] = stamp
                self._write(text + "\n")

    def follow(self, container: str, name: str, ended: bool) -> None:
        """Read a container's log until it ends."""
        argv = command(container, self.seen.get(name, ""))
        code = None
        try:
            # Bytes, as text would end a line at the carriage returns of a progress bar too.
            with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as log:
                for line in log.stdout or ():
                    self.take(name, line.decode(errors="replace"))
            code = log.returncode
        finally:
            with self._lock:
                self._followed.discard(container)
                if ended and code == 0:
                    self._read.add(container)

    def look(self) -> None:
        """Begin to follow containers that were started since the last look, also those that have ended since."""
        containers = listed()
        with self._lock:
            self._read &= {container for container, _name, _ended in containers}
        for container, name, ended in containers:
            with self._lock:
                new = container not in self._followed and not (ended and container in self._read)
                if new:
                    self._followed.add(container)
            if new:
                threading.Thread(target=self.follow, args=(container, name, ended), daemon=True).start()


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
