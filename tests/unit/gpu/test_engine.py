# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that starts a real engine, with a stand-in for the engine: a small server that logs and counts as vLLM does."""

from __future__ import annotations

import json
import pathlib
import socket
import sys
import typing as t

import pytest

from tests.gpu import dummy_model, engine, engine_log, engine_planned

GPUS = [{"name": "NVIDIA H200", "pci": f"0000:0{at}:00.0", "device": "2335"} for at in range(2)]

LOG = """\
\x1b[0;36m(Worker_TP0 pid=7)\x1b[0;0m INFO 11-22 [gpu_model_runner.py:1] Model loading took 14.75 GiB memory and 2.5 seconds
(Worker_TP1 pid=8) INFO 11-22 [gpu_model_runner.py:1] Model loading took 14.80 GiB and 2.6 seconds
(EngineCore pid=6) INFO 11-22 [gpu_worker.py:1] Available KV cache memory: 110.5 GiB
(EngineCore pid=6) INFO 11-22 [kv_cache_utils.py:1] GPU KV cache size: 3,811,488 tokens
(EngineCore pid=6) INFO 11-22 [kv_cache_utils.py:1] Maximum concurrency for 163,840 tokens per request: 23.26x
an unimportant line
"""

STAND_IN = """\
#!{python}
# A stand-in for `vllm serve`: logs, answers /health, completions and /metrics. No model is behind it.
import http.server, json, os, sys, time
print({log!r}, flush=True)
if {dies}:
    sys.exit(3)
counts = {{"tokens": 0, "running": 0}}
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def do_GET(self):
        lines = 'vllm:generation_tokens_total{{engine="0"}} %d\\nvllm:num_requests_running{{engine="0"}} %d\\n'
        self.answer("" if self.path == "/health" else lines % (counts["tokens"], counts["running"]))
    def do_POST(self):
        number = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["max_tokens"]
        counts["running"] += 1
        time.sleep(number / 1000)
        counts["running"] -= 1
        counts["tokens"] += number
        self.answer(json.dumps({{"usage": {{"completion_tokens": number}}}}))
    def log_message(self, *words):
        pass
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def stand_in(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch, dies: bool = False) -> dict[str, t.Any]:
    """Put a program ``vllm`` on the PATH, and return a deployment for it on a free port."""
    folder.mkdir()
    program = folder / "vllm"
    program.write_text(STAND_IN.format(python=sys.executable, log=LOG, dies=dies), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = engine_planned.deployments()["deepseek-v2-lite"]
    image = "docker.io/vllm/vllm-openai:v0.26.0"
    return {**known, "image": image, "tensor_parallel": 2, "port": port, "environment": {"VLLM_X": "1"}}


def test_a_whole_run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = engine.serve(stand_in(tmp_path / "bin", monkeypatch), tmp_path, GPUS, 20)
    assert record["problem"] == ""
    assert set(record["ready_seconds"]) == {"http", "completion"}
    assert record["heartbeats"]["counter_before"] == 1, "the completion that made it ready"
    assert record["heartbeats"]["counter_after"] == 1 + engine.SHORT and record["heartbeats"]["moved"] is True
    assert (record["heartbeats"]["running"], record["heartbeats"]["running_after"]) == (1, 0)
    assert record["measured"]["kv_tokens"] == 3811488 and record["planned"]["fits"] is True
    assert engine.errors(record)["weights_gib"] == pytest.approx(-0.45, abs=0.1)
    assert (
        record["stop"]["polite"]
        and record["stop"]["gone"]
        and record["env"]["VLLM_X"] == "1"
        and record["argv"][:2] == ["vllm", "serve"]
    )
    assert json.dumps(record)


def test_an_engine_that_ends_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = engine.serve(stand_in(tmp_path / "bin", monkeypatch, dies=True), tmp_path, GPUS, 20)
    assert record["problem"] == "it ended with 3 before http passed"
    assert "an unimportant line" in record["last_lines"] and record["measured"]["weights_gib"] == 14.8


def test_a_budget_ends(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = stand_in(tmp_path / "bin", monkeypatch)
    (tmp_path / "bin" / "vllm").write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    record = engine.serve(deployment, tmp_path, GPUS, 1)
    assert "budget of 1 s spent" in record["problem"] and record["stop"]["polite"]


def test_what_the_planner_refuses(tmp_path: pathlib.Path) -> None:
    deployment = {**engine_planned.deployments()["deepseek-v2-lite"], "image": "engine:1", "tensor_parallel": 3}
    with pytest.raises(engine_planned.PlanError, match="3 ranks"):
        engine_planned.planned(deployment, str(tmp_path), GPUS)


@pytest.mark.parametrize("name", engine_planned.deployments())
def test_every_deployment_is_planned_for_two_cards(name: str, tmp_path: pathlib.Path) -> None:
    known = engine_planned.deployments()[name]
    split = {"tensor_parallel": 2 // known.get("data_parallel", 1), "image": "docker.io/vllm/vllm-openai:v0.26.0"}
    argv = engine_planned.planned({**known, **split}, str(tmp_path), GPUS)["argv"]
    assert ("--data-parallel-size" in argv) is ("data_parallel" in known)


def test_figures_of_all_ranks() -> None:
    found = engine_log.figures(LOG)
    assert (found["weights_gib"], found["load_seconds"], found["context"]) == (14.8, 2.6, 163840)
    kept = engine_log.lines(LOG)
    assert len(kept) == 5 and kept[0].startswith("(Worker_TP0 pid=7) INFO")


@pytest.mark.parametrize("name", [one["model"] for one in engine_planned.deployments().values()])
def test_a_tokenizer_has_a_word_for_every_number(name: str) -> None:
    config = dummy_model.config(name)
    words = dummy_model.tokenizer(config["vocab_size"])["model"]["vocab"]
    assert len(words) == config["vocab_size"] and sorted(words.values()) == list(range(len(words)))


def test_secrets_of_the_machine_are_not_recorded() -> None:
    assert engine.TELLING.match("NCCL_NVLS_ENABLE") and engine.TELLING.match("VLLM_USE_DEEP_GEMM")
    assert not engine.TELLING.match("VLLM_API_KEY") and not engine.TELLING.match("HOME")


def test_arguments_are_written_out() -> None:
    asked = engine.arguments(["out", "--environment", "A=1", "--argument=--x", "--argument=y", "one"])
    assert (asked.environment, asked.argument, asked.deployments) == (["A=1"], ["--x", "y"], ["one"])
