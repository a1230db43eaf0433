# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes in and what comes out of a run, as plain frozen data."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import pathlib
import typing as t

Playbook = t.Literal["site", "prepare", "serve", "verify", "stop"]

#: From best to worst; what could not be looked at is ``not_verified``.
Verdict = t.Literal["pass", "warn", "not_verified", "fail"]

EventKind = t.Literal["play", "task", "ok", "changed", "failed", "ignored", "unreachable", "skipped"]


class NotRunnableError(RuntimeError):
    """The playbook could not be run at all: the collection, an inventory or a program is missing."""


@dataclasses.dataclass(frozen=True)
class Event:
    """Something that happened just now: a play or a task began (no ``host``), or a task ended on a host."""

    kind: EventKind
    play: str
    role: str = ""
    task: str = ""
    host: str = ""
    message: str = ""


@dataclasses.dataclass(frozen=True)
class TaskFailure:
    """A task that failed on a host and that no rescue took up."""

    host: str
    task: str
    message: str


@dataclasses.dataclass(frozen=True)
class Check:
    """One statement about a node or a service. ``observed`` and ``expected`` are plain data."""

    host: str
    role: str
    module: str
    name: str
    verdict: Verdict
    observed: t.Any
    expected: t.Any
    remedy: str
    source: str


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A served model: the URL that clients call, and where on this machine its key and certificate lie."""

    name: str
    url: str
    model: str
    api_key_path: str = ""
    certificate_path: str = ""


@dataclasses.dataclass(frozen=True)
class Run:
    """What became of a run. A node that fails is a result, not an exception.

    ``ok`` says that every task succeeded; ``verdict`` says what was proved, and is ``not_verified`` when nothing was.
    """

    ok: bool
    status: str
    verdict: Verdict
    changed_hosts: frozenset[str]
    unreachable_hosts: frozenset[str]
    failures: tuple[TaskFailure, ...]
    endpoints: tuple[Endpoint, ...]
    checks: tuple[Check, ...]
    log_path: pathlib.Path
    report_path: pathlib.Path

    @classmethod
    def from_report(
        cls, status: str, report: c.Mapping[str, t.Any], *, log_path: pathlib.Path, report_path: pathlib.Path
    ) -> Run:
        """Read the JSON report (``schema_version`` 1, docs/python_api.md)."""
        return cls(
            ok=status == "successful",
            status=status,
            verdict=report["verdict"],
            changed_hosts=frozenset(node["name"] for node in report["nodes"] if node["recap"]["changed"]),
            unreachable_hosts=frozenset(node["name"] for node in report["nodes"] if node["recap"]["unreachable"]),
            failures=tuple(
                TaskFailure(
                    one["host"], " | ".join(filter(None, (one["role"], one["stage"], one["task"]))), one["message"]
                )
                for one in report["failures"]
            ),
            endpoints=tuple(_of(Endpoint, one) for one in report["endpoints"]),
            checks=tuple(_of(Check, one) for one in report["checks"]),
            log_path=log_path,
            report_path=report_path,
        )


T = t.TypeVar("T")


def _of(kind: type[T], values: c.Mapping[str, t.Any]) -> T:
    """Make a dataclass of the values that it knows; a newer report may have more, an endpoint may lack some."""
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: values.get(name, "") for name in known})
