# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a streamed chat completion: server-sent events, and the chunks of the OpenAI API in them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Events follow the HTML standard, section "Server-sent events": lines end with CR LF, LF or CR, a line that begins with
a colon is a comment, several ``data`` lines make one event, an empty line ends it.
"""

from __future__ import annotations

import codecs
import json
import time
import typing as t

#: Where a chunk carries text: the answer, and the reasoning as vLLM (``reasoning``) and SGLang (the last) name it.
TEXT_FIELDS = ("content", "reasoning", "reasoning_content")


class Events:
    """Turn pieces of a stream, cut anywhere, into the data of its events."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._line = ""
        self._after_cr = False
        self._data: list[str] = []

    def feed(self, piece: bytes) -> t.Iterator[str]:
        """Yield the data of every event that ``piece`` completes."""
        for character in self._decode(piece):
            if character == "\n" and self._after_cr:
                self._after_cr = False
                continue
            self._after_cr = character == "\r"
            if character not in "\r\n":
                self._line += character
                continue
            line, self._line = self._line, ""
            if line:
                self._field(line)
            elif self._data:
                yield "\n".join(self._data)
                self._data = []

    def _field(self, line: str) -> None:
        name, _colon, value = line.partition(":")
        if name == "data":
            self._data.append(value[1:] if value.startswith(" ") else value)


class Reply:
    """What a streamed chat completion has brought so far. Times are seconds since it was made."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()
        self._events = Events()
        #: Chunks with text or a tool call.
        self.pieces = 0
        self.text = ""
        self.finish_reason = ""
        #: The engine's own count of generated tokens; None when it gave none.
        self.usage_tokens: int | None = None
        #: The message of an error object inside the stream.
        self.error = ""
        #: Whether ``[DONE]`` has arrived.
        self.done = False
        self.first_seconds: float | None = None
        self.seconds = 0.0

    @property
    def tokens(self) -> int:
        """Generated tokens: as the engine counts them, at least one for each chunk with text."""
        return max(self.usage_tokens or 0, self.pieces)

    @property
    def whole(self) -> bool:
        """Whether the stream came to its end."""
        return self.done or bool(self.finish_reason)

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the body."""
        for data in self._events.feed(piece):
            self._take(data)
        self.seconds = self._clock() - self._start

    def _take(self, data: str) -> None:
        if data.strip() == "[DONE]":
            self.done = True
            return
        try:
            chunk = json.loads(data)
        except ValueError:
            self.error = self.error or f"an event is not JSON: {data[:100]}"
            return
        if not isinstance(chunk, dict):
            return
        if chunk.get("error"):
            error = chunk["error"]
            self.error = str(error.get("message") or error) if isinstance(error, dict) else str(error)
        usage = chunk.get("usage") or {}
        if isinstance(usage.get("completion_tokens"), int):
            self.usage_tokens = usage["completion_tokens"]
        for choice in chunk.get("choices") or []:
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            self._delta(choice.get("delta") or {})

    def _delta(self, delta: dict[str, t.Any]) -> None:
        text = "".join(delta.get(field) or "" for field in TEXT_FIELDS)
        if not text and not delta.get("tool_calls"):
            return
        self.pieces += 1
        self.text += text
        if self.first_seconds is None:
            self.first_seconds = self._clock() - self._start
