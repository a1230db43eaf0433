# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The units of the chat page and what is installed for it; the whole page runs in the scenario ``chat_ui``."""

from __future__ import annotations

import pathlib
import re
import shlex

import jinja2
import pytest

ROLE = pathlib.Path(__file__).resolve().parents[4] / "roles/chat_ui"
PINS = (ROLE / "files/open_webui.txt").read_text(encoding="utf-8")
#: Each is hundreds of megabytes, and the slim form never imports it.
LEFT_OUT = (
    "torch",
    "transformers",
    "sentence-transformers",
    "chromadb",
    "onnxruntime",
    "opencv-python-headless",
    "pyarrow",
)


def unit(form: str) -> str:
    return jinja2.Template((ROLE / f"templates/{form}.service.j2").read_text(encoding="utf-8")).render(
        __chat_ui_user="gpufleet-chat",
        __chat_ui_configuration="/etc/gpufleet/chat_ui",
        __chat_ui_venv="/opt/chat/venv",
        __chat_ui_plan={"allowed": ["localhost", "192.0.2.11"]},
        chat_ui_data_directory="/data/chat",
        chat_ui_local_port=8480,
        chat_ui_image="local/webui:1",
    )


def lines(text: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def docker_run() -> list[str]:
    """Return the words that ``docker run`` gets, as the shell of the unit splits them."""
    (found,) = re.findall(r"^ExecStart=/bin/sh -c '(.*?)'$", unit("container"), re.MULTILINE | re.DOTALL)
    return shlex.split(found.replace("\\\n", " "))


def test_the_virtual_environment_is_held_back() -> None:
    text = unit("venv")
    assert lines(text, "User") == ["gpufleet-chat"]
    assert lines(text, "ExecStart") == ["/opt/chat/venv/bin/open-webui serve --host 127.0.0.1 --port 8480"]
    assert lines(text, "IPAddressDeny") == ["any"]
    assert lines(text, "IPAddressAllow") == ["localhost 192.0.2.11"]
    assert lines(text, "ProtectSystem") == ["strict"]
    assert lines(text, "ReadWritePaths") == ["-/data/chat"]
    assert lines(text, "CapabilityBoundingSet") == [""]


@pytest.mark.parametrize("form", ["venv", "container"])
def test_the_data_are_the_pages_own(form: str) -> None:
    (made,) = [one for one in lines(unit(form), "ExecStartPre") if " -d " in one]
    assert made.split()[1:] == ["-d", "-m", "0700", "-o", "gpufleet-chat", "-g", "gpufleet-chat", "/data/chat"]


def test_the_container_is_held_back_and_shows_no_secret() -> None:
    words = docker_run()
    assert words[words.index("--cap-drop") + 1] == "ALL"
    assert words[words.index("--security-opt") + 1] == "no-new-privileges"
    assert "--read-only" in words
    assert "--privileged" not in words
    assert [words[at + 1] for at, word in enumerate(words) if word == "--env-file"] == [
        "/etc/gpufleet/chat_ui/settings.env"
    ]
    assert [words[at + 1] for at, word in enumerate(words) if word == "--env"] == ["HOME=/tmp"]


def test_the_container_listens_on_loopback() -> None:
    words = docker_run()
    assert words[-3:-1] == ["local/webui:1", "-c"]
    assert "--host 127.0.0.1 --port 8480" in words[-1]
    assert words[words.index("--user") + 1] == "$$(id -u gpufleet-chat):$$(id -g gpufleet-chat)"


def test_every_package_is_pinned_with_its_hashes() -> None:
    entries = [one for one in re.split(r"\n(?=[a-z])", PINS) if not one.startswith("#")]
    bare = [
        one for one in entries if not re.fullmatch(r"[a-z0-9-]+==[^ ]+( \\\n    --hash=sha256:[0-9a-f]{64})+\n?", one)
    ]
    assert len(entries) > 100
    assert bare == []


def test_what_is_asked_for_is_what_is_pinned() -> None:
    wanted = re.findall(r"^open-webui==(.*)$", (ROLE / "files/open_webui.in").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^open-webui==(\S+)", PINS, re.MULTILINE) == wanted
    assert not re.findall(rf"^(?:{'|'.join(LEFT_OUT)})==", PINS, re.MULTILINE)
