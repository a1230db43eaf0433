# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _alertmanager

HOOK = {
    "name": "ops",
    "webhook_url": "https://hooks.example/x\n",
    "webhook_credentials_path": "/c/ops",
    "severities": ["critical"],
}
MAIL = {"smarthost": "mail.example:587", "from": "fleet@example.com", "username": "fleet", "password_path": "/c/mail"}


def test_nobody_is_told_by_default() -> None:
    found = _alertmanager.config([], {}, "/s")
    assert found["route"]["receiver"] == "nobody"
    assert found["receivers"] == [{"name": "nobody"}]
    assert found["route"]["routes"] == []


def test_a_webhook_with_credentials_in_a_file() -> None:
    found = _alertmanager.config([HOOK], {}, "/s", 1)
    (hook,) = found["receivers"][1]["webhook_configs"]
    assert hook["url"] == "https://hooks.example/x"
    assert hook["http_config"] == {"authorization": {"type": "Bearer", "credentials_file": "/s/ops.credentials"}}
    assert found["route"]["routes"][0]["matchers"] == ['severity=~"critical"']
    assert found["route"]["group_wait"] == "1s"


def test_mail_with_its_password_in_a_file() -> None:
    found = _alertmanager.config([{"name": "desk", "email_to": "a@example.com"}], MAIL, "/s")
    assert found["global"]["smtp_auth_password_file"] == "/s/mail.credentials"
    assert found["global"]["smtp_require_tls"] is True
    assert found["receivers"][1]["email_configs"] == [{"to": "a@example.com", "send_resolved": True}]
    assert found["route"]["routes"][0]["matchers"] == ['severity=~"critical|warning"']


def test_secrets_are_named_as_files() -> None:
    assert _alertmanager.secret_files([HOOK], MAIL, "/s") == {
        "/s/ops.credentials": "/c/ops",
        "/s/mail.credentials": "/c/mail",
    }
    assert _alertmanager.secret_files([], {}, "/s") == {}


@pytest.mark.parametrize(
    ("receivers", "mail", "said"),
    [
        ("ops", {}, "monitoring_receivers: must be a list"),
        (["ops"], {}, "monitoring_receivers[0]: must have name"),
        ([{"name": "Ops", "webhook_url": "x"}], {}, "monitoring_receivers[0].name"),
        ([{"name": "nobody", "webhook_url": "x"}], {}, "and not be nobody or mail"),
        ([{"name": "a"}], {}, "give webhook_url or email_to"),
        ([HOOK, HOOK], {}, "ops is used twice"),
        ([{**HOOK, "severities": ["page"]}], {}, "'page' is unknown"),
        ([{**HOOK, "url": "x"}], {}, "url is unknown"),
        ([{"name": "a", "email_to": "x@example.com"}], {}, "set monitoring_mail.smarthost"),
        ([], {"host": "x"}, "monitoring_mail: host is unknown"),
        ([], {"username": "x"}, "monitoring_mail.password_path"),
    ],
)
def test_mistakes(receivers: t.Any, mail: t.Any, said: str) -> None:
    found = _alertmanager.mistakes(receivers, mail)
    assert any(said in one for one in found), found


def test_no_mistake() -> None:
    assert _alertmanager.mistakes([HOOK], MAIL) == []
