# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import socketserver
import subprocess
import sys
import threading
import typing as t

import pytest

SCRIPT = pathlib.Path(__file__).parents[4] / "roles/gateway/files/gateway_reload.py"


class Worker(socketserver.StreamRequestHandler):
    """Says the next of its process ids, then the last one for ever."""

    answers: t.ClassVar[list[str]] = []

    def handle(self) -> None:
        self.rfile.readline()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.wfile.write(answer.encode())


def reloaded(path: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """Reload a master that takes the signal and does nothing."""
    master = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal; signal.signal(signal.SIGUSR2, lambda *_: print('asked', flush=True)); print(flush=True); "
            "signal.pause(); signal.pause()",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert master.stdout is not None
        master.stdout.readline()
        words = [sys.executable, str(SCRIPT), str(master.pid), str(path), "1"]
        ended = subprocess.run(words, timeout=60, check=False, capture_output=True, text=True)
        assert master.stdout.readline() == "asked\n"
        return ended
    finally:
        master.kill()
        master.communicate()


@pytest.mark.parametrize(
    ("answers", "ends_with"),
    [
        (["Pid: 7\n", "Pid: 7\n", "Name: x\nPid: 8\n"], 0),
        (["", "Pid: 8\n"], 0),
        (["Pid: 7\n"], 1),
        (["Pid: 7\n", "Unknown command\n"], 1),
    ],
    ids=["a new worker", "one after none", "the old one goes on", "no answer"],
)
def test_a_new_worker_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, answers: list[str], ends_with: int
) -> None:
    monkeypatch.setattr(Worker, "answers", answers)
    path = tmp_path / "admin.sock"
    with socketserver.UnixStreamServer(str(path), Worker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ended = reloaded(path)
        server.shutdown()
    assert ended.returncode == ends_with
    assert ("kept the old configuration" in ended.stderr) == bool(ends_with)


def test_nobody_listens(tmp_path: pathlib.Path) -> None:
    assert reloaded(tmp_path / "admin.sock").returncode == 1
