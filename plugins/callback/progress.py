# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: Live progress per node and stage
version_added: 0.1.0
author: The gpufleet founders (@gpufleet)
description:
  - In a terminal, one line per stage, a live line with the running task, and below the stage what changed or failed.
  - Elsewhere (a file, a pipe, CI) plain lines, one per stage and one per task that changed or failed.
  - A failure is shown in full, the module's message first, with the remedy of every check that did not pass.
  - Nodes with the same change share a line and, with C(--diff), the diff.
  - C(-v) also shows what was ok; C(-vv) results too. The recap has the form of Ansible's own.
requirements:
  - set as stdout callback in the configuration, C(stdout_callback = gpufleet.inference.progress)
options:
  live:
    description:
      - Whether to draw the live line.
      - C(auto) draws it in a terminal that can do so and where E(CI) is not set.
    type: str
    choices: [auto, never]
    default: auto
    ini:
      - section: gpufleet
        key: progress_live
    env:
      - name: GPUFLEET_PROGRESS_LIVE
"""

import atexit
import os
import sys
import textwrap
import threading
import time
import typing as t

from ansible import constants
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase
from ansible.utils.color import colorize, hostcolor

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _report_text, _result

RECAP = {
    "ok": constants.COLOR_OK,
    "changed": constants.COLOR_CHANGED,
    "unreachable": constants.COLOR_UNREACHABLE,
    "failed": constants.COLOR_ERROR,
    "skipped": constants.COLOR_SKIP,
    "rescued": constants.COLOR_OK,
    "ignored": constants.COLOR_WARN,
}


class LiveLine:
    """The last line of a terminal, redrawn every second.

    Its thread writes to the file descriptor and touches neither ``sys.stdout`` nor a lock of Ansible, so a worker that
    is forked meanwhile inherits nothing that is held.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._text: t.Callable[[], str] | None = None
        self._stop = threading.Event()
        threading.Thread(target=self._tick, daemon=True).start()

    def show(self, text: t.Callable[[], str]) -> None:
        """Draw the line and keep it: ``text`` is asked again every second."""
        with self._lock:
            self._text = text
            self._draw()

    def hide(self) -> None:
        """Clear the line; returns after the terminal has it."""
        with self._lock:
            if self._text is not None:
                self._text = None
                self._write("\r\x1b[2K")

    def end(self) -> None:
        """Clear the line for good."""
        self._stop.set()
        self.hide()

    def _tick(self) -> None:
        while not self._stop.wait(1.0):
            with self._lock:
                self._draw()

    def _draw(self) -> None:
        if self._text is not None:
            try:
                columns = os.get_terminal_size(self._descriptor).columns or _report_text.WIDTH
            except OSError:
                columns = _report_text.WIDTH
            # The cursor goes back to the start, so that a message of somebody else overwrites the line.
            self._write(f"\r\x1b[2K{self._text()[: max(columns - 1, 10)]}\r")

    def _write(self, text: str) -> None:
        try:
            os.write(self._descriptor, text.encode())
        except OSError:
            self._text = None


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "gpufleet.inference.progress"

    def __init__(self) -> None:
        super().__init__()
        self._live: LiveLine | None = None
        self._play = ""
        self._heading = ""  # the stage that runs
        self._shown = ""  # the stage whose line stands above
        self._stage_began = 0.0
        self._task: t.Any = None
        self._place = _result.Where("", "", "")
        self._task_began = 0.0
        self._started: set[str] = set()
        self._done: set[str] = set()
        self._changes: dict[tuple[str, str], list[str]] = {}
        self._diffs: dict[str, str] = {}
        self._failures: dict[str, str] = {}
        self._states: dict[str, str] = {}  # how far what is waited for has come, by host

    # -- the run -----------------------------------------------------------------------------------------------------

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().set_options(*args, **kwargs)
        if self.get_option("live") == "auto" and can_draw(sys.stdout, os.environ):
            self._live = LiveLine(sys.stdout.fileno())
            atexit.register(self._live.end)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._end_stage()
        self._play = play.get_name().strip() or "without a name"
        mode = " (check mode)" if play.check_mode else ""
        self._say(f"\nPLAY [{self._play}]{mode}")

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._begin_task(task)

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        self._begin_task(task)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._say("no host of the inventory matches this play", constants.COLOR_SKIP)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        self._end_stage()
        self._say("no host is left to go on with", constants.COLOR_ERROR)

    def v2_playbook_on_vars_prompt(self, *args: t.Any, **kwargs: t.Any) -> None:
        self._end_stage()
        self._clear()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        if self._task is not None and task._uuid == self._task._uuid:
            self._started.add(host.get_name())
            self._redraw()

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._end_stage()
        if self._live:
            self._live.end()
            self._live = None
        self._say("\nPLAY RECAP")
        for host in sorted(stats.processed):
            counts = stats.summarize(host)
            counts["failed"] = counts.pop("failures")
            numbers = " ".join(colorize(key, counts[key], color) for key, color in RECAP.items())
            self._display.display(f"{hostcolor(host, {**counts, 'failures': counts['failed']})} : {numbers}")

    # -- results -----------------------------------------------------------------------------------------------------

    def v2_runner_on_ok(self, result: t.Any) -> None:
        host = self._arrived(result)
        if isinstance(result.task, TaskInclude):
            return
        loop = bool(result.task.loop) and "results" in result.result
        if result.is_changed():
            labels = [_result.item_label(one) for one in _result.parts(result.result) if one.get("changed")]
            items = ", ".join(label for label in labels if label)
            self._changes.setdefault((items, self._diffs.pop(host, "")), []).append(self.host_label(result))
        elif self._display.verbosity and not loop:
            self._show_ok(result)
        elif result.task.action in constants._ACTION_DEBUG and not loop:
            self._note(f"note: [{self.host_label(result)}] {self._place.task}", _result.said(result.result))
        self._details(result, shown=result.is_changed())

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        if self._display.verbosity:
            self._show_ok(result)
        elif result.task.action in constants._ACTION_DEBUG:
            self._note(f"note: [{self.host_label(result)}] {self._place.task}", _result.said(result.result))
        self._warn(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._arrived(result)
        self._warn(result)
        if result.task.loop and "results" in result.result:
            return  # each failed item was shown when it failed
        self._show_failure(result, "ignored" if ignore_errors else "failed")

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._warn(result)
        self._show_failure(result, "ignored" if result.task.ignore_errors is True else "failed")

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._arrived(result)
        self._show_failure(result, "ignored" if result.task.ignore_unreachable else "unreachable")

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._arrived(result)
        self._warn(result)
        if self._display.verbosity >= 2:
            self._note(f"skipped: [{result.host.get_name()}] {self._place.task}", "", constants.COLOR_SKIP)

    def v2_runner_retry(self, result: t.Any) -> None:
        states = _result.states_of(result.result)
        if states and states != self._states.get(result.host.get_name()):
            self._states[result.host.get_name()] = states
            self._note(f"waiting: [{self.host_label(result)}] {states}", "")
        tries = result.result.get("attempts", 0), result.result.get("retries", 0)
        if self._display.verbosity:
            self._note(
                f"waiting: [{self.host_label(result)}] {self._place.task} (attempt {tries[0]} of {tries[1] - 1})", ""
            )

    def v2_on_file_diff(self, result: t.Any) -> None:
        self._arrived(result)
        parts = [one for one in _result.parts(result.result) if one.get("diff") and one.get("changed")]
        text = "".join(self._get_diff(one["diff"]) for one in parts if not _result.is_hidden(one))
        if text.strip():
            self._diffs[result.host.get_name()] = text

    # -- how it is shown ---------------------------------------------------------------------------------------------

    def _begin_task(self, task: t.Any) -> None:
        self._flush()
        self._task, self._place = task, _result.where_of(task)
        self._task_began, self._started, self._done, self._failures = time.monotonic(), set(), set(), {}
        heading = self._place.heading or self._play
        if heading != self._heading:
            self._end_stage()
            self._task, self._heading, self._stage_began = task, heading, time.monotonic()
            if not self._live:
                self._show_heading()
        self._redraw()

    def _end_stage(self) -> None:
        """Close the running stage; in a terminal a stage without news gets its line now, with the time it took."""
        self._flush()
        if self._live and self._heading and self._shown != self._heading:
            self._say(
                f"  {self._heading:<60} {_report_text.duration(time.monotonic() - self._stage_began):>12}",
                constants.COLOR_OK,
            )
        self._heading = self._shown = ""
        self._task = None

    def _show_heading(self) -> None:
        if self._heading and self._shown != self._heading:
            self._shown = self._heading
            # molecule's idempotence check takes the name of a changed task from a line that begins with TASK.
            self._say(f"  {self._heading}" if self._live else f"TASKS [{self._heading}]")

    def _arrived(self, result: t.Any) -> str:
        host: str = result.host.get_name()
        if self._task is None or result.task._uuid != self._task._uuid:
            # Strategies other than linear mix tasks.
            self._begin_task(result.task)
        self._place = _result.where_of(result.task, result.task_fields.get("name"))
        self._done.add(host)
        return host

    def _flush(self) -> None:
        """Show what the task that ends changed: nodes with the same change, items and diff share a line."""
        changes, self._changes = self._changes, {}
        self._diffs = {}
        for (items, diff), hosts in changes.items():
            what = f" ({items})" if items else ""
            word = "would change" if self._task.check_mode is True else "changed"
            self._note(f"{word}: [{', '.join(sorted(hosts))}] {self._place.task}{what}", "", constants.COLOR_CHANGED)
            if diff:
                self._say(textwrap.indent(diff.rstrip("\n"), "        " if self._live else "    "))

    def _show_ok(self, result: t.Any) -> None:
        item = _result.item_label(result.result)
        text = f"ok: [{self.host_label(result)}] {self._place.task}" + (f" ({item})" if item else "")
        wanted = self._display.verbosity >= 2 or result.task.action in constants._ACTION_DEBUG
        details = _result.said(result.result) if result.task.action in constants._ACTION_DEBUG else ""
        if wanted and not details:
            details = self._dump_results(result.result, indent=2)
        self._note(text, details, constants.COLOR_OK)

    def _show_failure(self, result: t.Any, word: str) -> None:
        if word == "failed" and _result.is_rescued(result.task):
            word = "failed, rescued"
        item = _result.item_label(result.result)
        text = f"{word}: [{self.host_label(result)}] {self._place.task}" + (f" ({item})" if item else "")
        details = failure_text(result.result)
        first = self._failures.setdefault(details, self.host_label(result))
        if first != self.host_label(result):
            details = f"the same as on {first}"
        color = constants.COLOR_WARN if "ignored" in word or "rescued" in word else constants.COLOR_ERROR
        self._note(text, details, color)
        if self._display.verbosity >= 1:
            path = result.task.get_path()
            self._say(textwrap.indent(f"at {path}\n{self._dump_results(result.result, indent=2)}", "    "), color)

    def _details(self, result: t.Any, shown: bool) -> None:
        self._warn(result)
        if shown and self._display.verbosity >= 2 and not _result.is_hidden(result.result):
            self._note(self._dump_results(result.result, indent=2), "")

    def _warn(self, result: t.Any) -> None:
        if result.result.get("warnings") or result.result.get("deprecations"):
            self._clear()
            self._handle_warnings(result.result)
            self._redraw()

    def _note(self, text: str, details: str, color: str | None = None) -> None:
        """Say something that belongs to the running stage."""
        self._show_heading()
        indent = "    " if self._live else ""
        self._say(textwrap.indent(text, indent), color)
        if details:
            self._say(textwrap.indent(details, f"{indent}    "), color)

    def _say(self, text: str, color: str | None = None) -> None:
        self._clear()
        self._display.display(text, color=color)
        self._redraw()

    def _clear(self) -> None:
        if self._live:
            self._live.hide()

    def _redraw(self) -> None:
        if self._live and self._task is not None:
            sys.stdout.flush()
            self._live.show(self._running)

    def _running(self) -> str:
        return running_text(self._place, len(self._done), len(self._started), time.monotonic() - self._task_began)


def can_draw(stream: t.Any, environment: t.Mapping[str, str]) -> bool:
    """Tell whether a live line makes sense on this stream."""
    return bool(stream.isatty() and not environment.get("CI") and environment.get("TERM", "dumb") != "dumb")


def running_text(place: _result.Where, done: int, hosts: int, seconds: float) -> str:
    """Return the live line: what runs, on how many nodes it is done, how long it has run."""
    what = f"{place.heading} | {place.task}" if place.heading else place.task
    return f"  … {what}  {done}/{hosts}  {int(seconds)} s"


def failure_text(result: _result.Result) -> str:
    """Return why a task failed, wrapped; a proof shows its checks, what was seen and the remedy of each."""
    bad = [check for check in _result.checks_of(result) if check["verdict"] != "pass"]
    if bad:
        return "\n".join(_report_text.check_lines([(check, []) for check in bad]))
    lines = []
    for line in _result.message(result).splitlines():
        inner = line[: len(line) - len(line.lstrip())]
        wrapped = textwrap.wrap(
            line, _report_text.WIDTH - 8, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
        )
        lines += wrapped or [""]
    return "\n".join(lines)
