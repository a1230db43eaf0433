# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway

KEY = "A1b2C3d4E5f6G7h8J9k0"
OTHER = "Z1b2C3d4E5f6G7h8J9k0"
GOOD: dict[str, t.Any] = {"name": "deepseek", "served_name": "deepseek-v3", "upstreams": ["127.0.0.1:8000"]}
TWO: dict[str, t.Any] = {"name": "two", "served_name": "two", "upstreams": ["127.0.0.1:8001"]}


def test_a_good_plan() -> None:
    plan = _gateway.plan([GOOD, TWO], 443, f"# all\n\nann:{KEY}\n{OTHER}\n", ports={"two": "8443"}, weights={"two": 5})
    assert plan["mistakes"] == []
    assert [(one["name"], one["port"], one["weight"]) for one in plan["servers"]] == [
        ("deepseek", 443, 100),
        ("two", 8443, 5),
    ]
    assert plan["api_keys"] == [{"name": "ann", "key": KEY}, {"name": "default", "key": OTHER}]
    assert [user["name"] for user in plan["users"]] == ["ann", "default"]
    assert [one["port"] for one in plan["listeners"]] == [443, 8443]
    assert plan["claims"] == {"gateway_port": 443, "gateway_ports.two": 8443, "gateway_metrics_port": 8404}


def test_deployments_share_a_port() -> None:
    plan = _gateway.plan([GOOD, TWO], 443, KEY, replica_requests=3, queue_requests="4")
    assert plan["mistakes"] == []
    assert [[model["name"] for model in one["models"]] for one in plan["listeners"]] == [["deepseek", "two"]]
    assert [model["most_requests"] for model in plan["models"]] == [7, 7]


def test_keys_still_to_be_made_are_no_mistake() -> None:
    plan = _gateway.plan([GOOD], 443, None, limits={"ann": {"concurrent": 1}})
    assert (plan["mistakes"], plan["api_keys"], plan["users"]) == ([], [], [])


PAGE = {"name": "chat", "port": 8443, "upstream": "127.0.0.1:3000"}
MISTAKES: dict[str, tuple[dict[str, t.Any], str]] = {
    "port too large": ({"port": 70000}, "gateway_port: must be 1 to 65535, not 70000"),
    "port no number": ({"port": "https"}, "not 'https'"),
    "port a truth": ({"port": True}, "not True"),
    "own port too large": ({"ports": {"deepseek": 70000}}, "gateway_ports.deepseek: must be 1 to 65535"),
    "metrics port": ({"metrics_port": "x"}, "gateway_metrics_port: must be"),
    "metrics port twice": ({"metrics_port": 443}, "gateway_metrics_port: 443 is already gateway_port"),
    "page on the gateway's port": (
        {"pages": [{**PAGE, "port": 443}]},
        "gateway_pages, chat: 443 is already gateway_port",
    ),
    "page on an own port": (
        {"ports": {"deepseek": 8443}, "pages": [PAGE]},
        "gateway_pages, chat: 8443 is already gateway_ports.deepseek",
    ),
    "page on a taken port": ({"pages": [PAGE], "taken_ports": [8443]}, "gateway_pages, chat: 8443: another service"),
    "page that is none": ({"pages": "chat"}, "gateway_pages: must be a list"),
    "authority's port": ({"port": 80, "acme_names": ["a.example"]}, "gateway_acme_names: 80 is already gateway_port"),
    "authority and an address": ({"acme_names": ["10.0.0.1"]}, "gateway_acme_names: '10.0.0.1' is no name of the DNS"),
    "authority and own certificate": (
        {
            "acme_names": ["a.example"],
            "own_certificate": {"gateway_certificate_path": "/a", "gateway_private_key_path": "/b"},
        },
        "are set too",
    ),
    "body too large": ({"body_limit_mib": 31}, "gateway_body_limit_mib: must be 1 to 30"),
    "limit of nobody": ({"limits": {"bob": {}}}, "gateway_limits.bob: no key has this name"),
    "pair": (
        {"pair": {"floating": None, "peers": ["a", "b"], "interface": "eth0", "interfaces": {}, "address": None}},
        "gateway_floating_address: is missing",
    ),
}


@pytest.mark.parametrize(("wishes", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(wishes: dict[str, t.Any], mistake: str) -> None:
    mistakes = _gateway.plan(**{"deployments": [GOOD], "port": 443, "keys_text": f"ann:{KEY}", **wishes})["mistakes"]
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def test_all_mistakes_are_listed() -> None:
    mistakes = _gateway.plan(
        [{**GOOD, "name": "?"}],
        443,
        "",
        own_certificate={"gateway_certificate_path": "/a.crt", "gateway_private_key_path": None},
        missing_paths=["/a.crt"],
        taken_ports=[22, 443],
    )["mistakes"]
    assert len(mistakes) == 5
    assert any("give both" in mistake for mistake in mistakes)
    assert any("/a.crt" in mistake for mistake in mistakes)
    assert any("another service listens" in mistake for mistake in mistakes)


def test_names_of_a_certificate() -> None:
    names = ["lab1", "10.77.0.11", "lab1", "127.0.0.1", "fe80::1", "fd00::1"]
    assert _gateway.alternative_names(names) == [
        "DNS:localhost",
        "IP:127.0.0.1",
        "DNS:lab1",
        "IP:10.77.0.11",
        "IP:fd00::1",
    ]


def test_without_a_plan_the_other_wishes_are_looked_at() -> None:
    assert _gateway.plan(None, 443)["mistakes"] == []
    assert _gateway.plan(None, 443, taken_ports=[443])["mistakes"] == [
        "gateway_port: 443: another service listens there; set another"
    ]
    assert "placeholder" in _gateway.plan(None, 443, keys_text="change-me-change-me-change-me")["mistakes"][0]
