# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _result
from ansible_collections.gpufleet.inference.plugins.plugin_utils._result import Where


@pytest.mark.parametrize(
    ("name", "role", "expected"),
    [
        ("kernel | Write it", "gpufleet.inference.os_tuning", Where("os_tuning", "kernel", "Write it")),
        ("Kernel | Write it", "", Where("", "kernel", "Write it")),
        ("Restart Docker", "container_runtime", Where("container_runtime", "", "Restart Docker")),
        ("Show a | b", "", Where("", "", "Show a | b")),
        (" ansible.builtin.debug ", "", Where("", "", "ansible.builtin.debug")),
    ],
)
def test_a_task_name_has_its_place(name: str, role: str, expected: Where) -> None:
    assert _result.where(name, role) == expected


@pytest.mark.parametrize(
    ("place", "heading"),
    [(Where("a", "b", "c"), "a : b"), (Where("a", "", "c"), "a"), (Where("", "b", "c"), "b"), (Where("", "", "c"), "")],
)
def test_the_heading_is_role_and_stage(place: Where, heading: str) -> None:
    assert place.heading == heading


def node(uuid: str, parent: t.Any = None, **more: t.Any) -> t.Any:
    return types.SimpleNamespace(_uuid=uuid, _parent=parent, **more)


def test_a_failure_in_a_block_with_rescue_is_rescued_also_through_inner_blocks() -> None:
    outer = node("outer", rescue=["something"], block=[node("inner"), node("task")])
    inner = node("inner", outer, rescue=[], block=[node("deep")])
    assert _result.is_rescued(node("task", outer))
    assert _result.is_rescued(node("deep", inner))


def test_a_failure_in_the_rescue_itself_or_without_one_is_not_rescued() -> None:
    block = node("block", rescue=["mend"], block=[node("task")])
    assert not _result.is_rescued(node("mend", block))
    assert not _result.is_rescued(node("task", node("plain", rescue=[], block=[node("task")])))
    assert not _result.is_rescued(node("task"))


def test_scrub_drops_what_is_named_a_secret_and_keeps_paths() -> None:
    value = {
        "api_key": "s1",
        "API_KEY": "s2",
        "hf_token": "s3",
        "key": "s4",
        "api_key_path": "/k",
        "deep": [{"ray_password": "s5", "port": 1, "ok": True, "nothing": None}],
    }
    assert _result.scrub(value) == {"api_key_path": "/k", "deep": [{"port": 1, "ok": True, "nothing": None}]}


def test_scrub_returns_plain_types() -> None:
    class Tagged(str):
        """As Ansible's tagged strings."""

    assert type(_result.scrub(Tagged("x"))) is str
    assert _result.scrub((1, {2})) == [1, [2]]
    assert isinstance(_result.scrub(object()), str)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\n  b", "a b"),
        ("red\x1b[31m", "red?[31m"),
        (True, "true"),
        (None, "None"),
        ({"b": 1, "a": [2]}, '{"a": [2], "b": 1}'),
        (3.5, "3.5"),
    ],
)
def test_plain_is_one_printable_line(value: t.Any, expected: str) -> None:
    assert _result.plain(value) == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"msg": "Two mistakes:\n- a\n- b"}, "Two mistakes:\n- a\n- b"),
        ({"msg": ["a", "b"]}, "a\nb"),
        ({"msg": {"port": 1, "api_key": "s"}}, '{"port": 1}'),
        (
            {"msg": "failed", "cmd": ["sh", "-c", "exit 3"], "rc": 3, "stderr": "no\n", "stdout": "out"},
            "failed\ncommand: sh -c 'exit 3'\nexit code: 3\nstderr:\n  no",
        ),
        ({"msg": "failed", "rc": 1, "stderr": "", "stdout": "said"}, "failed\nexit code: 1\nstdout:\n  said"),
        ({"msg": "the words", "stderr": "the words"}, "the words"),
        ({"msg": "x", "module_stderr": "Traceback"}, "x\nmodule_stderr:\n  Traceback"),
        ({}, "failed without a message"),
        ({"msg": "s3cret", "_ansible_no_log": True}, "hidden (no_log)"),
        ({"censored": "the output has been hidden"}, "hidden (no_log)"),
    ],
)
def test_message_is_msg_first_then_details(result: dict[str, t.Any], expected: str) -> None:
    assert _result.message(result) == expected


