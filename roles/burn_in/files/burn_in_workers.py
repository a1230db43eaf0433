# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The main process's hand on the processes of the cards: ask all at once, wait a bounded time, kill what hangs."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
import typing as t

Reply = dict[str, t.Any]


class Worker:
    """A process that works on one card. ``problem`` is set for good once it is gone."""

    def __init__(self, index: int, argv: t.Sequence[str], environment: t.Mapping[str, str]) -> None:
        self.index = index
        self.problem = ""
        self._answers: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [*argv, str(index)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(environment),
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def send(self, request: t.Mapping[str, t.Any]) -> None:
        """Send a request; a process that is gone shows itself by its silence."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            self._answers.put("")

    def receive(self, until: float, what: str) -> Reply:
        """Return the next answer; one that does not come until the monotonic time ends the process."""
        if self.problem:
            return {"problem": self.problem, "fault": True}
        try:
            line = self._answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return self._give_up(f"{what} did not end in time on gpu {self.index}, so its process was killed")
        if not line:
            self._process.kill()
            return self._give_up(f"the process of gpu {self.index} ended with {self._process.wait()} in {what}")
        reply: Reply = json.loads(line)
        if reply.get("fault"):
            self._give_up(f"gpu {self.index} failed in {what}: {reply['problem']}")
        return reply

    def _give_up(self, problem: str) -> Reply:
        self.problem = problem
        self._process.kill()
        return {"problem": problem, "fault": True}

    def stop(self) -> None:
        """End the process; one that hangs in the driver is left to the kernel."""
        self._process.kill()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.problem = self.problem or "its process does not end: it hangs in the driver"


def ask(
    requests: t.Mapping[Worker, t.Mapping[str, t.Any]], seconds: float, only_all: bool = False
) -> dict[Worker, Reply]:
    """Return each worker's answer. All prepare; those that could begin when all are ready. Each of the two may take ``seconds``.

    ``only_all``: nobody begins when one could not prepare, as the others would wait for it.
    """
    until = time.monotonic() + seconds
    replies: dict[Worker, Reply] = {}
    what = {worker: str(request["do"]) for worker, request in requests.items()}
    for worker, request in requests.items():
        worker.send(request)
    ready = []
    for worker in requests:
        reply = worker.receive(until, what[worker])
        if "ready" in reply:
            ready.append(worker)
        else:
            replies[worker] = reply
    # Anew: one that hung while it prepared must not cost the others their time.
    until = time.monotonic() + seconds
    for worker in ready:
        worker.send({"go": len(ready) == len(requests) or not only_all})
    for worker in ready:
        replies[worker] = worker.receive(until, what[worker])
    return replies
