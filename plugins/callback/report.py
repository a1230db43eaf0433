# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report
type: aggregate
short_description: One report of a run on the terminal, in JSON and in Markdown
version_added: 0.1.0
author: The gpufleet founders (@gpufleet)
description:
  - Collects what a run changed, what failed and every check that a proof module made, and ends the run with one report.
  - Writes C(<UTC time>-<playbook>.json) and C(.md) in the report directory and, with the same content, C(last.json)
    and C(last.md).
  - Prints the report unless the run changed, proved and broke nothing.
  - Nothing that C(no_log) hides and no value whose key ends in C(_token), C(_password) or C(_key) reaches the report.
requirements:
  - enabled in the configuration, C(callbacks_enabled = gpufleet.inference.report)
options:
  directory:
    description: Where the reports are written; made when it is missing.
    type: str
    default: reports
    ini:
      - section: gpufleet
        key: report_directory
    env:
      - name: GPUFLEET_REPORT_DIRECTORY
"""

import datetime
import os
import pathlib
import typing as t

from ansible import constants, context
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import action_loader, filter_loader
from ansible.utils.color import stringc

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _report, _report_text, _result

COLORS = {
    "pass": constants.COLOR_OK,
    "warn": constants.COLOR_WARN,
    "not_verified": constants.COLOR_WARN,
    "fail": constants.COLOR_ERROR,
}

#: Ansible looks for a filter in all files of the collection, so one stands for all.
FILTER, ACTION = "gpufleet.inference.deployment_plans", "gpufleet.inference.file_set"

#: The key under which playbooks hand over their endpoints with ``ansible.builtin.set_stats``.
ENDPOINTS = "gpufleet_endpoints"

#: The fact in which the engine role keeps all plans.
PLAN = "engine_fleet"


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gpufleet.inference.report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started = _now()
        self._playbook = ""
        self._play = 0
        self._outcomes: list[_report.Outcome] = []
        self._plan: list[str] = []

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self._playbook = self._playbook or pathlib.Path(playbook._file_name).stem
        load_once()

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._play += 1

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._keep(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        status = "ignored" if ignore_errors else "rescued" if _result.is_rescued(result.task) else "failed"
        self._keep(result, status)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._keep(result, "ignored" if result.task.ignore_unreachable else "unreachable")

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        report = _report.build(
            playbook=self._playbook,
            check_mode=bool(context.CLIARGS.get("check")),
            started=self._started,
            ended=_now(),
            outcomes=self._outcomes,
            recap={host: _recap(stats.summarize(host)) for host in stats.processed},
            endpoints=_endpoints(stats.custom or {}),
            plan=self._plan,
        )
        places = self._write(report)
        if report.says_something:
            text = _report_text.to_terminal(report, places, paint=lambda text, verdict: stringc(text, COLORS[verdict]))
            self._display.display(f"\n{text}")

    def _keep(self, result: t.Any, status: str) -> None:
        self._plan = _plan(result.result) or self._plan
        place = _result.where_of(result.task, result.task_fields.get("name"))
        one = _report.outcome(result.host.get_name(), self._play, place, result.task.action, status, result.result)
        if one.worth_keeping:
            self._outcomes.append(one)

    def _write(self, report: _report.Report) -> list[str]:
        """Write the four files; a report that cannot be written must not take the run with it."""
        folder = pathlib.Path(self.get_option("directory")).expanduser()
        stamp = report.started.replace("-", "").replace(":", "")
        texts = {".json": _report.to_json(report), ".md": _report_text.to_markdown(report)}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for suffix, text in texts.items():
                write_atomically(folder / f"{stamp}-{report.playbook}{suffix}", text)
                write_atomically(folder / f"last{suffix}", text)
        except OSError as error:
            self._display.warning(f"The report could not be written to {folder}: {error}")
            return []
        return [str(folder / f"last{suffix}") for suffix in texts]


def load_once() -> None:
    """Load the collection's plugins before tasks are forked off: else each worker process imports all of them anew."""
    filter_loader.get(FILTER)
    action_loader.get(ACTION, class_only=True)


def write_atomically(path: pathlib.Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new content, never a part. Raises OSError."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _recap(summary: t.Mapping[str, int]) -> dict[str, int]:
    names = {"ok": "ok", "changed": "changed", "unreachable": "unreachable", "failures": "failed"}
    names |= {name: name for name in ("skipped", "rescued", "ignored")}
    return {name: summary[key] for key, name in names.items()}


def _plan(result: t.Mapping[str, t.Any]) -> list[str]:
    """Return what a task that made the plans says of them; [] for all other tasks."""
    plan = (result.get("ansible_facts") or {}).get(PLAN)
    if not isinstance(plan, t.Mapping):
        return []
    return [
        str(line) for part in ("table", "explained") for text in plan.get(part) or [] for line in str(text).splitlines()
    ]


def _endpoints(custom: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[t.Mapping[str, t.Any]]:
    """Return the endpoints of the whole run and of single hosts, as ``set_stats`` gathered them."""
    found = [stats.get(ENDPOINTS) for stats in custom.values()]
    return [one for many in found if isinstance(many, list) for one in many if isinstance(one, t.Mapping)]
