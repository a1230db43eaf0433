# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traps into which others have fallen with these engines, each as a test of what keeps us out of it.

All of them were seen with the real programs: vLLM 0.32, SGLang 0.5.23, Ray 2.60 (2026-11-21).
"""

from __future__ import annotations

import importlib
import types
import typing as t

import pytest
import yaml

from ansible_collections.gpufleet.inference.plugins.module_utils._diagnosis import findings
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import MistakesError, plan
from tests.fakes import stub_endpoint as stub
from tests.laws._repository import ROOT
from tests.unit.plugins.plugin_utils.wishes import fleet

ENGINES = ("vllm", "vllm_native", "sglang")


@pytest.fixture
def probes() -> types.ModuleType:
    return importlib.import_module("rank_probes")


def planned(engine: str, **changed: t.Any) -> dict[str, t.Any]:
    """Return the plan of one deployment over two nodes."""
    one = {"name": "tiny", "model": "tiny", "image": "engine:1", "engine": engine, "pipeline_parallel": 2, **changed}
    return plan(fleet(deployments=[one]))


def ranks(engine: str) -> list[dict[str, t.Any]]:
    [deployment] = planned(engine)["deployments"]
    return list(deployment["ranks"])


def refused(engine: str, **changed: t.Any) -> str:
    with pytest.raises(MistakesError) as caught:
        planned(engine, **changed)
    return "\n".join(caught.value.args[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_1_health_says_200_with_an_unusable_model_or_a_dead_peer(engine: str, probes: types.ModuleType) -> None:
    """Ready and alive are tokens: an engine whose /health is well and whose completions fail is neither."""
    spec = ranks(engine)[0]["spec"]
    assert "completion" in [one["kind"] for one in spec["ready"]]
    [tokens] = [one for one in spec["alive"] if one["kind"] == "tokens"]
    with stub.serving({"/health": stub.answer(200, b""), "/v1/completions": stub.answer(500, b"")}) as url:
        probes.probe({"kind": "http", "url": f"{url}/health"}, "x")
        with pytest.raises(probes.RankFailedError):
            probes.probe({"kind": "completion", "url": f"{url}/v1/completions", "model": "m"}, "x")
        heart = probes.Heartbeat({**tokens, "url": f"{url}/v1/completions", "metrics_url": "", "idle_seconds": 0})
        with pytest.raises(probes.SilentError):
            heart.beat()


def test_2_sglang_says_startup_complete_and_hangs_on_a_taken_port() -> None:
    """No line of a log makes a rank ready, and the port ledger finds the clash before a start."""
    assert {one["kind"] for rank in ranks("sglang") for one in rank["spec"]["ready"]} <= {"http", "completion"}
    log = (
        "INFO: Application startup complete.\n"
        "ERROR: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use\n"
    )
    assert findings({"engine": "sglang", "log": log})[0]["kind"] == "root"
    two = [
        {"name": name, "model": "tiny", "image": "engine:1", "engine": "sglang", "nodes": ["one"]}
        for name in ("a", "b")
    ]
    with pytest.raises(MistakesError) as caught:
        plan(fleet(deployments=two))
    assert any("8000 is already the port of deployment a" in one for one in caught.value.args[0])


@pytest.mark.parametrize(("engine", "blamed"), [("sglang", False), ("vllm", True)])
def test_3_exit_137_of_sglang_is_not_the_oom_killer(engine: str, blamed: bool) -> None:
    state = {"running": False, "exit_code": 137, "oom_killed": False}
    found = findings({"engine": engine, "log": "", "state": state})
    assert ("exit-sigkill" in [one["name"] for one in found]) is blamed


@pytest.mark.parametrize("engine", ["vllm_native", "sglang"])
def test_4_a_further_rank_answers_health_for_show(engine: str) -> None:
    assert [rank["spec"]["ready"] + rank["spec"]["alive"] for rank in ranks(engine)[1:]] == [[]]


def test_5_a_router_is_well_without_a_worker() -> None:
    """We run none: the gateway asks replicas for a token, and its proof is a streamed completion of each deployment."""
    tasks = (ROOT / "roles/gateway/tasks/prove.yml").read_text(encoding="utf-8")
    assert "endpoint_health" in tasks
    assert "smg" not in "".join(path.read_text(encoding="utf-8") for path in (ROOT / "roles/gateway").rglob("*.*"))


def test_6_ray_start_goes_on_without_a_raylet() -> None:
    [member, _other] = planned("vllm")["ray"]["members"].values()
    assert {"kind": "process", "name": "raylet"} in member["spec"]["alive"]


def test_7_ray_status_says_no_failures_after_a_death(probes: types.ModuleType) -> None:
    nodes = [{"node_ip": "a", "state": "ALIVE", "resources_total": {"GPU": 1}}, {"node_ip": "b", "state": "DEAD"}]
    assert probes.missing_ray_nodes(nodes, ["a", "b"], 2) == "Ray does not count b as alive"


def test_8_the_summary_view_shows_dead_nodes_as_alive() -> None:
    [wait] = ranks("vllm")[0]["spec"]["waits"]
    assert "/api/v0/nodes?" in wait["url"]


def test_9_a_further_rank_without_headless_waits_for_ever() -> None:
    assert ["--headless" in rank["argv"] for rank in ranks("vllm_native")] == [False, True]


def test_10_parsers_take_abbreviations_and_values_that_do_not_exist() -> None:
    assert "--gpu-mem is an abbreviation" in refused("vllm", extra_args=["--gpu-mem", "0.5"])
    assert "has no 'no-such'" in refused("vllm", options={"reasoning_parser": "no-such"})


@pytest.mark.parametrize("engine", ENGINES)
def test_11_a_shell_runs_only_the_first_word(engine: str) -> None:
    whole = planned(engine)
    commands = [rank["spec"]["container"]["run"] for rank in whole["deployments"][0]["ranks"]]
    commands += [member["spec"]["container"]["run"] for member in whole["ray"]["members"].values()]
    assert all(not {"bash", "sh", "/bin/bash", "-c"} & set(command) for command in commands)


@pytest.mark.parametrize("engine", ["sglang", "vllm"])
def test_12_sglang_prints_its_key(engine: str) -> None:
    """Keys of clients stay at the gateway; none can be given to an engine."""
    assert "--api-key is already set by the plan" in refused(engine, extra_args=["--api-key", "s3cret"])
    assert all("--api-key" not in rank["argv"] for rank in ranks(engine))


def test_13_vllm_leaves_tokenize_and_metrics_open_beside_a_key() -> None:
    defaults = yaml.safe_load((ROOT / "roles/gateway/defaults/main.yml").read_text(encoding="utf-8"))
    assert {"/tokenize", "/metrics"} <= {
        route for routes in defaults.values() if isinstance(routes, list) for route in routes
    }
    assert 8000 in planned("vllm_native")["ray"]["closed_ports"]


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_14_a_missing_path_is_called_a_bad_repository(engine: str) -> None:
    log = "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models/r1'.\n"
    [first, *_] = findings({"engine": engine, "log": log})
    assert "/models/r1" in first["cause"] and "not" in first["cause"]


def test_15_a_missing_peer_is_waited_for_in_silence() -> None:
    """Every wait of ours has an end, and names who is missing."""
    group = importlib.import_module("rank_group")
    spec = ranks("vllm_native")[0]["spec"]
    assert spec["group"]["peers"] and 0 < group.JOIN_SECONDS < spec["ready_budget_seconds"]
    alone = group.Group({**spec["group"], "port": 9, "peers": [{"rank": 1, "address": "127.0.0.1"}]})
    assert alone.lacks().startswith("the supervisor of rank 1 at 127.0.0.1:9 does not answer")
    assert "--dist-timeout" in ranks("sglang")[1]["argv"]


@pytest.mark.parametrize(
    ("engine", "left"),
    [
        ("vllm", ["/dev/shm/psm_*", "/dev/shm/*cpushm*", "/????????-????-????-????-????????????"]),
        ("sglang", ["/dev/shm/sgl_shm_mq_*", "/dev/shm/sglang_loads_*"]),
    ],
)
def test_16_what_a_killed_engine_leaves_fills_the_shared_memory(engine: str, left: list[str]) -> None:
    swept = ranks(engine)[0]["spec"]["sweep"]
    assert all(any(one.endswith(glob) for one in swept) for glob in left)
