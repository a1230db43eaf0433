# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _chat_settings

#: What must be so unless the user wishes otherwise: nobody enters or is called unasked.
CLOSED = {
    "ENABLE_SIGNUP": "false",
    "ENABLE_PERSISTENT_CONFIG": "false",
    "OFFLINE_MODE": "true",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_WEB_SEARCH": "false",
    "ENABLE_PLUGINS": "false",
    "ENABLE_VERSION_UPDATE_CHECK": "false",
    "ENABLE_TITLE_GENERATION": "false",
    "WEBUI_SESSION_COOKIE_SECURE": "true",
}


def test_closed_and_silent_by_default() -> None:
    values, mistakes = _chat_settings.settings({"DATA_DIR": "/data"}, slim=False)
    assert mistakes == []
    assert {name: values[name] for name in CLOSED} == CLOSED
    assert values["DATA_DIR"] == "/data"
    assert "USE_SLIM_DOCKER" not in values
    assert not [name for name in values if _chat_settings.SECRET_NAME.search(name)]


def test_no_source_of_the_browser_is_another_host() -> None:
    sources = [one for part in _chat_settings.CONTENT_SECURITY_POLICY.split("; ") for one in part.split()[1:]]
    assert {one for one in sources if not one.startswith("'")} == {"blob:", "data:"}


def test_slim_says_so() -> None:
    assert _chat_settings.settings({}, slim=True)[0]["USE_SLIM_DOCKER"] == "true"


def test_the_user_wins() -> None:
    values, mistakes = _chat_settings.settings(
        {}, slim=True, wished={"ENABLE_TITLE_GENERATION": True, "JWT_EXPIRES_IN": "1d"}
    )
    assert (mistakes, values["ENABLE_TITLE_GENERATION"], values["JWT_EXPIRES_IN"]) == ([], "true", "1d")


WISHES = {
    "no name": ({"web name": "x"}, "chat_ui_environment.web name: a variable has capital letters"),
    "a password": (
        {"LDAP_APP_PASSWORD": "x"},
        "chat_ui_environment.LDAP_APP_PASSWORD: a secret; write it into the file",
    ),
    "keys": ({"OPENAI_API_KEYS": "x"}, "chat_ui_environment.OPENAI_API_KEYS: a secret"),
    "two lines": ({"WEBUI_NAME": "a\nb"}, "chat_ui_environment.WEBUI_NAME: must be one line"),
    "a quote": ({"WEBUI_NAME": "'a'"}, "begins with no quote"),
    "a backslash": ({"WEBUI_NAME": "a\\b"}, "chat_ui_environment.WEBUI_NAME"),
}


@pytest.mark.parametrize(("wished", "mistake"), WISHES.values(), ids=WISHES)
def test_mistakes_in_wishes(wished: dict[str, t.Any], mistake: str) -> None:
    values, mistakes = _chat_settings.settings({}, slim=True, wished=wished)
    assert len(mistakes) == 1
    assert mistake in mistakes[0]
    assert not set(wished) & set(values)


def test_secrets_of_the_user() -> None:
    text = "# login\n\nOAUTH_CLIENT_SECRET=a=b;c\nSCIM_TOKEN=x\n"
    assert _chat_settings.read_secrets(text) == ({"OAUTH_CLIENT_SECRET": "a=b;c", "SCIM_TOKEN": "x"}, [])


@pytest.mark.parametrize("line", ["hidden", "hidden name=x", "A=hid'den", 'A="hidden"', "A=hid\\den"])
def test_mistakes_in_secrets_hold_no_secret(line: str) -> None:
    values, mistakes = _chat_settings.read_secrets(f"\n{line}\n")
    assert (values, len(mistakes)) == ({}, 1)
    assert mistakes[0].startswith("chat_ui_secrets_path, line 2")
    assert "hid" not in mistakes[0]


def test_a_shell_reads_the_secrets_as_they_are() -> None:
    text = _chat_settings.quoted_text({"A": 'k1;k2 $HOME `id` "q" # x', "B": ""})
    said = subprocess.run(
        ["/bin/sh", "-c", f'set -a && {text} printf "%s|%s" "$A" "$B"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    assert said.stdout == 'k1;k2 $HOME `id` "q" # x|'


def test_a_file_of_plain_variables_is_sorted() -> None:
    assert _chat_settings.plain_text({"B": "'self'; x", "A": "1"}) == "A=1\nB='self'; x\n"
