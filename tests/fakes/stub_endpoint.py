# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for an OpenAI-compatible endpoint that fails in every way an endpoint can fail. No model is behind it."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import json
import pathlib
import ssl
import threading
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Route = t.Callable[[http.server.BaseHTTPRequestHandler], None]

_stopped = threading.Event()


def event(**delta: str) -> bytes:
    """One chunk of a streamed completion."""
    return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": None}]}).encode() + b"\n\n"


FINISH = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'
USAGE = b'data: {"choices": [], "usage": {"completion_tokens": 5}}\n\n'
DONE = b"data: [DONE]\n\n"
GOOD_STREAM = (event(content="Hel"), event(content="lo"), FINISH, USAGE, DONE)


def answer(status: int, body: t.Any, kind: str = "application/json") -> Route:
    """A route that answers at once."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    def route(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(raw)))
        request.end_headers()
        request.wfile.write(raw)

    return route


def models(*names: str) -> Route:
    """The route /v1/models."""
    return answer(200, {"data": [{"id": name} for name in names]})


def stream(*pieces: bytes, then: str = "end") -> Route:
    """A chunked stream that ends as it should, is ``cut`` or ``hang``s."""

    def route(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "text/event-stream; charset=utf-8")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for piece in pieces:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        request.wfile.flush()
        if then == "hang":
            _stopped.wait(30)
        if then == "end":
            request.wfile.write(b"0\r\n\r\n")

    return route


def with_key(key: str, route: Route) -> Route:
    """The route, for those who know the key."""
    refuse = answer(401, {"error": {"message": "wrong key"}})

    def guarded(request: http.server.BaseHTTPRequestHandler) -> None:
        (route if request.headers["Authorization"] == f"Bearer {key}" else refuse)(request)

    return guarded


def in_turn(*routes: Route) -> Route:
    """A route that answers differently each time, and then like the last."""
    left = list(routes)

    def route(request: http.server.BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return route


def hang(request: http.server.BaseHTTPRequestHandler) -> None:
    """A route that never answers."""
    _stopped.wait(30)


def drip(request: http.server.BaseHTTPRequestHandler) -> None:
    """A route whose body never ends, a byte at a time, so that no single read times out."""
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    with contextlib.suppress(OSError):
        while not _stopped.wait(0.1):
            request.wfile.write(b" ")


def hang_up(request: http.server.BaseHTTPRequestHandler) -> None:
    """A route that closes the connection without a word."""


def cut_body(request: http.server.BaseHTTPRequestHandler) -> None:
    """A route that sends less than it announced."""
    request.send_response(200)
    request.send_header("Content-Length", "100")
    request.end_headers()
    request.wfile.write(b"{")


def not_http(request: http.server.BaseHTTPRequestHandler) -> None:
    """A route that speaks another protocol."""
    request.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


@contextlib.contextmanager
def serving(routes: dict[str, Route], tls: pathlib.Path | None = None) -> t.Iterator[str]:
    """Serve ``routes`` (404 for others) on loopback; yield the URL. ``tls`` is a file with certificate and key."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            routes.get(self.path, answer(404, {"error": {"message": "not found"}}))(self)
            self.close_connection = True

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: t.Any) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_arguments: t.Any) -> None:
            """Clients that hang up are part of the tests."""

    _stopped.clear()
    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        _stopped.set()
        server.shutdown()
        server.server_close()


def certificate(path: pathlib.Path, names: t.Sequence[str] = ("127.0.0.1",), days: int = 365) -> pathlib.Path:
    """Write a self-signed certificate and its key into one file. ``names`` are addresses; negative ``days`` are over."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub endpoint")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(now + datetime.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(n)) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path
