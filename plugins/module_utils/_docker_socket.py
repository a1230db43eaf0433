# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the Docker daemon over its socket, with a bound in time and the standard library only.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

The socket is asked rather than the ``docker`` command: one connection instead of one process per question, JSON
instead of text, and a daemon that hangs is a finding after ``timeout_seconds``.
"""

from __future__ import annotations

import http.client
import json
import socket
import typing as t

SOCKET_PATH = "/var/run/docker.sock"


class DockerUnreachableError(Exception):
    """The daemon gave no usable answer; the text says why, for people."""


DockerUnreachable = DockerUnreachableError


class _UnixConnection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, socket_path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._socket_path = socket_path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._socket_path)
        except OSError:
            self.sock.close()
            raise


def request(
    method: str,
    path: str,
    body: t.Any = None,
    timeout_seconds: float = 5.0,
    socket_path: str = SOCKET_PATH,
) -> tuple[int, t.Any]:
    """Send one request and return ``(HTTP status, answer)``: parsed JSON where the daemon sends JSON, else text.

    An HTTP error status is an answer, not an exception. ``body`` is sent as JSON. Raises :class:`DockerUnreachable`
    when nobody answers within ``timeout_seconds`` (per read, not in total) or what comes is not HTTP.
    """
    status, raw, kind = _exchange(method, path, body, timeout_seconds, socket_path, None)
    return status, _answer(raw, kind)


def get_bytes(
    path: str, limit_bytes: int, timeout_seconds: float = 5.0, socket_path: str = SOCKET_PATH
) -> tuple[int, bytes]:
    """Return ``(HTTP status, the first bytes of the answer)`` of a GET, as they come: for logs. See :func:`request`."""
    status, raw, _kind = _exchange("GET", path, None, timeout_seconds, socket_path, limit_bytes)
    return status, raw


def _exchange(
    method: str, path: str, body: t.Any, timeout_seconds: float, socket_path: str, limit_bytes: int | None
) -> tuple[int, bytes, str]:
    connection = _UnixConnection(socket_path, timeout_seconds)
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        raw = response.read() if limit_bytes is None else response.read(limit_bytes)
        kind = response.getheader("Content-Type", "")
    except FileNotFoundError:
        raise DockerUnreachable(f"there is no socket {socket_path}: Docker is not installed or not started") from None
    except ConnectionRefusedError:
        raise DockerUnreachable(f"nobody listens on {socket_path}: the Docker daemon is not running") from None
    except PermissionError:
        raise DockerUnreachable(f"no permission for {socket_path}: run with become: true") from None
    except socket.timeout:  # its name up to Python 3.9; TimeoutError from 3.10
        raise DockerUnreachable(f"the Docker daemon did not answer within {timeout_seconds:g} s") from None
    except (OSError, http.client.HTTPException) as error:
        raise DockerUnreachable(f"the Docker daemon broke off: {type(error).__name__} {error}".rstrip()) from None
    finally:
        connection.close()
    return response.status, raw, kind or ""


def get(path: str, timeout_seconds: float = 5.0, socket_path: str = SOCKET_PATH) -> tuple[int, t.Any]:
    """Return ``(HTTP status, answer)`` of a GET, e.g. ``get("/version")``; see :func:`request`."""
    return request("GET", path, None, timeout_seconds, socket_path)


def _answer(raw: bytes, kind: str) -> t.Any:
    text = raw.decode("utf-8", errors="replace")
    if "json" not in kind:
        return text
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        raise DockerUnreachable("the Docker daemon sent an answer that is no JSON") from None
