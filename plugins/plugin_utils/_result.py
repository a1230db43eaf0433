# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the callbacks read from a task and its result: where it stands, why it failed, what it proved.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

Results are plain mappings as Ansible gives them to callbacks; tasks are read by attribute, so no Ansible is imported.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import typing as t

#: Values under keys that end so never leave this file (docs/architecture.md, "Secrets").
SECRET_SUFFIXES = ("_token", "_password", "_key", "_secret")
SECRET_NAMES = ("token", "password", "key", "secret")
HIDDEN = "hidden (no_log)"

#: How many lines of a failed program's output are shown.
TAIL_LINES = 20

#: What Ansible adds to every result.
NOT_SHOWN = ("changed", "failed", "item", "ansible_loop_var")

Result = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Where:
    """The place of a task: ``os_tuning``, ``kernel``, ``Write the settings``. Role and stage may be empty."""

    role: str
    stage: str
    task: str

    @property
    def heading(self) -> str:
        """Role and stage as one heading, ``os_tuning : kernel``; empty for a task outside of roles and stages."""
        return " : ".join(part for part in (self.role, self.stage) if part)


def where(name: str, role: str = "") -> Where:
    """Split a task name of the form ``<file stem> | Sentence``, the stem in any case; ``role`` may be fully qualified."""
    stage, bar, sentence = name.strip().partition(" | ")
    if not bar or " " in stage:
        stage, sentence = "", name.strip()
    return Where(role.rsplit(".", 1)[-1], stage.lower(), sentence.strip())


def where_of(task: t.Any, name: str | None = None) -> Where:
    """Return the place of an Ansible task; ``name`` is its templated name where one is known."""
    role = getattr(task, "_role", None)
    return where(name or task.name or task.action, role.get_name() if role else "")


def is_rescued(task: t.Any) -> bool:
    """Tell whether a failure of ``task`` is taken up by the ``rescue`` of a block around it."""
    child, parent = task, getattr(task, "_parent", None)
    while parent is not None:
        if getattr(parent, "rescue", None) and any(one._uuid == child._uuid for one in parent.block):
            return True
        child, parent = parent, getattr(parent, "_parent", None)
    return False


def is_hidden(result: Result) -> bool:
    """Tell whether the result must not be shown."""
    return bool(result.get("_ansible_no_log") or "censored" in result)


def scrub(value: t.Any) -> t.Any:
    """Return plain data (what JSON can hold) without any value whose key names a secret."""
    if isinstance(value, t.Mapping):
        return {str(key): scrub(one) for key, one in value.items() if not names_secret(str(key))}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrub(one) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def names_secret(key: str) -> bool:
    """Tell whether a key holds a secret by its name."""
    lower = key.lower()
    return lower in SECRET_NAMES or lower.endswith(SECRET_SUFFIXES)


def plain(value: t.Any) -> str:
    """Return a value as one line of printable text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join("".join(char if char.isprintable() or char.isspace() else "?" for char in str(value)).split())


def message(result: Result) -> str:
    """Return why a task failed: the module's ``msg`` first, then what a program said; lines are kept."""
    if is_hidden(result):
        return HIDDEN
    lines = _lines(result.get("msg"))
    if result.get("cmd"):
        command = result["cmd"]
        words = command if isinstance(command, (list, tuple)) else [command]
        lines.append("command: " + (shlex.join(map(str, words)) if len(words) > 1 else str(words[0])))
    if result.get("rc") not in (None, 0):
        lines.append(f"exit code: {result['rc']}")
    for key in ("stderr", "module_stderr", "stdout", "module_stdout"):
        said = _lines(result.get(key))
        if said and not set(said) <= set(lines):
            lines += [f"{key}:"] + [f"  {line}" for line in said[-TAIL_LINES:]]
            break
    return "\n".join(lines) or "failed without a message"


def said(result: Result) -> str:
    """Return what a debug task shows: its message, or the variable with its value."""
    if is_hidden(result):
        return HIDDEN
    if "msg" in result:
        return "\n".join(_lines(result["msg"]))
    shown = {
        key: scrub(value) for key, value in result.items() if not key.startswith("_ansible") and key not in NOT_SHOWN
    }
    return "\n".join(f"{key}: {json.dumps(value, indent=2, ensure_ascii=False)}" for key, value in shown.items())


def states_of(result: Result) -> str:
    """Return how far a proof that is waited for has come, such as ``rank.service: loading 42 %``; empty when it says nothing."""
    facts = result.get("facts")
    if is_hidden(result) or not isinstance(facts, t.Mapping):
        return ""
    return "; ".join(f"{key}: {plain(value)}" for key, value in facts.items() if isinstance(value, str) and value)


def _lines(value: t.Any) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [line for one in value for line in _lines(one)]
    if isinstance(value, t.Mapping):
        return [plain(scrub(value))]
    return [line.rstrip() for line in str(value if value is not None else "").strip().splitlines()]


def parts(result: Result) -> list[Result]:
    """Return the result itself, or the results of its items when it is a loop."""
    items = result.get("results")
    if isinstance(items, list) and all(isinstance(one, t.Mapping) for one in items):
        return list(items)
    return [result]


def item_label(result: Result) -> str:
    """Return the label of a loop item; empty when it is none."""
    if is_hidden(result):
        return "hidden" if "item" in result or "_ansible_item_label" in result else ""
    label = result.get("_ansible_item_label", result.get("item"))
    return "" if label is None else plain(scrub(label))


def checks_of(result: Result) -> list[dict[str, t.Any]]:
    """Return the checks of a proof (every result with ``checks`` and ``verdict``), of all items of a loop."""
    checks: list[dict[str, t.Any]] = []
    for part in parts(result):
        if is_hidden(part) or "verdict" not in part or not isinstance(part.get("checks"), list):
            continue
        checks += [scrub(one) for one in part["checks"] if isinstance(one, t.Mapping) and "verdict" in one]
    return checks


def node_of(result: Result) -> dict[str, str]:
    """Return ``platform`` and ``address`` where the result is that of ``node_facts``; else nothing."""
    node = result.get("node")
    if not isinstance(node, t.Mapping) or "distribution" not in node:
        return {}
    interface = (node.get("interfaces") or {}).get(node.get("default_interface") or "", {})
    addresses = [one for one in interface.get("addresses", []) if one not in ("127.0.0.1", "::1")]
    return {
        "platform": plain(f"{node['distribution']} {node.get('distribution_version', '')}"),
        "address": plain(addresses[0]) if addresses else "",
    }
