# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run site.yml and interrupt it, as Ctrl-C does, two seconds into a task: ``interrupt.py TASK INVENTORY``.

Fails when the run ended before that task began, as nothing was interrupted then.
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import time

PAUSE_SECONDS = 2


def main(task: str, inventory: str) -> int:
    program = pathlib.Path(sys.executable).with_name("ansible-playbook")
    environment = dict(os.environ, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default", PYTHONUNBUFFERED="1")
    with subprocess.Popen(
        [str(program), "playbooks/site.yml", "-i", inventory],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment,
        start_new_session=True,
    ) as run:
        seen: list[str] = []
        assert run.stdout is not None
        for line in run.stdout:
            seen.append(line)
            if line.startswith("TASK [") and task in line:
                time.sleep(PAUSE_SECONDS)
                os.killpg(run.pid, signal.SIGINT)
                break
        else:
            print("".join(seen[-60:]))
            print(f"site.yml ended before the task {task!r} began; nothing was interrupted", file=sys.stderr)
            return 1
        try:
            run.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            print("site.yml did not end within 120 s after the interrupt", file=sys.stderr)
            return 1
    print(f"interrupted in {task}, return code {run.returncode}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
