# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of containers: Docker's frames, beginning and end without what is in both, and why there is none."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_logs, _docker_socket


def frame(text: str, stream: int = 1) -> bytes:
    data = text.encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", b""),
        (frame("one\n") + frame("two\n", 2), b"one\ntwo\n"),
        # A length of ten is a line feed.
        (frame("123456789\n") + frame("x" * 0x0A01), b"123456789\n" + b"x" * 0x0A01),
        (frame("whole\n") + frame("cut off here")[:-5], b"whole\ncut off"),
        (frame("whole\n") + b"\x01\x00", b"whole\n"),
        (b"a terminal's log\n", b"a terminal's log\n"),
    ],
)
def test_frames(raw: bytes, text: bytes) -> None:
    assert _docker_logs.unframed(raw) == text


@pytest.mark.parametrize(
    ("head", "tail", "expected"),
    [
        ("1\n2\n3", "1\n2\n3", "1\n2\n3"),
        ("1\n2\n3", "2\n3\n4", "1\n2\n3\n4"),
        ("1\n2\nhal", "7\n8", "1\n2\n…\n7\n8"),
        ("1", "", "1"),
        ("", "", ""),
    ],
)
def test_head_and_tail(head: str, tail: str, expected: str) -> None:
    assert _docker_logs.joined(head, tail) == expected


def test_a_log_is_asked_for_twice_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def get_bytes(path: str, limit_bytes: int, timeout_seconds: float) -> tuple[int, bytes]:
        asked.append((path.partition("timestamps=1")[2], limit_bytes))
        return 200, frame("line\n")

    monkeypatch.setattr(_docker_socket, "get_bytes", get_bytes)
    assert _docker_logs.read("rank0") == ("line", "")
    assert asked == [("", _docker_logs.HEAD_BYTES), ("&tail=2000", _docker_logs.TAIL_BYTES)]


@pytest.mark.parametrize(("status", "problem"), [(404, ""), (500, "Docker answered 500 for the log of rank0")])
def test_a_log_that_is_not_there(monkeypatch: pytest.MonkeyPatch, status: int, problem: str) -> None:
    monkeypatch.setattr(_docker_socket, "get_bytes", lambda *_given: (status, b"{}"))
    assert _docker_logs.read("rank0") == ("", problem)


def test_no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_bytes(*_given: object) -> tuple[int, bytes]:
        raise _docker_socket.DockerUnreachableError("nobody listens")

    monkeypatch.setattr(_docker_socket, "get_bytes", get_bytes)
    assert _docker_logs.read("rank0") == ("", "nobody listens")
