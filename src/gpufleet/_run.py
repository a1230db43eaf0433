# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The door: one function over ansible-runner. Nothing else of this package knows ansible-runner."""

from __future__ import annotations

import collections.abc as c
import contextlib
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import types
import typing as t

import ansible_runner

from gpufleet._data import Event, EventKind, NotRunnableError, Playbook, Run

COLLECTION = "gpufleet.inference"
REPORT = f"{COLLECTION}.report"

#: How long Ansible may take to end by itself.
END_SECONDS = 10

KINDS: dict[str, EventKind] = {
    "playbook_on_play_start": "play",
    "playbook_on_task_start": "task",
    "playbook_on_handler_task_start": "task",
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}


def run(
    playbook: Playbook,
    *,
    inventory: str | os.PathLike[str] | c.Mapping[str, t.Any],
    limit: str | None = None,
    variables: c.Mapping[str, t.Any] | None = None,
    check: bool = False,
    on_event: c.Callable[[Event], None] | None = None,
    artifacts: str | os.PathLike[str] | None = None,
    collections_path: str | os.PathLike[str] | None = None,
) -> Run:
    """Run one playbook of the collection and return what became of it.

    ``inventory``: a path, or an inventory as Ansible's YAML form holds it. ``variables`` win over the inventory.
    ``check``: say what would change, change nothing. ``on_event`` is called in this thread as things happen; what it
    raises ends the run and comes through. ``artifacts``: where logs and the report are kept, a new temporary directory
    otherwise. ``collections_path``: where ``ansible_collections`` lies if the collection is not installed; Ansible's
    own configuration (``ansible.cfg`` of the working directory, ``ANSIBLE_COLLECTIONS_PATH``) counts as well.

    Raises ValueError for an unknown playbook or a missing inventory, NotRunnableError if Ansible could not begin. It
    never prints. No environment variable and no value of ``variables`` or ``inventory`` is left in ``artifacts`` or
    shown in the process list.
    """
    if playbook not in t.get_args(Playbook):
        raise ValueError(f"unknown playbook {playbook!r}; known: {', '.join(t.get_args(Playbook))}")
    if not isinstance(inventory, c.Mapping) and not pathlib.Path(inventory).exists():
        raise ValueError(f"there is no inventory at {inventory}; give a path or a mapping")
    keep = pathlib.Path(artifacts or tempfile.mkdtemp(prefix="gpufleet-")).resolve()
    ident = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{playbook}-{os.getpid()}-{time.monotonic_ns()}"
    folder = keep / ident
    with tempfile.TemporaryDirectory(prefix="gpufleet-") as private:
        if isinstance(inventory, c.Mapping):
            source = _private_file(pathlib.Path(private, "inventory.json"), inventory)
        else:
            source = pathlib.Path(inventory).resolve()
        if variables:
            # ansible-runner would put them on the command line; it reads this file by itself.
            _private_file(pathlib.Path(private, "env", "extravars"), variables)
        # How often it asks whether to go on.
        _private_file(pathlib.Path(private, "env", "settings"), {"pexpect_timeout": 1})
        listener = _Listener(on_event)
        with listener.interrupts():
            done = ansible_runner.run(
                private_data_dir=private,
                artifact_dir=str(keep),
                ident=ident,
                # The caller's directory: its ansible.cfg and relative paths mean what they mean on a command line.
                project_dir=os.getcwd(),
                playbook=f"{COLLECTION}.{playbook}",
                inventory=str(source),
                limit=limit,
                cmdline="--check" if check else None,
                envvars=_environment(folder, collections_path),
                suppress_env_files=True,
                quiet=True,
                event_handler=listener.event,
                status_handler=_forget_environment,
                cancel_callback=listener.must_be_killed,
            )
    if listener.problem is not None:
        raise listener.problem
    report_path, log_path = folder / "report" / "last.json", folder / "stdout"
    if not report_path.exists():
        raise NotRunnableError(f"{COLLECTION}.{playbook} could not be run ({done.status}): {_tail(log_path)}")
    report = json.loads(report_path.read_text(encoding="utf-8"))
    return Run.from_report(done.status, report, log_path=log_path, report_path=report_path)


