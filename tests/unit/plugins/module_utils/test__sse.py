# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._sse import Events, Reply

STREAM = ': comment\r\ndata: {"a":\r\ndata: 1}\r\n\r\nevent: ping\nid: 7\n\ndata:no space\n\ndata: ä\r\rdata: cut off'.encode()
EVENTS = ['{"a":\n1}', "no space", "ä"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_do_not_depend_on_where_the_stream_is_cut(size: int) -> None:
    events = Events()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in events.feed(piece)] == EVENTS


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert list(Events().feed(b"\xef\xbb\xbfdata: x\n\n")) == ["x"]


def data(*chunks: t.Any) -> bytes:
    return b"".join(b"data: %s\n\n" % (c if isinstance(c, bytes) else json.dumps(c).encode()) for c in chunks)


def delta(finish_reason: str | None = None, **fields: t.Any) -> dict[str, t.Any]:
    return {"choices": [{"delta": fields, "finish_reason": finish_reason}]}


USAGE = {"choices": [], "usage": {"completion_tokens": 9}}
TOOL = [{"index": 0, "function": {"arguments": "{"}}]

CASES = {
    "content": (
        [delta(role="assistant", content=""), delta(content="a"), delta(content="b"), b"[DONE]"],
        2,
        "ab",
        True,
    ),
    "reasoning of vLLM": ([delta(reasoning="hm"), b"[DONE]"], 1, "hm", True),
    "reasoning of SGLang": ([delta(reasoning_content="hm", content=None), b"[DONE]"], 1, "hm", True),
    "tool call": ([delta(tool_calls=TOOL), b"[DONE]"], 1, "", True),
    "the engine's own count": ([delta(content="abc"), USAGE, b"[DONE]"], 9, "abc", True),
    "end by finish_reason": ([delta(content="a"), delta("length")], 1, "a", True),
    "cut": ([delta(content="a")], 1, "a", False),
    "nothing": ([delta(role="assistant"), delta("stop"), b"[DONE]"], 0, "", True),
    "usage is null": ([{"choices": [], "usage": None}, b"[DONE]"], 0, "", True),
    "not an object": ([[1, 2], b"[DONE]"], 0, "", True),
}


@pytest.mark.parametrize(("chunks", "tokens", "text", "whole"), CASES.values(), ids=CASES)
def test_reply(chunks: list[t.Any], tokens: int, text: str, whole: bool) -> None:
    reply = Reply()
    reply.feed(data(*chunks))
    assert (reply.tokens, reply.text, reply.whole, reply.error) == (tokens, text, whole, "")


@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        ({"error": {"message": "out of memory"}}, "out of memory"),
        ({"error": "out of memory"}, "out of memory"),
        (b"<html>", "an event is not JSON: <html>"),
    ],
)
def test_error_in_the_stream(chunk: t.Any, error: str) -> None:
    reply = Reply()
    reply.feed(data(delta(content="a"), chunk))
    assert reply.error == error


def test_times_are_those_of_the_clock() -> None:
    ticks = iter([10.0, 11.5, 12.0, 14.0])
    reply = Reply(clock=lambda: next(ticks))
    reply.feed(data(delta(content="a")))
    reply.feed(data(delta(content="b")))
    assert (reply.first_seconds, reply.seconds) == (1.5, 4.0)
