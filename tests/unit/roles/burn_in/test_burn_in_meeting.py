# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes meet over real sockets: all come, one is missing, nobody hosts, somebody else comes."""

from __future__ import annotations

import concurrent.futures
import socket
import time

import burn_in_meeting as meeting

HERE = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HERE, 0))
        return int(one.getsockname()[1])


def visit(port: int, name: str, stays: bool) -> bytes:
    """Come as a guest once somebody listens. Return the word; without waiting for it, nothing."""
    for _attempt in range(1000):
        try:
            one = socket.create_connection((HERE, port), timeout=20)
        except ConnectionRefusedError:
            time.sleep(0.02)
            continue
        with one:
            one.sendall(f"{name}\n".encode())
            return one.recv(100) if stays else b""
    raise AssertionError("nobody listens")


def meet(others: list[str], come: list[str], host_seconds: float = 20.0) -> tuple[str, list[str]]:
    """Return what the host and what each guest learns."""
    port, now = free_port(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # Guests come first: they wait for the host to listen.
        guests = [pool.submit(meeting.guest, HERE, port, name, now + 20) for name in come]
        host = pool.submit(meeting.host, port, others, now + host_seconds)
        return host.result(), [one.result() for one in guests]


def test_all_come() -> None:
    assert meet(["n2", "n3"], ["n3", "n2"]) == ("", ["", ""])


def test_who_is_missing_is_named_to_everybody() -> None:
    said = "n3 did not come in time"
    assert meet(["n2", "n3"], ["n2"], 1.0) == (said, [said])


def test_nobody_else_is_waited_for() -> None:
    assert meeting.host(free_port(), [], time.monotonic() + 20) == ""


def test_a_guest_without_a_host_ends_in_time() -> None:
    port = free_port()
    said = meeting.guest(HERE, port, "n2", time.monotonic() + 0.6)
    assert said.startswith(f"{HERE}:{port} is out of reach: ")


def test_a_stranger_is_sent_away_and_stops_nobody() -> None:
    port, now = free_port(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        host = pool.submit(meeting.host, port, ["n2"], now + 20)
        assert visit(port, "who", stays=True) == b""
        assert meeting.guest(HERE, port, "n2", now + 20) == ""
        assert host.result() == ""


def test_a_guest_that_goes_away_takes_the_word_from_nobody() -> None:
    port, now = free_port(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        host = pool.submit(meeting.host, port, ["n2", "n3"], now + 20)
        visit(port, "n2", stays=False)
        assert meeting.guest(HERE, port, "n3", now + 20) == ""
        assert host.result() == ""
