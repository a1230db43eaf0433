# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a short-lived container over Docker's socket, and remove it whatever happens.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket


class Outcome(t.NamedTuple):
    """What became of a container.

    ``log``: its HostConfig.LogConfig, None when it could not be created; ``text``: what it printed, None when it did
    not run; ``code``: its exit status; ``problem``: what the daemon said against it.
    """

    log: dict[str, t.Any] | None
    text: str | None
    code: int | None
    problem: str


def run(
    image: str,
    command: list[str],
    more: dict[str, t.Any],
    host: dict[str, t.Any],
    timeout_seconds: float,
    socket_path: str = _docker_socket.SOCKET_PATH,
) -> Outcome:
    """Run ``command`` in a container of ``image`` without a network.

    ``more`` and ``host`` are merged into the body of POST /containers/create and its HostConfig. An answer that says no
    is an outcome. Raises DockerUnreachableError when the daemon does not answer within ``timeout_seconds`` (per answer).
    """

    def ask(method: str, path: str, body: t.Any = None) -> t.Any:
        status, answer = _docker_socket.request(method, path, body, timeout_seconds, socket_path)
        if status >= 300:
            raise _RefusedError(f"{method} {path} answered {status}: {answer}")
        return answer

    wish = {
        "Image": image,
        "Cmd": command,
        "Entrypoint": [],
        "Tty": True,  # without a terminal the log comes in frames
        "Labels": {"gpufleet.probe": command[0]},
        "HostConfig": {"NetworkMode": "none", **host},
        **more,
    }
    log = None
    try:
        identity = ask("POST", "/containers/create", wish)["Id"]
    except _RefusedError as error:
        return Outcome(None, None, None, str(error))
    try:
        log = ask("GET", f"/containers/{identity}/json")["HostConfig"]["LogConfig"]
        ask("POST", f"/containers/{identity}/start")
        code = (ask("POST", f"/containers/{identity}/wait") or {}).get("StatusCode")
        return Outcome(log, str(ask("GET", f"/containers/{identity}/logs?stdout=true")), code, "")
    except _RefusedError as error:
        return Outcome(log, None, None, str(error))
    finally:
        _docker_socket.request("DELETE", f"/containers/{identity}?force=true", None, timeout_seconds, socket_path)


class _RefusedError(Exception):
    """The daemon answered, and said no."""
