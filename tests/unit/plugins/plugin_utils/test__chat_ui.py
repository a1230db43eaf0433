# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _chat_ui

KEY = "A1b2C3d4E5f6G7h8J9k0"
OTHER = "Z1b2C3d4E5f6G7h8J9k0"
NODE: dict[str, t.Any] = {
    "listening": [{"address": "0.0.0.0", "port": 22}],
    "units": {},
    "docker": {"images": {"local/webui:1": "sha256:1"}},
}
WISHES: dict[str, t.Any] = {
    "url": "https://192.0.2.11:8443",
    "port": 8443,
    "local_port": 8480,
    "gateway": {"url": "https://192.0.2.11", "api_keys_path": "/c/keys", "ca_path": "/c/ca.crt"},
    "endpoints": [{"name": "a", "served_name": "deepseek"}],
    "api_key_name": "",
    "admin_email": "admin@localhost",
    "environment": {},
    "allowed_addresses": [],
    "image": "",
    "images": [],
    "python": "/usr/bin/python3",
    "data_directory": "/data/chat",
    "wheel_archive": "",
    "wheel_archive_found": False,
    "keys_text": f"{OTHER}\nchat:{KEY}\n",
    "admin_password": "adminpassword",
    "session_key": "sessionkey",
    "secrets_text": None,
}


def plan(node: t.Mapping[str, t.Any] = NODE, **changes: t.Any) -> dict[str, t.Any]:
    return _chat_ui.plan(node, {**WISHES, **changes})


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_a_virtual_environment() -> None:
    made = plan()
    assert (made["mistakes"], made["form"], made["models"]) == ([], "venv", ["deepseek"])
    settings = lines(made["settings"])
    assert settings["OPENAI_API_BASE_URLS"] == "https://192.0.2.11/v1"
    assert settings["DATA_DIR"] == "/data/chat"
    assert settings["USE_SLIM_DOCKER"] == "true"
    assert settings["AIOHTTP_CLIENT_SSL_CERT_FILE"] == _chat_ui.CA_PATH
    assert settings["CORS_ALLOW_ORIGIN"] == WISHES["url"]


def test_a_container_sees_its_own_paths() -> None:
    made = plan(image="local/webui:1", python="")
    assert (made["mistakes"], made["form"]) == ([], "container")
    settings = lines(made["settings"])
    assert settings["DATA_DIR"] == "/app/backend/data"
    assert settings["STATIC_DIR"] == "/app/backend/data/static"
    assert "USE_SLIM_DOCKER" not in settings


def test_secrets_are_apart() -> None:
    made = plan(secrets_text="SCIM_TOKEN=abc\n")
    assert lines(made["secrets"]) == {
        "OPENAI_API_KEYS": f"'{OTHER}'",
        "SCIM_TOKEN": "'abc'",
        "WEBUI_ADMIN_PASSWORD": "'adminpassword'",
        "WEBUI_SECRET_KEY": "'sessionkey'",
    }
    assert not [one for one in (OTHER, "adminpassword", "sessionkey", "abc") if one in made["settings"]]


def test_a_public_authority_needs_no_file() -> None:
    made = plan(gateway={**WISHES["gateway"], "ca_path": ""})
    assert "AIOHTTP_CLIENT_SSL_CERT_FILE" not in lines(made["settings"])


def test_the_key_with_the_wanted_name() -> None:
    assert f"OPENAI_API_KEYS='{KEY}'" in plan(api_key_name="chat")["secrets"]


def test_several_addresses_of_the_gateway_each_once_with_a_key_each() -> None:
    endpoints = [{"served_name": "a"}, {"served_name": "b", "port": 444}, {"served_name": "a"}]
    made = plan(endpoints=endpoints)
    assert made["api_urls"] == ["https://192.0.2.11/v1", "https://192.0.2.11:444/v1"]
    assert made["models"] == ["a", "b"]
    assert f"OPENAI_API_KEYS='{OTHER};{OTHER}'" in made["secrets"]


def test_an_ipv6_gateway_keeps_its_brackets() -> None:
    made = plan(endpoints=[{"served_name": "b", "port": 444}], gateway={"url": "https://[2001:db8::1]:443"})
    assert made["api_urls"] == ["https://[2001:db8::1]:444/v1"]
    assert made["allowed"] == ["localhost", "2001:db8::1"]


