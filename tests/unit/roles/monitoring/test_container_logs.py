# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

import container_logs
import pytest


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-11-22T10:00:00.1Z INFO ready\n", "INFO ready"),
        ("2026-11-22T10:00:00.1Z Received request a: prompt: 'my illness'\n", "Received request a: prompt: <left out>"),
        ("2026-11-22T10:00:00.1Z Avg prompt throughput: 3 tokens/s\n", "Avg prompt throughput: 3 tokens/s"),
    ],
)
def test_a_line_has_its_container_and_no_prompt(line: str, message: str) -> None:
    stamp, text = container_logs.entry("gpufleet-ray", line)
    assert stamp == "2026-11-22T10:00:00.1Z"
    assert json.loads(text) == {"container": "gpufleet-ray", "message": message}


def test_after_a_restart_nothing_is_sent_twice(tmp_path: pathlib.Path) -> None:
    written: list[str] = []
    state = str(tmp_path / "state.json")
    first = container_logs.Follower(state, written.append)
    first.take("a", "2026-11-22T10:00:00.1Z one\n")
    first.save()
    second = container_logs.Follower(state, written.append)
    second.take("a", "2026-11-22T10:00:00.1Z one\n")
    second.take("a", "2026-11-22T10:00:00.2Z two\n")
    assert [json.loads(text)["message"] for text in written] == ["one", "two"]
    assert "--since=2026-11-22T10:00:00.2Z" in container_logs.command("a", second.seen["a"])


def test_a_broken_state_begins_anew(tmp_path: pathlib.Path) -> None:
    (tmp_path / "state.json").write_text("{", encoding="utf-8")
    assert container_logs.Follower(str(tmp_path / "state.json"), print).seen == {}
