# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the gateway of this host as a hostile, patient or greedy client would, and print what was seen. The key is on stdin.

``gateway_probe.py look`` tries everything that a gateway at rest must do; ``hold GATE`` keeps 64 streams open until somebody opens the
gate; ``limits`` asks more than one key may; ``open GATE`` opens a gate.
"""

from __future__ import annotations

import concurrent.futures
import csv
import glob
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import typing as t
import uuid

CA = "/etc/gpufleet/gateway/ca.crt"
UNIT = "gpufleet-gateway.service"
CHAT = "/v1/chat/completions"
ADMIN = "/run/gpufleet-gateway/admin.sock"
HELD = pathlib.Path("/run/gpufleet-held")
STREAMS = 64
USAGE = {"stream_options": {"include_usage": True}}


def connected(port: int = 443) -> http.client.HTTPSConnection:
    return http.client.HTTPSConnection("127.0.0.1", port, context=ssl.create_default_context(cafile=CA), timeout=90)


def ask(
    path: str, authorization: str | None, body: t.Any = None, port: int = 443
) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request and return the whole answer."""
    connection = connected(port)
    headers = {"Authorization": authorization} if authorization else {}
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    connection.request("POST" if data is not None else "GET", path, data, headers)
    response = connection.getresponse()
    return response, response.read()


def chat(prompt: str, model: str = "stub-model", **more: t.Any) -> dict[str, t.Any]:
    """Return a request as the openai client writes it, the model after the messages."""
    return {"messages": [{"role": "user", "content": prompt}], "model": model, **more}


def begun(bearer: str, prompt: str, model: str = "stub-model") -> tuple[http.client.HTTPResponse, str]:
    """Begin a stream and return it after its first line."""
    connection = connected()
    connection.request("POST", CHAT, json.dumps(chat(prompt, model, stream=True)), {"Authorization": bearer})
    response = connection.getresponse()
    return response, response.readline().decode()


def gated_stream(bearer: str, reload_between: bool) -> list[str]:
    """Read a stream whose second chunk the engine sends only after its first was read here."""
    gate = f"gate-{uuid.uuid4().hex}"
    response, first = begun(bearer, gate)
    if reload_between:
        subprocess.run(["systemctl", "reload", UNIT], check=True)
    pathlib.Path("/run/gpufleet-stub-gates").mkdir(exist_ok=True)
    pathlib.Path("/run/gpufleet-stub-gates", gate).touch()
    return [first, response.read().decode()]


def ports(bearer: str, requests: t.Iterable[dict[str, t.Any]]) -> list[int]:
    """Return the port of the engine that got each request."""
    return [json.loads(ask(CHAT, bearer, request)[1])["port"] for request in requests]


