# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the gateway of this host as a hostile or patient client would, and print what was seen. The key is on stdin."""

from __future__ import annotations

import glob
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys
import uuid

CA = "/etc/gpufleet/gateway/ca.crt"
UNIT = "gpufleet-gateway.service"


def ask(path: str, authorization: str | None, body: bytes | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request and return the whole answer."""
    connection = http.client.HTTPSConnection("127.0.0.1", context=ssl.create_default_context(cafile=CA), timeout=60)
    headers = {"Authorization": authorization} if authorization else {}
    connection.request("POST" if body is not None else "GET", path, body, headers)
    response = connection.getresponse()
    return response, response.read()


def gated_stream(bearer: str, reload_between: bool) -> list[str]:
    """Read a stream whose second chunk the engine sends only after its first was read here."""
    gate = f"gate-{uuid.uuid4().hex}"
    connection = http.client.HTTPSConnection("127.0.0.1", context=ssl.create_default_context(cafile=CA), timeout=60)
    body = json.dumps({"stream": True, "messages": [{"role": "user", "content": gate}]})
    connection.request("POST", "/v1/chat/completions", body, {"Authorization": bearer})
    response = connection.getresponse()
    first = response.readline().decode()
    if reload_between:
        subprocess.run(["systemctl", "reload", UNIT], check=True)
    ask(f"/v1/stub/open/{gate}", bearer)
    return [first, response.read().decode()]


def too_large(bearer: str) -> int:
    """Announce a body beyond the limit; the answer comes before any of it is sent."""
    connection = http.client.HTTPSConnection("127.0.0.1", context=ssl.create_default_context(cafile=CA), timeout=60)
    connection.putrequest("POST", "/v1/completions")
    connection.putheader("Authorization", bearer)
    connection.putheader("Content-Length", str(65 << 20))
    connection.endheaders()
    return connection.getresponse().status


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
    """Return command lines, environments and logs that hold the key."""
    found = []
    patterns = (
        "/proc/[0-9]*/cmdline",
        "/proc/[0-9]*/environ",
        "/var/log/nginx/**/*.log",
        "/etc/systemd/system/*.service",
    )
    for path in (path for pattern in patterns for path in glob.glob(pattern, recursive=True)):
        try:
            if key.encode() in pathlib.Path(path).read_bytes():
                found.append(path)
        except OSError:
            continue
    journal = subprocess.run(["journalctl", "-u", UNIT, "--no-pager"], capture_output=True, check=True)
    return found + (["journal"] if key.encode() in journal.stdout else [])


def main() -> None:
    key = sys.stdin.read().strip()
    bearer = f"Bearer {key}"
    refused, refused_body = ask("/v1/models", None)
    hidden, _ = ask("/metrics/../v1/models", bearer)
    streams = [gated_stream(bearer, reload_between=False), gated_stream(bearer, reload_between=True)]
    log = [json.loads(line) for line in pathlib.Path("/var/log/nginx/gpufleet/access.log").read_text().splitlines()]
    seen = {
        "streams": streams,
        "without_key": [refused.status, json.loads(refused_body), refused.headers["WWW-Authenticate"]],
        "other_case": ask("/v1/models", f"Bearer {key.swapcase()}")[0].status,
        "longer_key": ask("/v1/models", f"{bearer}x")[0].status,
        "key_in_other_scheme": ask("/v1/models", f"Basic {key}")[0].status,
        "small_bearer": ask("/v1/models", f"bearer {key}")[0].status,
        "health": ask("/health", None)[0].status,
        "statuses": {
            path: ask(path, bearer)[0].status
            for path in (
                "/metrics",
                "/v1",
                "/v1/../metrics",
                "/v1/%2e%2e/metrics",
                "/v1//load_lora_adapter",
                "/v1/%6coad_lora_adapter",
                "/v1/load_lora_adapter/",
                "/docs",
                "/",
            )
        },
        "path_at_engine": hidden.headers["X-Stub-Path"],
        "key_at_engine": hidden.headers["X-Stub-Authorization"],
        "too_large": too_large(bearer),
        "alpn": alpn(),
        "key_holders": holders(key),
        "key_modes": [
            oct(pathlib.Path(CA).with_name(name).stat().st_mode & 0o777) for name in ("keys.conf", "gateway.key")
        ],
        "logged": [entry for entry in log if entry["request_id"] == hidden.headers["X-Request-Id"]],
        # The prompt of a gated stream is the gate's name, which is also in the path that opens the gate.
        "prompt_in_log": [entry for entry in log if "gate-" in json.dumps({**entry, "path": ""})],
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
