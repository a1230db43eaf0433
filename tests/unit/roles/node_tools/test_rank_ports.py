# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Ports that somebody listens on are found before a start, with their owner."""

from __future__ import annotations

import importlib
import os
import pathlib
import socket
import types

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _diagnosis


@pytest.fixture(scope="session")
def ports() -> types.ModuleType:
    return importlib.import_module("rank_ports")


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_taken_port_is_told_with_its_owner(ports: types.ModuleType, address: str) -> None:
    comm = pathlib.Path("/proc/self/comm").read_text().strip()
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        wanted = [{"address": "127.0.0.1", "port": port}]
        told = ports.taken(wanted)
        assert told == f"127.0.0.1:{port}: Address already in use, by {comm} ({os.getpid()})"
        assert ports.taken([{"address": "127.0.0.9", "port": port}]) == "" or address == "0.0.0.0"
    assert ports.taken(wanted) == "" == ports.taken([])
    [finding] = _diagnosis.findings({"engine": "", "log": f"failed: {told}"})
    assert "port" in finding["name"]


def test_an_address_that_the_node_does_not_have_is_told(ports: types.ModuleType) -> None:
    assert "192.0.2.1:1 cannot be listened on: " in ports.taken([{"address": "192.0.2.1", "port": 1}])


def test_an_owner_that_cannot_be_seen_is_somebody(ports: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "owners_of", lambda _port: set())
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert ports.taken([{"address": "127.0.0.1", "port": port}]).endswith("in use, by somebody")


def test_what_a_connection_left_is_no_listener(ports: types.ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            client.recv(1)
    assert ports.taken([{"address": "127.0.0.1", "port": port}]) == ""