def test_it_may_call_the_gateway_and_what_the_user_adds() -> None:
    assert plan(allowed_addresses=["10.0.0.0/8"])["allowed"] == ["localhost", "192.0.2.11", "10.0.0.0/8"]


LOCAL = "127.0.0.1 localhost\n::1 localhost\n"
GATEWAYS = {
    "a name": ({"url": "https://gpu1.example"}, ["localhost"], f"{LOCAL}127.0.0.1 gpu1.example\n"),
    "localhost": ({"url": "https://localhost"}, ["localhost"], LOCAL),
    "a name, one address": (
        {"url": "https://gpu1.example", "address": "192.0.2.5"},
        ["localhost", "192.0.2.5"],
        f"{LOCAL}192.0.2.5 gpu1.example\n",
    ),
    "IPv6": ({"url": "https://g", "address": "[2001:db8::1]"}, ["localhost", "2001:db8::1"], f"{LOCAL}2001:db8::1 g\n"),
    "an address": ({"url": "https://192.0.2.11"}, ["localhost", "192.0.2.11"], LOCAL),
}


@pytest.mark.parametrize(("gateway", "allowed", "hosts"), GATEWAYS.values(), ids=GATEWAYS)
def test_the_gateway_is_found_on_this_host_without_a_name_server(
    gateway: dict[str, str], allowed: list[str], hosts: str
) -> None:
    made = plan(gateway=gateway)
    assert (made["allowed"], made["hosts"]) == (allowed, hosts)


def test_before_the_secrets_are_made() -> None:
    made = plan(keys_text=None, admin_password=None, session_key=None)
    assert made["mistakes"] == []
    assert "OPENAI_API_KEYS=''" in made["secrets"]


ACTIVE = {**NODE, "units": {_chat_ui.UNIT: {"active": "active"}}, "listening": [{"address": "127.0.0.1", "port": 8480}]}


def test_its_own_port_is_not_taken() -> None:
    assert plan(ACTIVE)["mistakes"] == []


MISTAKES = {
    "no such key": ({"api_key_name": "ann"}, "chat_ui_api_key_name: /c/keys has no key ann; write a line ann:KEY"),
    "no key file": ({"api_key_name": "ann", "keys_text": None}, "write a line ann:KEY into /c/keys"),
    "port too large": ({"port": 70000}, "chat_ui_port: must be 1 to 65535, not 70000"),
    "one port for both": ({"local_port": 8443}, "chat_ui_local_port: 8443 is chat_ui_port"),
    "a port that another service has": ({"local_port": 22}, "chat_ui_local_port: another service listens on 22"),
    "a quote in the password": (
        {"admin_password": "it's"},
        "chat_ui_admin_password_path: the file must be one line without ' and \\",
    ),
    "two lines of password": ({"admin_password": "one\ntwo"}, "chat_ui_admin_password_path: the file must be one line"),
    "no password": ({"admin_password": ""}, "chat_ui_admin_password_path: the file must be one line"),
    "a backslash in the session key": ({"session_key": "a\\b"}, "chat_ui_session_key_path: the file must be one line"),
    "no address": ({"admin_email": "admin"}, "chat_ui_admin_email: must be like admin@example.com"),
    "an address that would end its quotes": ({"admin_email": "o'neill@x"}, "chat_ui_admin_email"),
    "no interpreter": ({"python": ""}, "chat_ui_image: this platform has neither Python 3.11 nor 3.12"),
    "no archive": ({"wheel_archive": "/c/wheels.tar"}, "chat_ui_wheel_archive: /c/wheels.tar does not exist"),
    "unknown image": (
        {"image": "x/y:1", "images": ["a:1"]},
        "chat_ui_image: x/y:1 is neither in container_runtime_images (a:1)",
    ),
    "a secret in the open": ({"environment": {"A_KEY": "x"}}, "chat_ui_environment.A_KEY: a secret"),
    "an unreadable secret": ({"secrets_text": "x"}, "chat_ui_secrets_path, line 1"),
}


@pytest.mark.parametrize(("changes", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(changes: dict[str, t.Any], mistake: str) -> None:
    mistakes = plan(**changes)["mistakes"]
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def test_a_bad_key_file_is_named_by_the_gateway_alone() -> None:
    assert plan(keys_text="short")["mistakes"] == []
