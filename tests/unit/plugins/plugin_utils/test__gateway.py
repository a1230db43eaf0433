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


def test_a_good_plan() -> None:
    plan = _gateway.plan([GOOD, {**GOOD, "name": "two", "port": "8443"}], 443, f"# all\n\nann:{KEY}\n{OTHER}\n")
    assert plan["mistakes"] == []
    assert [(server["name"], server["port"]) for server in plan["servers"]] == [("deepseek", 443), ("two", 8443)]
    assert plan["api_keys"] == [{"name": "ann", "key": KEY}, {"name": "default", "key": OTHER}]


def test_keys_still_to_be_made_are_no_mistake() -> None:
    assert _gateway.plan([GOOD], 443, None)["mistakes"] == []


DEPLOYMENTS = {
    "none": ([], "name at least one deployment"),
    "not a list": ({"name": "x"}, "name at least one deployment"),
    "not a dictionary": (["x"], "gateway_deployments[0]: must have name"),
    "no name": ([{**GOOD, "name": None}], "gateway_deployments[0].name"),
    "name that means something to nginx": ([{**GOOD, "name": "a;b"}], "gateway_deployments[0].name"),
    "no served name": ([{**GOOD, "served_name": ""}], "gateway_deployments[0].served_name"),
    "no upstream": ([{**GOOD, "upstreams": []}], "gateway_deployments[0].upstreams"),
    "upstream without a port": ([{**GOOD, "upstreams": ["10.0.0.1"]}], "not '10.0.0.1'"),
    "upstream that means something to nginx": ([{**GOOD, "upstreams": ["a:1; }"]}], "not 'a:1; }'"),
    "upstream port too large": ([{**GOOD, "upstreams": ["a:70000"]}], "not 'a:70000'"),
    "port too large": ([{**GOOD, "port": 70000}], "not 70000"),
    "port no number": ([{**GOOD, "port": "https"}], "not 'https'"),
    "one name twice": ([GOOD, {**GOOD, "port": 1}], "gateway_deployments[1].name: deepseek is used twice"),
    "one port twice": ([GOOD, {**GOOD, "name": "b"}], "does not choose by model name yet"),
}


@pytest.mark.parametrize(("deployments", "mistake"), DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_mistakes_in_deployments(deployments: t.Any, mistake: str) -> None:
    mistakes = _gateway.plan(deployments, 443, KEY)["mistakes"]
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


KEYS = {
    "empty": ("# nothing\n", "holds no key"),
    "short": ("ann:abc", "line 1: a key has 20 or more"),
    "strange": (f'ann:{KEY}"; }}', "line 1: a key has 20 or more"),
    "strange name": (f"Ann Lee:{KEY}", "line 1: a name has"),
    "placeholder": ("CHANGE_ME_CHANGE_ME_CHANGE_ME", "line 1: this is a placeholder"),
    "placeholder in the style of a key": ("sk-your-key-goes-here-0000", "line 1: this is a placeholder"),
    "name twice": (f"ann:{KEY}\n\nann:{OTHER}", "line 3: the name ann is used twice"),
    "key twice": (f"ann:{KEY}\nbob:{KEY}", "line 2: this key is used twice"),
}


@pytest.mark.parametrize(("text", "mistake"), KEYS.values(), ids=KEYS)
def test_mistakes_in_keys(text: str, mistake: str) -> None:
    mistakes = _gateway.plan([GOOD], 443, text)["mistakes"]
    assert len(mistakes) == 1
    assert mistake in mistakes[0]
    assert KEY not in mistakes[0]


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


PAGE: dict[str, t.Any] = {"name": "chat", "port": 8443, "upstream": "127.0.0.1:8080"}
PAGES = {
    "strange name": ([{**PAGE, "name": "a b"}], "gateway_pages[0].name: must have small letters"),
    "upstream on another host": ([{**PAGE, "upstream": "10.0.0.1:80"}], "gateway_pages[0].upstream: must be a port on"),
    "upstream that means something to nginx": ([{**PAGE, "upstream": "127.0.0.1:1; }"}], "gateway_pages[0].upstream"),
    "upstream port too large": ([{**PAGE, "upstream": "127.0.0.1:70000"}], "gateway_pages[0].upstream"),
    "no port": ([{**PAGE, "port": None}], "gateway_pages[0].port: must be 1 to 65535, not None"),
    "the port of a deployment": ([{**PAGE, "port": 443}], "443 is already port 443 of deepseek"),
    "one port twice": (
        [PAGE, {**PAGE, "name": "b"}],
        "gateway_pages[1].port: 8443 is already the port of the page chat",
    ),
    "a port that another service has": ([{**PAGE, "port": 22}], "port 22 of the page chat: another service listens"),
}


def test_good_pages() -> None:
    plan = _gateway.plan([GOOD], 443, KEY, pages=[PAGE])
    assert (plan["mistakes"], plan["pages"]) == ([], [PAGE])


@pytest.mark.parametrize(("pages", "mistake"), PAGES.values(), ids=PAGES)
def test_mistakes_in_pages(pages: t.Any, mistake: str) -> None:
    mistakes = _gateway.plan([GOOD], 443, KEY, taken_ports=[22], pages=pages)["mistakes"]
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def test_before_there_is_a_plan_a_page_keeps_off_the_gateways_port() -> None:
    mistakes = _gateway.plan(None, 443, pages=[{**PAGE, "port": 443}])["mistakes"]
    assert mistakes == ["gateway_pages[0].port: 443 is already gateway_port: 443; set another"]
