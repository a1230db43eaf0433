# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One HTTP request, bounded in time and size, that tells apart why it failed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Redirects are not followed, proxies of the environment are not used, certificates are always verified: what is asked
is the endpoint itself.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import socket
import ssl
import time
import typing as t
import urllib.parse

# Why a request has no whole answer.
UNKNOWN_NAME = "unknown name"
REFUSED = "refused"
UNREACHABLE = "unreachable"
TIMEOUT = "timeout"
UNTRUSTED = "untrusted"
NO_TLS = "no TLS"
BROKEN = "broken"
NOT_HTTP = "not HTTP"

#: More than any answer that is read here; a longer one is cut.
BODY_LIMIT_BYTES = 4 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where to send requests. ``address`` is what is connected to, ``host`` what the certificate must name."""

    https: bool
    host: str
    port: int
    address: str
    prefix: str = ""

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.https else 80) else f"{host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Problem:
    """Why a request has no whole answer: one of the words above and the text of the error."""

    kind: str
    text: str


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came back. ``status`` is None when there was none; ``problem`` may come after a status, in a broken body.

    ``certificate_until`` is the end of the server certificate in seconds since 1970, None without TLS.
    """

    status: int | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    problem: Problem | None = None
    certificate_until: float | None = None

    @property
    def text(self) -> str:
        """The first 300 characters of the body, for messages."""
        return self.body.decode("utf-8", "replace").strip()[:300]

    def json(self) -> t.Any:
        """The body as JSON; None when it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def endpoint(url: str, connect_to: str | None = None) -> Endpoint:
    """Return the parts of ``url`` (without ``/v1``). ``connect_to`` is an address to use in place of the URL's host.

    Raises ValueError with what is wrong with the URL.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not a URL such as https://gateway.example or https://10.0.0.11:8443")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{parts.hostname}: the URL must hold no user, query or fragment")
    https = parts.scheme == "https"
    return Endpoint(
        https=https,
        host=parts.hostname,
        port=parts.port or (443 if https else 80),
        address=connect_to or parts.hostname,
        prefix=parts.path.rstrip("/"),
    )


def trust(ca_path: str | None) -> ssl.SSLContext:
    """Return a context that trusts the certificates in ``ca_path`` only, or those of the system.

    Raises OSError or ssl.SSLError when the file cannot be used.
    """
    context = ssl.create_default_context(cafile=ca_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def exchange(
    where: Endpoint,
    path: str,
    api_key: str | None = None,
    payload: t.Any = None,
    timeout_seconds: float = 10.0,
    context: ssl.SSLContext | None = None,
    on_piece: t.Callable[[bytes], None] | None = None,
) -> Answer:
    """GET ``path``, or POST ``payload`` as JSON, within ``timeout_seconds`` in all.

    Never raises for what the network does.
    ``on_piece`` gets the body of a 200 answer as it arrives, and ``Answer.body`` stays empty then.
    """
    limit = _Limit(timeout_seconds)
    answer = Answer()
    connection = http.client.HTTPConnection(where.host, where.port)
    try:
        connection.sock = socket.create_connection((where.address, where.port), timeout=limit.left())
        if where.https:
            context = context or trust(None)
            connection.sock = context.wrap_socket(connection.sock, server_hostname=where.host)
            answer = Answer(certificate_until=_valid_until(connection.sock))
        sock = connection.sock
        connection.request(
            "GET" if payload is None else "POST",
            where.prefix + path,
            body=None if payload is None else json.dumps(payload).encode(),
            headers=_headers(where, api_key, payload is not None),
        )
        sock.settimeout(limit.left())
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        answer = dataclasses.replace(answer, status=response.status, headers=headers)
        keep: list[bytes] = []
        for piece in _pieces(response, sock, limit):
            if on_piece is not None and response.status == 200:
                on_piece(piece)
            else:
                keep.append(piece)
        return dataclasses.replace(answer, body=b"".join(keep))
    except (OSError, http.client.HTTPException) as error:
        return dataclasses.replace(answer, problem=explain(error, timeout_seconds))
    finally:
        connection.close()


def explain(error: Exception, timeout_seconds: float) -> Problem:
    """Return which problem an exception of the standard library means."""
    if isinstance(error, (TimeoutError, socket.timeout)):
        return Problem(TIMEOUT, f"no whole answer within {timeout_seconds:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Problem(UNTRUSTED, error.verify_message or str(error))
    if isinstance(error, (ssl.SSLZeroReturnError, ssl.SSLEOFError)):
        return Problem(BROKEN, "the TLS connection was closed")
    if isinstance(error, ssl.SSLError):
        return Problem(NO_TLS, error.reason or str(error))
    if isinstance(error, socket.gaierror):
        return Problem(UNKNOWN_NAME, error.strerror or str(error))
    if isinstance(error, ConnectionRefusedError):
        return Problem(REFUSED, "connection refused")
    if isinstance(error, (ConnectionError, http.client.IncompleteRead)):
        return Problem(BROKEN, "the connection was closed before the answer was whole")
    if isinstance(error, http.client.HTTPException):
        return Problem(NOT_HTTP, f"{type(error).__name__} {error}".strip())
    return Problem(UNREACHABLE, str(error))


class _Limit:
    """The time that is left; a socket's own timeout counts anew for every byte and would never end a slow drip."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def _pieces(response: http.client.HTTPResponse, sock: socket.socket, limit: _Limit) -> t.Iterator[bytes]:
    """Yield the body as it arrives. Raises IncompleteRead when it ends before its announced length."""
    size = 0
    while size < BODY_LIMIT_BYTES and not response.isclosed():
        sock.settimeout(limit.left())
        piece = response.read1(65536)
        if not piece:
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
            return
        size += len(piece)
        yield piece


def _headers(where: Endpoint, api_key: str | None, with_body: bool) -> dict[str, str]:
    headers = {"Host": where.authority, "Accept": "application/json, text/event-stream", "Connection": "close"}
    if api_key is not None:
        headers["Authorization"] = f"Bearer {api_key}"
    if with_body:
        headers["Content-Type"] = "application/json"
    return headers


def _valid_until(sock: ssl.SSLSocket) -> float | None:
    certificate = sock.getpeercert() or {}
    until = certificate.get("notAfter")
    return float(ssl.cert_time_to_seconds(until)) if isinstance(until, str) else None
