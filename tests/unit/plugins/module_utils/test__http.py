# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.client
import pathlib
import socket
import ssl

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _http
from tests.fakes import stub_endpoint as stub


def get(url: str, seconds: float = 5.0, ca: pathlib.Path | None = None, connect_to: str | None = None) -> _http.Answer:
    context = _http.trust(str(ca)) if ca else None
    return _http.exchange(_http.endpoint(url, connect_to), "/x", timeout_seconds=seconds, context=context)


@pytest.mark.parametrize(
    ("url", "connect_to", "expected", "authority"),
    [
        ("https://a.example", None, (True, "a.example", 443, "a.example", ""), "a.example"),
        ("https://a.example:8443/p/", "10.0.0.1", (True, "a.example", 8443, "10.0.0.1", "/p"), "a.example:8443"),
        ("http://[::1]", None, (False, "::1", 80, "::1", ""), "[::1]"),
    ],
)
def test_endpoint(url: str, connect_to: str | None, expected: tuple[object, ...], authority: str) -> None:
    where = _http.endpoint(url, connect_to)
    assert (where.https, where.host, where.port, where.address, where.prefix) == expected
    assert where.authority == authority


@pytest.mark.parametrize("url", ["a.example", "ftp://a", "https://", "https://u:p@a", "https://a/?q=1", "https://a:b"])
def test_endpoint_refuses(url: str) -> None:
    with pytest.raises(ValueError):
        _http.endpoint(url)


ROUTES = {
    "hang": (stub.hang, _http.TIMEOUT),
    "drip": (stub.drip, _http.TIMEOUT),
    "hang up": (stub.hang_up, _http.BROKEN),
    "cut body": (stub.cut_body, _http.BROKEN),
    "cut stream": (stub.stream(b"data", then="cut"), _http.BROKEN),
    "another protocol": (stub.not_http, _http.NOT_HTTP),
}


@pytest.mark.parametrize(("route", "kind"), ROUTES.values(), ids=ROUTES)
def test_problems_of_an_answer(route: stub.Route, kind: str) -> None:
    with stub.serving({"/x": route}) as url:
        problem = get(url, seconds=0.5).problem
    assert problem is not None and problem.kind == kind


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        problem = get(f"http://127.0.0.1:{free.getsockname()[1]}").problem
    assert problem is not None and problem.kind == _http.REFUSED


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (socket.gaierror(-2, "Name or service not known"), _http.UNKNOWN_NAME),
        (OSError(113, "No route to host"), _http.UNREACHABLE),
        (TimeoutError("timed out"), _http.TIMEOUT),
        (ssl.SSLEOFError(8, "EOF"), _http.BROKEN),
        (http.client.LineTooLong("header"), _http.NOT_HTTP),
    ],
)
def test_explain(error: Exception, kind: str) -> None:
    assert _http.explain(error, 1).kind == kind


def test_a_whole_answer() -> None:
    with stub.serving({"/x": stub.answer(418, {"tea": True})}) as url:
        answer = get(url)
    assert (answer.status, answer.json(), answer.problem) == (418, {"tea": True}, None)
    assert answer.headers["content-type"] == "application/json"


def test_pieces_are_handed_on_and_not_kept() -> None:
    seen: list[bytes] = []
    with stub.serving({"/x": stub.stream(b"one", b"two")}) as url:
        answer = _http.exchange(_http.endpoint(url), "/x", payload={"q": 1}, on_piece=seen.append)
    assert (b"".join(seen), answer.body, answer.problem) == (b"onetwo", b"", None)


def test_tls_is_verified(tmp_path: pathlib.Path) -> None:
    good = stub.certificate(tmp_path / "good.pem")
    with stub.serving({"/x": stub.answer(200, {})}, tls=good) as url:
        trusted = get(url, ca=good)
        untrusted = get(url)
        other_name = get(url.replace("127.0.0.1", "localhost"), ca=good, connect_to="127.0.0.1")
        as_plain = get(url.replace("https", "http"))
    assert trusted.status == 200 and trusted.certificate_until is not None
    assert untrusted.problem is not None and untrusted.problem.kind == _http.UNTRUSTED
    assert other_name.problem is not None and other_name.problem.kind == _http.UNTRUSTED
    assert as_plain.problem is not None


def test_an_expired_certificate_is_untrusted(tmp_path: pathlib.Path) -> None:
    expired = stub.certificate(tmp_path / "expired.pem", days=-1)
    with stub.serving({"/x": stub.answer(200, {})}, tls=expired) as url:
        problem = get(url, ca=expired).problem
    assert problem is not None and (problem.kind, problem.text) == (_http.UNTRUSTED, "certificate has expired")


def test_a_port_without_tls() -> None:
    with stub.serving({"/x": stub.answer(200, {})}) as url:
        problem = get(url.replace("http", "https")).problem
    assert problem is not None and problem.kind == _http.NO_TLS
