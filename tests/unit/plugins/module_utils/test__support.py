# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _command, _docker_logs, _docker_socket, _support

INSPECTED = {
    "Name": "/gpufleet-engine-r1-rank0",
    "State": {"Status": "running"},
    "Config": {"Image": "vllm", "Env": ["HF_TOKEN=notArealToken", "NCCL_DEBUG=INFO"], "Cmd": ["vllm", "serve"]},
    "GraphDriver": {"Data": {}},
}


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("plans/ray.json", True),
        ("gateway/haproxy.cfg", True),
        ("ray_token", False),
        ("gateway/keys.map", False),
        ("gateway/gateway.key", False),
        ("ssh/r1/id_ed25519", False),
        ("alertmanager.yml", False),
    ],
)
def test_which_files_are_read(tmp_path: pathlib.Path, path: str, read: bool) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("text", encoding="utf-8")
    assert (f"files{file}" in _support.files([f"{tmp_path}/**/*"])) == read


def test_a_long_text_keeps_its_end() -> None:
    assert _support.tail("abcdef", 2) == "… 4 characters before this\nef"
    assert _support.tail("abc", 3) == "abc"


def test_inspection_keeps_no_secret_and_no_noise() -> None:
    found = _support.inspected(INSPECTED)
    assert found["Config"]["Env"] == ["HF_TOKEN=<redacted>", "NCCL_DEBUG=INFO"]
    assert "GraphDriver" not in found


def test_containers_and_units(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(path: str) -> tuple[int, t.Any]:
        listed = [{"Names": ["/gpufleet-engine-r1-rank0"]}, {"Names": ["/other"]}]
        return 200, listed if path.startswith("/containers/json") else INSPECTED

    def bounded(argv: t.Sequence[str], **_options: t.Any) -> _command.Outcome:
        shown = "gpufleet-ray.service enabled\n" if "list-unit-files" in argv else f"ran {argv[-1]}, api_key=abc\n"
        return _command.Outcome(0, shown, "", "")

    monkeypatch.setattr(_docker_socket, "get", get)
    monkeypatch.setattr(_docker_logs, "read", lambda name: ("Authorization: Bearer notArealToken\n", ""))
    monkeypatch.setattr(_command, "bounded", bounded)
    monkeypatch.setattr(_support, "FILES", ())
    found = _support.texts(10)
    assert found["journal/gpufleet-ray.log"] == "ran --unit=gpufleet-ray.service, api_key=<redacted>\n"
    assert found["containers/gpufleet-engine-r1-rank0.log"] == "Authorization: <redacted>\n"
    assert "notArealToken" not in "".join(found.values())
    assert not any("other" in name for name in found)


def test_no_docker_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(path: str) -> tuple[int, t.Any]:
        raise _docker_socket.DockerUnreachableError("no daemon")

    monkeypatch.setattr(_docker_socket, "get", get)
    assert _support.containers() == {"containers/problem.txt": "no daemon\n"}


def test_a_command_that_is_not_there_is_said() -> None:
    assert _support.run(("no-such-program-of-ours",)) == "no-such-program-of-ours is not installed\n"