def test_of_long_output_the_end_is_shown() -> None:
    lines = _result.message({"msg": "x", "stderr": "\n".join(f"line {number}" for number in range(100))}).splitlines()
    assert lines[2] == "  line 80"
    assert lines[-1] == "  line 99"


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"item": "a"}, "a"),
        ({"item": {"name": "n", "admin_token": "s"}}, '{"name": "n"}'),
        ({"item": {"name": "n"}, "_ansible_item_label": "n"}, "n"),
        ({"item": "s", "_ansible_no_log": True}, "hidden"),
        ({}, ""),
    ],
)
def test_item_label(result: dict[str, t.Any], expected: str) -> None:
    assert _result.item_label(result) == expected


CHECK = {"name": "n", "verdict": "pass", "observed": 1}


@pytest.mark.parametrize(
    ("result", "count"),
    [
        ({"verdict": "pass", "checks": [CHECK]}, 1),
        ({"checks": [CHECK]}, 0),
        ({"verdict": "pass", "checks": "text"}, 0),
        ({"verdict": "pass", "checks": ["text", {"name": "no verdict"}]}, 0),
        ({"verdict": "pass", "checks": [CHECK], "_ansible_no_log": True}, 0),
        ({"results": [{"verdict": "pass", "checks": [CHECK]}, {"verdict": "fail", "checks": [CHECK, CHECK]}]}, 3),
        ({"verdict": "pass", "checks": [CHECK], "results": ["squashed"]}, 1),
    ],
)
def test_checks_come_from_proofs_only(result: dict[str, t.Any], count: int) -> None:
    assert len(_result.checks_of(result)) == count


def test_node_facts_tell_platform_and_address() -> None:
    facts = {
        "distribution": "Debian",
        "distribution_version": "12.9",
        "default_interface": "eth0",
        "interfaces": {"lo": {"addresses": ["127.0.0.1"]}, "eth0": {"addresses": ["10.77.0.11"]}},
    }
    assert _result.node_of({"node": facts}) == {"platform": "Debian 12.9", "address": "10.77.0.11"}
    assert _result.node_of({"node": {**facts, "default_interface": None}})["address"] == ""
    assert _result.node_of({"node": "lab1"}) == {}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"msg": "one\ntwo"}, "one\ntwo"),
        ({"msg": ["one", "two"], "changed": False}, "one\ntwo"),
        ({"msg": ""}, ""),
        # A variable that looks like a failed result.
        (
            {"fleet": {"failed": True, "rc": 1}, "changed": False, "_ansible_verbose_always": True},
            '{\n  "failed": true,\n  "rc": 1\n}',
        ),
        ({"answer": {"api_key": "s3cret", "a": 1}}, '{\n  "a": 1\n}'),
        ({"msg": "s3cret", "_ansible_no_log": True}, _result.HIDDEN),
    ],
)
def test_what_a_debug_task_shows(result: dict[str, t.Any], expected: str) -> None:
    shown = _result.said(result)
    assert shown.endswith(expected) and "without a message" not in shown and "s3cret" not in shown


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"facts": {"a.service": "loading 42 %", "b.service": ""}}, "a.service: loading 42 %"),
        ({"facts": {"waited_seconds": 3}}, ""),
        ({"facts": {}}, ""),
        ({}, ""),
        ({"facts": {"a": "x"}, "censored": "x"}, ""),
    ],
)
def test_how_far_what_is_waited_for_has_come(result: dict[str, t.Any], expected: str) -> None:
    assert _result.states_of(result) == expected