def replicas() -> list[str]:
    """Return how HAProxy sees each replica, for the reader of a failure."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(ADMIN)
        admin.sendall(b"show stat\n")
        lines = admin.makefile(encoding="utf-8").read().lstrip("# ").splitlines()
    kept = ("pxname", "svname", "status", "throttle", "lastchg", "wretr", "wredis", "check_status")
    return [
        " ".join(f"{name}={one[name]}" for name in kept)
        for one in csv.DictReader(lines)
        if one["pxname"].startswith("model_") and one["svname"] not in ("FRONTEND", "BACKEND")
    ]


def conversation(turns: int) -> t.Iterator[dict[str, t.Any]]:
    """Return the requests of a conversation, each longer than the one before."""
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": uuid.uuid4().hex}]
    for turn in range(turns):
        yield {"messages": list(messages), "model": "stub-model"}
        messages += [{"role": "assistant", "content": "Yes."}, {"role": "user", "content": f"And {turn}?"}]


def without_a_replica(bearer: str) -> list[int]:
    """Ask while one of two engines is down."""
    unit = "gpufleet-stub-engine@8001.service"
    subprocess.run(["systemctl", "stop", unit], check=True)
    try:
        return [ask(CHAT, bearer, chat(uuid.uuid4().hex))[0].status for _request in range(10)]
    finally:
        subprocess.run(["systemctl", "start", unit], check=True)


def error(answer: tuple[http.client.HTTPResponse, bytes]) -> list[t.Any]:
    """Return status, code and Retry-After of a refusal."""
    response, body = answer
    return [response.status, json.loads(body)["error"]["code"], response.headers["Retry-After"]]


def alpn() -> str | None:
    """Return the protocol that the gateway chooses when HTTP/2 is offered."""
    context = ssl.create_default_context(cafile=CA)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", 443)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as tls,
    ):
        return tls.selected_alpn_protocol()


def holders(key: str) -> list[str]:
    """Return command lines, environments, files and logs that hold the key."""
    found = []
    patterns = (
        "/proc/[0-9]*/cmdline",
        "/proc/[0-9]*/environ",
        "/etc/gpufleet/gateway/**",
        "/etc/systemd/system/*.service",
    )
    for path in (path for pattern in patterns for path in glob.glob(pattern, recursive=True)):
        try:
            if key.encode() in pathlib.Path(path).read_bytes():
                found.append(path)
        except OSError:
            continue
    return found + (["journal"] if key in journal() else [])


def journal() -> str:
    words = ["journalctl", "--unit", UNIT, "--output", "cat", "--no-pager"]
    return subprocess.run(words, capture_output=True, check=True, text=True).stdout


def look(key: str) -> dict[str, t.Any]:
    bearer = f"Bearer {key}"
    refused, refused_body = ask("/v1/models", None)
    shown, _ = ask("/v1/stub/shown", bearer, chat("", "org/other-model"))
    # The log comes a moment after the answer; these have the time of the streams.
    answers = [ask(CHAT, bearer, chat("x", stream=True, **more))[0] for more in ({}, USAGE)]
    streams = [gated_stream(bearer, reload_between=False), gated_stream(bearer, reload_between=True)]
    log = [json.loads(line) for line in journal().splitlines() if line.startswith("{")]
    return {
        "streams": streams,
        "without_key": [refused.status, json.loads(refused_body), refused.headers["WWW-Authenticate"]],
        "headers": {
            name: refused.headers[name] for name in ("Strict-Transport-Security", "X-Content-Type-Options", "Server")
        },
        "other_case": ask("/v1/models", f"Bearer {key.swapcase()}")[0].status,
        "longer_key": ask("/v1/models", f"{bearer}x")[0].status,
        "key_in_other_scheme": ask("/v1/models", f"Basic {key}")[0].status,
        "small_bearer": ask("/v1/models", f"bearer {key}")[0].status,
        "health": ask("/health", None)[0].status,
        "models": [model["id"] for model in json.loads(ask("/v1/models", bearer)[1])["data"]],
        "one_model": json.loads(ask("/v1/models/org/other-model", bearer)[1])["id"],
        "statuses": {
            path: ask(path, bearer)[0].status
            for path in (
                "/metrics",
                "/v1",
                "/v1/../metrics",
                "/v1/%2e%2e/metrics",
                "/metrics/../v1/models",
                "/v1/./models",
                "/v1//load_lora_adapter",
                "/v1/%6coad_lora_adapter",
                "/v1/load_lora_adapter/",
                "/docs",
                "/",
            )
        },
        "unknown_model": error(ask(CHAT, bearer, chat("x", "nobody"))),
        "no_model": error(ask(CHAT, bearer, {"messages": []})),
        "other_model": ports(bearer, [chat("x", "org/other-model")]),
        "at_the_end": ports(bearer, [chat("x" * 8_000_000, "org/other-model")]),
        "too_large": error(ask(CHAT, bearer, chat("x" * 17_000_000))),
        "together": ports(bearer, conversation(6)),
        "replicas": replicas(),
        "spread": sorted(set(ports(bearer, [chat(uuid.uuid4().hex) for _request in range(24)]))),
        "without_a_replica": without_a_replica(bearer),
        "page": ask("/anything", None, port=8443)[0].status,
        "path_at_engine": shown.headers["X-Stub-Path"],
        "key_at_engine": shown.headers["X-Stub-Authorization"],
        "alpn": alpn(),
        "key_holders": holders(key),
        "logged": [entry for entry in log if entry["request_id"] == shown.headers["X-Request-Id"]],
        "tokens": [
            [entry["prompt_tokens"], entry["completion_tokens"]]
            for answer in answers
            for entry in log
            if entry["request_id"] == answer.headers["X-Request-Id"]
        ],
        "prompt_in_log": [entry for entry in log if "gate-" in json.dumps(entry)],
    }


def hold(key: str, gate: str) -> dict[str, t.Any]:
    """Keep streams open, say when all have begun, and return how many ended as they should."""
    bearer = f"Bearer {key}"
    with concurrent.futures.ThreadPoolExecutor(STREAMS) as pool:
        streams = list(pool.map(lambda number: begun(bearer, f"{gate} {number}"), range(STREAMS)))
        HELD.touch()
        ends = list(pool.map(lambda stream: stream[0].read().decode(), streams))
    whole = [" second" in end and "[DONE]" in end and "nobody" not in end for end in ends]
    return {"begun": sum("first" in first for _stream, first in streams), "whole": sum(whole)}


def limits(key: str) -> dict[str, t.Any]:
    """Ask for more than a key may: a model with room for two, four requests at once, and sixty in a minute."""
    bearer, gate = f"Bearer {key}", f"gate-{uuid.uuid4().hex}"
    streams = [begun(bearer, gate, "org/other-model") for _request in range(2)]
    full = error(ask(CHAT, bearer, chat("x", "org/other-model")))
    streams += [begun(bearer, gate) for _request in range(2)]
    many = error(ask("/v1/models", bearer))
    pathlib.Path("/run/gpufleet-stub-gates", gate).touch()
    ends = [stream.read().decode() for stream, _line in streams]
    often = [ask("/v1/models", bearer) for _request in range(70)]
    refused = [answer for answer in often if answer[0].status != 200]
    return {
        "full": full,
        "too_many": many,
        "ended": sum("[DONE]" in end for end in ends),
        "too_often": error(refused[0]) if refused else [],
        "admitted": len(often) - len(refused),
    }


def main() -> None:
    what, *rest = sys.argv[1:]
    key = sys.stdin.read().strip().rpartition(":")[2]
    if what == "open":
        pathlib.Path("/run/gpufleet-stub-gates", rest[0]).touch()
        return
    print(json.dumps({"look": look, "hold": hold, "limits": limits}[what](key, *rest)))


if __name__ == "__main__":
    main()
