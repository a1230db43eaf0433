# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's stand-ins for TensorRT-LLM's programs, and what its proof runs. ``python -m tests.lab trtllm-proof`` runs it."""

from __future__ import annotations

import json
import pathlib
import threading
import typing as t
import urllib.error
import urllib.request

import pytest

from tests.lab import trtllm_build, trtllm_proof
from tests.lab.shell import LabError
from tests.lab.trtllm_image import trtllm_launch_stand_in as launcher
from tests.lab.trtllm_image import trtllm_stand_in as stand_in

WORLD = [{"rank": 0, "host": "a"}, {"rank": 1, "host": "b"}]


@pytest.fixture
def server() -> t.Iterator[stand_in.Server]:
    one = stand_in.Server(("127.0.0.1", 0), "tiny", WORLD)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    yield one
    one.shutdown()
    one.server_close()


def ask(server: stand_in.Server, path: str, body: dict[str, t.Any] | None = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", data=data) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def test_the_port_is_bound_before_it_is_ready(server: stand_in.Server) -> None:
    assert [ask(server, path)[0] for path in ("/health", "/v1/models")] == [503, 404]
    assert ask(server, "/v1/completions", {})[0] == 404
    server.ready = True
    assert ask(server, "/health") == (200, "")
    assert json.loads(ask(server, "/v1/models")[1])["data"][0]["id"] == "tiny"


def test_a_reply_names_the_ranks(server: stand_in.Server) -> None:
    server.ready = True
    answer = json.loads(ask(server, "/v1/completions", {"prompt": "1", "max_tokens": 99})[1])
    assert answer["choices"][0]["text"] == "I am a stand-in, ranks 0@a 1@b"
    assert answer["usage"]["completion_tokens"] == 7
    assert json.loads(ask(server, "/v1/completions", {"max_tokens": 1})[1])["usage"]["completion_tokens"] == 1
    chat = json.loads(ask(server, "/v1/chat/completions", {"messages": []})[1])
    assert chat["choices"][0]["message"]["content"].endswith("1@b")


@pytest.mark.parametrize(("path", "last"), [("/v1/completions", "text"), ("/v1/chat/completions", "delta")])
def test_a_stream_ends_with_its_usage(server: stand_in.Server, path: str, last: str) -> None:
    server.ready = True
    text = ask(server, path, {"stream": True, "stream_options": {"include_usage": True}})[1]
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert events[-1] == "[DONE]"
    *words, usage = [json.loads(one) for one in events[:-1]]
    assert usage["usage"]["completion_tokens"] == len(words) == 7
    assert last in words[-1]["choices"][0] and words[-1]["choices"][0]["finish_reason"] == "length"


def test_the_command_line_of_the_plan_is_read(tmp_path: pathlib.Path) -> None:
    first = trtllm_proof.ranks(str(tmp_path))[0]["argv"]
    words = launcher.cut(first[first.index("trtllm-llmapi-launch") + 1 :])
    assert words == first[first.index("trtllm-serve") :], "the launcher's cutting at spaces changes nothing"
    options = stand_in.options_of(words[1:])
    assert (options["--tp_size"], options["--pp_size"], options["--port"]) == ("2", "2", "8000")
    with pytest.raises(ValueError, match="unexpected extra argument"):
        stand_in.options_of(["model", "--host", "a", "b"])


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"tllm_mpi_size": "2"}, "world_size 4 must match the number of processes 2"),
        ({"tllm_mpi_size": "4", "OMPI_COMM_WORLD_RANK": "0"}, "inside of an MPI process"),
    ],
)
def test_another_world_is_refused(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stand_in.world_of(environment, {"--tp_size": "2", "--pp_size": "2"})


def test_a_server_alone_has_no_world() -> None:
    assert stand_in.world_of({}, {"--tp_size": "2"}) == []


def test_the_program_gets_the_world_and_nothing_of_mpi() -> None:
    given = {"PATH": "/bin", "OMPI_COMM_WORLD_RANK": "0", "PMIX_ID": "x", "UCX_TLS": "tcp"}
    found = launcher.cleaned(given, 2, WORLD)
    assert set(found) == {"PATH", "tllm_mpi_size", "GPUFLEET_LAB_WORLD"}
    assert stand_in.world_of(found, {"--tp_size": "2"}) == WORLD


def test_without_mpirun_the_launcher_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OMPI_COMM_WORLD_SIZE", raising=False)
    assert launcher.main(["true"]) == 1
    assert "not started by mpirun" in capsys.readouterr().err


def test_the_proof_runs_what_the_plan_says(tmp_path: pathlib.Path) -> None:
    first, second = trtllm_proof.ranks(str(tmp_path))
    words = trtllm_proof.arguments(second)
    assert words[:4] == ["run", "--detach", "--name", "gpufleet-trt-two"] and "host" not in words
    assert words[-len(second["argv"]) :] == second["argv"]
    assert trtllm_build.IMAGE in words and "--gpus" not in words
    first["spec"]["container"]["run"] = ["--network", "none"]
    with pytest.raises(LabError, match="do not begin with"):
        trtllm_proof.arguments(first)


def test_the_proof_writes_the_files_of_the_role(tmp_path: pathlib.Path) -> None:
    keys = {f"{trtllm_proof.NAME}-{one}": f"{one} key\n" for one in ("client", "client.pub", "host", "host.pub")}
    trtllm_proof.write(trtllm_proof.ranks(str(tmp_path)), tmp_path, keys)
    folder = tmp_path / "ssh" / trtllm_proof.NAME
    assert (folder / "id_ed25519").read_text() == "client key\n"
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert "HostKey /run/gpufleet/ssh/host_key\n" in (folder / "sshd_config").read_text()
    assert "IdentityFile /run/gpufleet/ssh/id_ed25519\n" in (folder / "ssh_config").read_text()
    assert (folder / "known_hosts").read_text() == "gpufleet host.pub key\n"


def test_every_file_counts_for_the_image() -> None:
    names = {path.name for path in trtllm_build.sources()}
    assert names >= {"Dockerfile", "trtllm_stand_in.py", "trtllm_launch_stand_in.py"}
    assert trtllm_build.digest("a") != trtllm_build.digest("b")