class _Listener:
    """Translates events, and ends the run when the caller's function raises or Ctrl-C comes.

    Ansible is then asked to end by itself: killed by ansible-runner, it would leave its workers, and the tasks that they
    run on the nodes, behind.
    """

    def __init__(self, on_event: c.Callable[[Event], None] | None) -> None:
        self._on_event = on_event
        self._ansible = 0
        self._deadline: float | None = None
        self.problem: BaseException | None = None

    def event(self, raw: dict[str, t.Any]) -> bool:
        if raw.get("event") == "playbook_on_start":
            self._ansible = raw["pid"]
        if self._on_event is not None and self.problem is None and (event := _event(raw)):
            try:
                self._on_event(event)
            except BaseException as problem:
                self.problem = problem
        return True  # keep the event in the artifacts

    def must_be_killed(self) -> bool:
        """Asked by ansible-runner every second. Ends Ansible when there is a problem, and kills what does not end."""
        if self.problem is None:
            return False
        if self._deadline is None:
            self._deadline = time.monotonic() + (END_SECONDS if self._ansible else 0)
            if self._ansible:
                _send(signal.SIGINT, self._ansible)
        if time.monotonic() < self._deadline:
            return False
        # The workers are sessions of their own, so that ansible-runner does not reach them.
        for pid in _descendants(self._ansible) if self._ansible else []:
            _send(signal.SIGKILL, pid)
        return True

    @contextlib.contextmanager
    def interrupts(self) -> c.Iterator[None]:
        """Turn Ctrl-C into a problem while inside; only a main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, number: int, frame: types.FrameType | None) -> None:
        self.problem = KeyboardInterrupt()


def _send(number: signal.Signals, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    """Return the children of a process, their children and so on; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # processes come and go
            # The name, in parentheses, may hold anything; state and parent follow it.
            parent = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found = list(children.get(pid, []))
    for one in found:
        found.extend(children.get(one, []))
    return found


def _event(raw: c.Mapping[str, t.Any]) -> Event | None:
    """Return the event for the caller, or None for one that says nothing to him."""
    data = raw.get("event_data") or {}
    kind = KINDS.get(raw.get("event", ""))
    if kind is None:
        return None
    result = data.get("res") or {}
    if kind == "ok" and result.get("changed"):
        kind = "changed"
    if kind == "failed" and data.get("ignore_errors"):
        kind = "ignored"
    told = kind in ("failed", "ignored", "unreachable")
    return Event(
        kind=kind,
        play=data.get("play") or data.get("name") or "",
        role=(data.get("role") or "").rsplit(".", 1)[-1],
        task=data.get("task") or "",
        host=data.get("host") or "",
        message=str(result.get("msg") or result.get("censored") or "") if told else "",
    )


def _environment(folder: pathlib.Path, collections_path: str | os.PathLike[str] | None) -> dict[str, str]:
    """Return what is added to the environment of ansible-playbook."""
    enabled = [one.strip() for one in os.environ.get("ANSIBLE_CALLBACKS_ENABLED", "").split(",")]
    wanted = {
        "ANSIBLE_CALLBACKS_ENABLED": ",".join(dict.fromkeys([*filter(None, enabled), REPORT])),
        "ANSIBLE_STDOUT_CALLBACK": "",  # ansible-runner sets its own
        "ANSIBLE_HOST_KEY_CHECKING": os.environ.get("ANSIBLE_HOST_KEY_CHECKING", "True"),  # runner switches it off
        "GPUFLEET_REPORT_DIRECTORY": str(folder / "report"),
        # The ansible-playbook beside this interpreter, also when its virtual environment is not activated.
        "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }
    if collections_path is not None:
        wanted["ANSIBLE_COLLECTIONS_PATH"] = str(pathlib.Path(collections_path).resolve())
    return wanted


def _private_file(path: pathlib.Path, content: c.Mapping[str, t.Any]) -> pathlib.Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(dict(content)), encoding="utf-8")
    return path


def _forget_environment(status: dict[str, t.Any], runner_config: t.Any) -> None:
    # ansible-runner writes the whole environment, with the caller's tokens, into the artifact "command".
    if status["status"] == "running":
        pathlib.Path(runner_config.artifact_dir, "command").unlink(missing_ok=True)


def _tail(log_path: pathlib.Path) -> str:
    if not log_path.exists():
        return "there is no output"
    return "\n".join(log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-8:])
