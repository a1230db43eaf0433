# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes and facts in, plans or one list of all mistakes out."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan import MistakesError, plan
from ansible_collections.gpufleet.inference.plugins.plugin_utils._plan_mistakes import Wishes, merged
from tests.unit.plugins.plugin_utils import sizing_samples
from tests.unit.plugins.plugin_utils.wishes import PORTS, facts, fleet

ONE: dict[str, t.Any] = {"name": "tiny", "model": "tiny", "image": "engine:1", "pipeline_parallel": 2}


def deployment(**changed: t.Any) -> list[dict[str, t.Any]]:
    return [{**ONE, **changed}]


def ray(**changed: t.Any) -> dict[str, t.Any]:
    return {**fleet().ray, **changed}


def nodes(**changed: t.Any) -> dict[str, t.Any]:
    return {**fleet().nodes, **changed}


CASES: list[tuple[str, dict[str, t.Any], str]] = [
    ("unknown engine", {"deployments": deployment(engine="vlm")}, "engine: 'vlm' is unknown; known are"),
    ("unknown key", {"deployments": deployment(gpus=2)}, "engine_deployments[0].gpus: unknown key"),
    ("missing name", {"deployments": [{"model": "tiny"}]}, "engine_deployments[0].name: is missing"),
    ("wrong type", {"deployments": deployment(port="8000")}, "port: '8000' is not a TCP port"),
    ("bad name", {"deployments": deployment(name="Tiny_1")}, "'Tiny_1' may hold a-z, 0-9 and '-' only"),
    ("zero parallel", {"deployments": deployment(tensor_parallel=0)}, "tensor_parallel: 0 must be 1 or more"),
    ("port out of range", {"deployments": deployment(port=70000)}, "port: 70000 is not a TCP port"),
    ("same name twice", {"deployments": deployment() * 2}, "tiny is also the name of an earlier deployment"),
    ("unknown option", {"deployments": deployment(options={"max_len": 1})}, "options.max_len: vllm has"),
    ("option of another kind", {"deployments": deployment(options={"max_model_len": "8k"})}, "'8k' is not of kind int"),
    ("planned flag", {"deployments": deployment(extra_args=["--port=1"])}, "--port is already set by the plan"),
    ("option twice", {"deployments": deployment(options={"seed": 1}, extra_args=["--seed", "2"])}, "--seed is already"),
    ("unknown flag", {"deployments": deployment(extra_args=["--no-such"])}, "--no-such does not exist in vllm 0.33.0"),
    (
        "abbreviated flag",
        {"deployments": deployment(extra_args=["--gpu-mem", "0.5"])},
        "--gpu-mem is an abbreviation; write --gpu-memory-utilization",
    ),
    (
        "value of another release",
        {"deployments": deployment(options={"quantization": "squeezellm"})},
        "options.quantization: --quantization has no 'squeezellm'; it takes ",
    ),
    (
        "custom without a command",
        {"deployments": deployment(engine="custom")},
        "options.command: is missing; write the words of the container's command",
    ),
    (
        "custom with an unknown placeholder",
        {"deployments": deployment(engine="custom", options={"command": ["serve", "{modell}"]})},
        "options.command: {modell} is unknown; known are address, head_address",
    ),
    (
        "custom with another option",
        {"deployments": deployment(engine="custom", options={"command": ["serve"], "seed": 1})},
        "options.seed: custom has command, health_path",
    ),
    (
        "custom with a command in one word",
        {"deployments": deployment(engine="custom", options={"command": "serve"})},
        "options.command: 'serve' is not of kind list",
    ),
    (
        "custom with a health path that is none",
        {"deployments": deployment(engine="custom", options={"command": ["serve"], "health_path": "health"})},
        "options.health_path: must begin with /",
    ),
    (
        "the ranks meet at the engine's own port",
        {"deployments": deployment(engine="vllm_native", port=8000, rendezvous_port=8000)},
        "the rendezvous_port of deployment tiny on one: 8000 is already the port of deployment tiny",
    ),
    (
        "a further rank of SGLang listens too",
        {"deployments": deployment(engine="sglang"), "gateway": {"nodes": ["two"], "ports": {"gateway_port": 8000}}},
        "gateway_port on two: 8000 is already the port of deployment tiny",
    ),
    (
        "the supervisors meet where the ranks do",
        {"deployments": deployment(engine="vllm_native", supervisor_port=29501)},
        "the supervisor_port of deployment tiny on one: 29501 is already the rendezvous_port of deployment tiny",
    ),
    (
        "TensorRT-LLM and a name that is no directory",
        {"deployments": deployment(engine="tensorrt_llm", served_name="deepseek-ai/DeepSeek-R1")},
        "served_name: 'deepseek-ai/DeepSeek-R1' becomes the name of a directory for tensorrt_llm",
    ),
    (
        "TensorRT-LLM and experts that cannot be dealt out",
        {"deployments": deployment(engine="tensorrt_llm", options={"ep_size": 3})},
        "options.ep_size: 3 does not divide tensor_parallel 1",
    ),
    (
        "TensorRT-LLM's file takes a size from the plan",
        {"deployments": deployment(engine="tensorrt_llm", options={"config": {"tensor_parallel_size": 2}})},
        "options.config.tensor_parallel_size: is already set by the plan",
    ),
    (
        "TensorRT-LLM's file repeats an option",
        {"deployments": deployment(engine="tensorrt_llm", options={"config": {"max_seq_len": 1}, "max_seq_len": 2})},
        "options.config.max_seq_len: is already set by the plan",
    ),
    (
        "TensorRT-LLM's launcher would cut a text",
        {"deployments": deployment(engine="tensorrt_llm", options={"chat_template": "{{ a }}"})},
        "'{{ a }}' holds a space, at which trtllm-llmapi-launch cuts it in two",
    ),
    (
        "TensorRT-LLM's port under another name",
        {"deployments": deployment(engine="tensorrt_llm", extra_args=["--tensor-parallel-size", "2"])},
        "--tensor_parallel_size is already set by the plan",
    ),
    (
        "sshd listens on every node but the first",
        {
            "deployments": deployment(engine="tensorrt_llm", rendezvous_port=444),
            "gateway": {"nodes": ["two"], "ports": {"gateway_port": 444}},
        },
        "gateway_port on two: 444 is already the rendezvous_port of deployment tiny",
    ),
    (
        "nodes that are not alike",
        {
            "deployments": deployment(engine="tensorrt_llm", pipeline_parallel=4),
            "nodes": nodes(two={"facts": facts("10.0.0.2", gpus=3), "platform": "Debian_12"}),
        },
        "tensorrt_llm runs as many ranks on each node, but one has 1, two has 3 GPUs; name nodes that are alike",
    ),
    (
        "Ray's head is not among the nodes of an engine on Ray",
        {"deployments": deployment(nodes=["two"], pipeline_parallel=1), "ray": ray(head="one")},
        "tiny: vllm is served from Ray's head, one, which is not among its nodes",
    ),
    (
        "two engines on one Ray, and one of them over several nodes",
        {
            "deployments": [
                *deployment(gpus_per_node=1),
                *deployment(name="other", gpus_per_node=1, nodes=["one"], pipeline_parallel=1, port=8001),
            ],
            "nodes": {
                name: {"facts": facts(f"10.0.0.{at}", gpus=2), "platform": "x"}
                for at, name in enumerate(("one", "two"), 1)
            },
        },
        "tiny, other run on one Ray, which deals GPUs out by itself: beside tiny, which has several nodes, no other is",
    ),
    (
        "an engine on Ray listens on Ray's head, not on its own first node",
        {"ray": ray(head="two"), "gateway": {"nodes": ["two"], "ports": {"gateway_port": 8000}}},
        "gateway_port on two: 8000 is already the port of deployment tiny",
    ),
    (
        "ports that DP attention takes where the ranks meet",
        {
            "deployments": deployment(
                engine="sglang", tensor_parallel=2, pipeline_parallel=1, options={"attn_dp_size": 2}
            ),
            "gateway": {"nodes": ["one"], "ports": {"gateway_port": 29514}},
        },
        "gateway_port on one: 29514 is already rendezvous_port + 13 (DP attention) of deployment tiny",
    ),
    (
        "ports that DP attention takes on one node",
        {
            "deployments": deployment(engine="sglang", pipeline_parallel=1, nodes=["one"], options={"attn_dp_size": 2}),
            "gateway": {"nodes": ["one"], "ports": {"gateway_port": 8233}},
        },
        "gateway_port on one: 8233 is already port + 233 (DP attention) of deployment tiny",
    ),
    *(
        (
            f"{engine} and data_parallel",
            {"deployments": deployment(engine=engine, data_parallel=2, pipeline_parallel=1)},
            f"engine_deployments[0].data_parallel: {engine} takes none; {instead}",
        )
        for engine, instead in (
            ("vllm", "write engine: vllm_native"),
            ("sglang", "write options.attn_dp_size"),
            ("tensorrt_llm", "write options.config with enable_attention_dp"),
        )
    ),
    (
        "replicas that cannot be dealt out",
        {"deployments": deployment(engine="vllm_native", data_parallel=3, pipeline_parallel=1)},
        "engine_deployments[0].data_parallel: 3 cannot be dealt out evenly to 2 nodes",
    ),
    (
        "replicas that have no GPU",
        {"deployments": deployment(engine="vllm_native", data_parallel=4, pipeline_parallel=1)},
        "tensor_parallel 1 × pipeline_parallel 1 × data_parallel 4 = 4 ranks, but its 2 nodes have 2 GPUs",
    ),
    (
        "where the replicas meet",
        {
            "deployments": deployment(engine="vllm_native", data_parallel=2, pipeline_parallel=1),
            "gateway": {"nodes": ["one"], "ports": {"gateway_port": 29502}},
        },
        "gateway_port on one: 29502 is already rendezvous_port + 1 (data parallel) of deployment tiny",
    ),
    ("no replica", {"deployments": deployment(data_parallel=0)}, "data_parallel: 0 must be 1 or more"),
    (
        "a speed of the disk that is none",
        {"nodes": nodes(two={"facts": facts("10.0.0.2", 1), "platform": "x", "read_gbs": "fast"})},
        "engine_read_gbs of two: 'fast' is no number of GB/s",
    ),
    ("force that is no bool", {"deployments": deployment(force="yes")}, "force: 'yes' is not true or false"),
    ("old flag", {"deployments": deployment(extra_args=["--swap-space", "4"])}, "--swap-space is of an older release"),
    (
        "unknown node",
        {"deployments": deployment(nodes=["one", "three"])},
        "nodes: three is not in gpu_nodes (one, two)",
    ),
    ("node twice", {"deployments": deployment(nodes=["one", "one"])}, "a node stands there twice"),
    ("unknown model", {"deployments": deployment(model="big")}, "model: 'big' is not in model_store_models (tiny)"),
    (
        "model without config.json",
        {"models": {"tiny": {"directory": "/m", "problem": "/src has no config.json; point source at …"}}},
        "model_store_models, tiny: /src has no config.json",
    ),
    ("image nowhere", {"images": {}}, "engine:1 is neither in container_runtime_images (none) nor on every node"),
    ("no image for Ray", {"ray": ray(image="")}, "ray_cluster_image: is missing"),
    (
        "archive missing",
        {"images": {"engine:1": {"archive_problem": "the archive /x.tar does not exist on the controller"}}},
        "container_runtime_images, engine:1: the archive /x.tar does not exist",
    ),
    (
        "more ranks than GPUs",
        {"deployments": deployment(pipeline_parallel=3)},
        "= 3 ranks, but its 2 nodes have 2 GPUs",
    ),
    ("fewer ranks than GPUs", {"deployments": deployment(pipeline_parallel=1)}, "cannot be spread evenly over 2 nodes"),
    (
        "GPUs left over",
        {
            "nodes": nodes(
                one={"facts": facts("10.0.0.1", gpus=4), "platform": "Debian_12"},
                two={"facts": facts("10.0.0.2", gpus=4), "platform": "Debian_12"},
            )
        },
        "= 2 ranks, but its 2 nodes have 8 GPUs",
    ),
    ("no GPU", {"nodes": nodes(two={"facts": facts("10.0.0.2"), "platform": "Debian_12"})}, "no GPU is seen on two"),
    (
        "unknown platform",
        {"nodes": nodes(two={"facts": facts("10.0.0.2", 1), "platform": ""})},
        "two: Debian 12.9 has no",
    ),
    (
        "address that the node does not have",
        {"nodes": nodes(two={"facts": facts("10.0.0.2", 1), "platform": "x", "address": "10.9.9.9"})},
        "ray_cluster_address of two: the node does not have 10.9.9.9, it has 127.0.0.1, 10.0.0.2",
    ),
    (
        "interface that the node does not have",
        {"nodes": nodes(two={"facts": facts("10.0.0.2", 1), "platform": "x", "interface": "bond0"})},
        "ray_cluster_interface of two: the node has no 'bond0', it has eth0",
    ),
    (
        "one address on two nodes",
        {"nodes": nodes(two={"facts": facts("10.0.0.1", 1), "platform": "x"})},
        "two and one both have the address 10.0.0.1",
    ),
    ("unknown head", {"ray": ray(head="zero")}, "ray_cluster_head: zero is not in gpu_nodes"),
    ("two ports of Ray", {"ray": ray(ports={**PORTS, "client": 8265})}, "dashboard and client are both 8265"),
    ("port among the workers'", {"ray": ray(ports={**PORTS, "gcs": 20500})}, "gcs: 20500 lies in the range"),
    ("port missing", {"ray": ray(ports={"gcs": 6379})}, "ray_cluster_ports.dashboard: is missing"),
    ("narrow range", {"ray": ray(ports={**PORTS, "worker_max": 20110})}, "must hold 50 ports or more"),
    ("engine on Ray's port", {"deployments": deployment(port=6379)}, "6379 is already ray_cluster_ports.gcs"),
    ("engine among workers", {"deployments": deployment(port=20500)}, "20500 lies in the range of Ray's workers"),
    (
        "gateway on the engine's port",
        {"gateway": {"nodes": ["one"], "ports": {"gateway_port": 8000}}},
        "gateway_port on one: 8000 is already",
    ),
    (
        "a page on the engine's port",
        {
            "gateway": {
                "nodes": ["one"],
                "ports": {"gateway_port": 443},
                "pages": [{"name": "chat", "port": 8443, "upstream": "127.0.0.1:8000"}],
            }
        },
        "the port on loopback of the page chat on one: 8000 is already",
    ),
    (
        "a page on the gateway's port",
        {
            "gateway": {
                "nodes": ["one"],
                "ports": {"gateway_port": 443},
                "pages": [{"name": "chat", "port": 443, "upstream": "127.0.0.1:8480"}],
            }
        },
        "the port of the page chat on one: 443 is already gateway_port",
    ),
    ("placeholder", {"texts": {"ray_cluster_token": "CHANGE_ME"}}, "ray_cluster_token: 'CHANGE_ME' is a placeholder"),
]


@pytest.mark.parametrize(("changed", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_mistake_is_named_with_its_variable(changed: dict[str, t.Any], expected: str) -> None:
    with pytest.raises(MistakesError) as caught:
        plan(fleet(**changed))
    assert any(expected in one for one in caught.value.args[0]), caught.value.args[0]


@pytest.mark.parametrize(
    "page",
    [{"name": "x", "port": 8443, "upstream": "192.0.2.9:8000"}, {"name": "x", "upstream": "127.0.0.1"}, {"port": "x"}],
    ids=["on another host", "without ports", "without an upstream"],
)
def test_a_page_that_takes_no_port_of_an_engine(page: dict[str, t.Any]) -> None:
    gateway = {"nodes": ["one"], "ports": {"gateway_port": 443}, "pages": [page]}
    assert plan(fleet(gateway=gateway))


def test_two_deployments_on_one_port_of_one_node() -> None:
    with pytest.raises(MistakesError) as caught:
        plan(fleet(deployments=[{**ONE, "nodes": ["one"]}, {**ONE, "name": "other", "nodes": ["one"]}]))
    assert any("8000 is already the port of deployment tiny" in one for one in caught.value.args[0])


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(MistakesError) as caught:
        plan(
            fleet(
                deployments=deployment(engine="vlm", model="big"),
                texts={"ray_cluster_token": "<your token>"},
                ray=ray(head="zero"),
            )
        )
    text = "\n".join(caught.value.args[0])
    assert all(word in text for word in ("vlm", "big", "<your token>", "zero"))


def test_the_example_is_planned_whole() -> None:
    result = plan(fleet())
    [tiny] = result["deployments"]
    assert tiny["nodes"] == ["one", "two"]
    assert (tiny["listen_address"], tiny["model_directory"]) == ("127.0.0.1", "/models/tiny")
    assert result["endpoints"] == [{"name": "tiny", "served_name": "tiny", "upstreams": ["127.0.0.1:8000"]}]
    [rank] = tiny["ranks"]
    assert rank["node"] == "one"
    assert rank["argv"][:3] == ["vllm", "serve", "/models/tiny"]
    [wait] = rank["spec"]["waits"]
    assert (wait["kind"], wait["addresses"], wait["gpus"]) == ("ray_nodes", ["10.0.0.1", "10.0.0.2"], 2)
    assert set(result["ray"]["members"]) == {"one", "two"}


def test_the_head_is_where_the_first_engine_on_ray_is_served() -> None:
    alone = {"pipeline_parallel": 1, "engine": "sglang", "nodes": ["one"]}
    other = {"name": "other", "nodes": ["two"], "pipeline_parallel": 1}
    result = plan(fleet(deployments=[{**ONE, **alone}, {**ONE, **other}]))
    assert result["ray"]["head"] == result["deployments"][1]["head"] == "two"


def test_the_head_follows_the_first_node_of_a_deployment() -> None:
    result = plan(fleet(deployments=deployment(nodes=["two"], pipeline_parallel=1)))
    assert result["ray"]["head"] == "two"
    assert result["deployments"][0]["ranks"][0]["node"] == "two"


@pytest.mark.parametrize("engine", ["vllm_native", "sglang"])
def test_ranks_without_ray_meet_at_the_first_node(engine: str) -> None:
    wishes = fleet(deployments=deployment(engine=engine, nodes=["two", "one"]), ray=ray(head="one"))
    [planned] = plan(wishes)["deployments"]
    first, second = planned["ranks"]
    assert [rank["node"] for rank in planned["ranks"]] == ["two", "one"]
    assert (planned["head_address"], planned["addresses"]) == ("10.0.0.2", {"two": "10.0.0.2", "one": "10.0.0.1"})
    # The gateway is on one, so the first rank listens on its address; the other one is for show.
    assert [rank["argv"][rank["argv"].index("--host") + 1] for rank in (first, second)] == ["10.0.0.2", "127.0.0.1"]
    assert all("10.0.0.2" in " ".join(rank["argv"]) for rank in (first, second))
    assert [bool(rank["spec"]["ready"]) for rank in (first, second)] == [True, False]
    assert first["spec"]["waits"] == [] and "GLOO_SOCKET_IFNAME" in first["reasons"]
    assert ("/dev/shm/sgl_shm_mq_*" in first["spec"]["sweep"]) == (engine == "sglang")
    run = second["spec"]["container"]["run"]
    assert "--init" in run and "--pid" not in run


@pytest.mark.parametrize(("engine", "needed"), [("vllm", True), ("vllm_native", False), ("sglang", False)])
def test_ray_runs_only_where_an_engine_needs_it(engine: str, needed: bool) -> None:
    planned = plan(fleet(deployments=deployment(engine=engine), ray=ray(image="engine:1" if needed else "")))
    assert planned["ray"]["needed"] is needed
    assert (6379 in planned["ray"]["closed_ports"]) is needed
    assert set(planned["ray"]["members"]) == {"one", "two"}
    assert {one["engine"] for one in planned["suspects"]["two"]} == {"ray" if needed else engine}


def test_ranks_on_several_nodes_know_their_neighbours() -> None:
    planned = plan(fleet(deployments=deployment(engine="vllm_native")))
    [native] = planned["deployments"]
    first, second = (rank["spec"]["group"] for rank in native["ranks"])
    assert first == {
        "name": "tiny",
        "rank": 0,
        "address": "10.0.0.1",
        "port": 29510,
        "peers": [{"rank": 1, "address": "10.0.0.2"}],
    }
    assert (second["rank"], second["address"], second["peers"]) == (1, "10.0.0.2", [{"rank": 0, "address": "10.0.0.1"}])
    assert planned["ray"]["closed_ports"] == [8000, 29501, 29510]
    assert {one["port"] for one in planned["ray"]["probes_from_outside"]} == {8000, 29501, 29510}


def test_two_deployments_share_the_gpus_of_a_node() -> None:
    eight = {
        name: {"facts": facts(f"10.0.0.{at}", gpus=8), "platform": "Debian_12"}
        for at, name in enumerate(("one", "two"), 1)
    }
    share = {"gpus_per_node": 4, "tensor_parallel": 4, "pipeline_parallel": 1, "nodes": ["one"]}
    planned = plan(
        fleet(
            nodes=eight,
            deployments=[{**ONE, **share}, {**ONE, **share, "name": "other", "engine": "sglang", "port": 8001}],
            ray=ray(gpu_access={"one": "cdi", "two": "cdi"}),
        )
    )
    rays = planned["ray"]["members"]["one"]["spec"]["container"]["run"]
    assert "--num-gpus=4" in rays and "nvidia.com/gpu=4" in rays and "nvidia.com/gpu=3" not in rays
    other = planned["deployments"][1]["ranks"][0]["spec"]["container"]["run"]
    assert "nvidia.com/gpu=3" in other and "nvidia.com/gpu=4" not in other
    # No engine on Ray names this node: GPUs that Ray had there, it would use.
    assert "--num-gpus=0" in planned["ray"]["members"]["two"]["spec"]["container"]["run"]


@pytest.mark.parametrize("engines", [("vllm_native", "sglang"), ("vllm", "vllm_native"), ("sglang", "sglang")])
def test_two_deployments_on_the_same_nodes_share_nothing(engines: tuple[str, str]) -> None:
    """Units, containers, files, GPUs and every port differ; kernels of one image are shared, each with its own mark."""
    two = {
        name: {"facts": facts(f"10.0.0.{at}", gpus=2), "platform": "Debian_12"}
        for at, name in enumerate(("one", "two"), 1)
    }
    deployments = [
        {**ONE, "name": f"d{at}", "engine": engine, "gpus_per_node": 1, "port": 8000 + at}
        | {"rendezvous_port": 29600 + 100 * at, "supervisor_port": 29501 + at}
        for at, engine in enumerate(engines)
    ]
    wishes = fleet(nodes=two, deployments=deployments, ray=ray(cache_directory="/c", gpu_access={"one": "cdi"}))
    planned = plan(wishes)["deployments"]
    for node in two:
        ranks = [[rank for rank in one["ranks"] if rank["node"] == node] for one in planned]
        for first in ranks[0]:
            for second in ranks[1]:
                assert all(first[key] != second[key] for key in ("unit", "container"))
                assert first["spec"]["cache"]["directory"] == second["spec"]["cache"]["directory"]
                assert (first["spec"]["cache"]["name"], second["spec"]["cache"]["name"]) == ("d0", "d1")
                taken = [
                    {word for word in rank["spec"]["container"]["run"] if word.startswith("nvidia.com/")}
                    for rank in (first, second)
                ]
                assert not taken[0] & taken[1]
    listened = [{(where["address"], where["port"]) for where in one["closed"]} for one in planned]
    assert not listened[0] & listened[1]


PORTS_OF: list[tuple[dict[str, t.Any], list[list[tuple[str, int]]]]] = [
    ({"engine": "vllm"}, [[("127.0.0.1", 8000)]]),
    ({"engine": "vllm_native"}, [[("127.0.0.1", 8000), ("10.0.0.1", 29501)], []]),
    ({"engine": "sglang"}, [[("127.0.0.1", 8000), ("10.0.0.1", 29501)], [("127.0.0.1", 8000)]]),
    ({"engine": "tensorrt_llm"}, [[("127.0.0.1", 8000)], [("10.0.0.2", 29501)]]),
]


@pytest.mark.parametrize(("changed", "expected"), PORTS_OF)
def test_a_rank_knows_what_its_container_listens_on(
    changed: dict[str, t.Any], expected: list[list[tuple[str, int]]]
) -> None:
    """Not the port of the supervisors, who listen before the start."""
    [one] = plan(fleet(deployments=deployment(**changed)))["deployments"]
    found = [[(port["address"], port["port"]) for port in rank["spec"]["ports"]] for rank in one["ranks"]]
    assert found == expected


BUDGETS: list[tuple[str, dict[str, t.Any], dict[str, float], int, list[str]]] = [
    ("nothing is known", {"engine": "vllm_native"}, {}, 2700 + 3, []),
    ("one disk is declared", {"engine": "vllm_native"}, {"one": 2.0}, 2700 + 3, []),
    ("a fast disk may still be a slow one that day", {"engine": "sglang"}, {"one": 2.0, "two": 3.0}, 2700 + 3, []),
    ("a slow disk is given its time", {"engine": "sglang"}, {"one": 0.1, "two": 3.0}, 2700 + 12, []),
    ("the driver sees its own disk only", {"engine": "vllm"}, {}, 2700 + 3, ["two"]),
]


@pytest.mark.parametrize(
    ("changed", "speeds", "most", "unseen"), [one[1:] for one in BUDGETS], ids=[one[0] for one in BUDGETS]
)
def test_the_time_to_load(changed: dict[str, t.Any], speeds: dict[str, float], most: int, unseen: list[str]) -> None:
    read = {name: {**node, "read_gbs": speeds.get(name)} for name, node in fleet().nodes.items()}
    models = {"tiny": {**fleet().models["tiny"], "bytes": 600_000_000}}
    planned = plan(fleet(nodes=read, models=models, deployments=deployment(**changed)))
    [one] = planned["deployments"]
    for rank in one["ranks"]:
        assert rank["spec"]["ready_budget_seconds"] == most
        assert rank["spec"]["budget"] == {
            "begin_seconds": 900,
            "compile_seconds": 1800,
            "read_bytes": 600_000_000,
            "directory": "/models/tiny",
            "read_gbs": min(speeds.values()) if len(speeds) == 2 else 0,
            "assumed_gbs": 0.2,
            "unseen": unseen,
        }
    assert any(f"may take {most} s to start: 900 to begin" in line for line in planned["explained"])


def test_a_wished_time_to_load_is_taken_as_it_is() -> None:
    planned = plan(fleet(deployments=deployment(ready_budget_seconds=60)))
    spec = planned["deployments"][0]["ranks"][0]["spec"]
    assert (spec["ready_budget_seconds"], "budget" in spec) == (60, False)
    assert "  may take 60 s to start, as ready_budget_seconds says" in planned["explained"]


@pytest.mark.parametrize(
    "changed", [{"engine": "vllm"}, {"engine": "vllm_native", "nodes": ["one"], "pipeline_parallel": 1}]
)
def test_a_rank_alone_has_no_group(changed: dict[str, t.Any]) -> None:
    [planned] = plan(fleet(deployments=deployment(**changed)))["deployments"]
    assert all("group" not in rank["spec"] for rank in planned["ranks"])


def test_ranks_that_log_in_to_each_other_get_keys_and_files() -> None:
    planned = plan(fleet(deployments=deployment(engine="tensorrt_llm", options={"config": {"a": 1}}), directory="/d"))
    [trt] = planned["deployments"]
    first, second = trt["ranks"]
    for rank in (first, second):
        words = rank["spec"]["container"]["run"]
        mounts = [words[at + 1] for at, word in enumerate(words) if word == "--volume"]
        assert mounts == [
            "/models/tiny:/models/tiny:ro",
            "/models/tiny:/run/gpufleet/models/tiny:ro",
            "/d/plans/gpufleet-engine-tiny/config.json:/run/gpufleet/config.json:ro",
            "/d/ssh/tiny:/run/gpufleet/ssh:ro",
        ]
        assert (rank["ssh"], list(rank["files"])) == ("tiny", ["config.json"])
    assert "10.0.0.1:1,10.0.0.2:1" in first["argv"] and "AllowUsers=root@10.0.0.1" in second["argv"]
    assert [rank["spec"].get("process") for rank in (first, second)] == ["trtllm-serve", None]
    # sshd listens on the second node.
    assert {"address": "10.0.0.2", "port": 29501, "what": "engine tiny"} in planned["ray"]["probes_from_outside"]
    assert planned["ray"]["closed_ports"] == [8000, 29501, 29510]


def test_a_rank_alone_logs_in_nowhere() -> None:
    [trt] = plan(fleet(deployments=deployment(engine="tensorrt_llm", nodes=["one"], pipeline_parallel=1)))[
        "deployments"
    ]
    [rank] = trt["ranks"]
    assert (rank["ssh"], rank["files"], rank["spec"].get("process")) == ("", {}, None)
    assert rank["argv"][0] == "trtllm-serve"


def test_only_the_first_rank_drains() -> None:
    [planned] = plan(fleet(deployments=deployment(engine="vllm_native")))["deployments"]
    first, second = (rank["spec"].get("drain") for rank in planned["ranks"])
    assert (first["gauges"], second) == (["vllm:num_requests_running"], None)


def thinking(template: str | None = "{% if add_generation_prompt %}{{ 'A' }}{% endif %}", **changed: t.Any) -> Wishes:
    """Return wishes for a deployment whose template is made to think."""
    models = {
        "tiny": {"directory": "/models/tiny", "config": {}, "bytes": 1000, "problem": "", "chat_template": template}
    }
    return fleet(models=models, deployments=deployment(forced_think=True, **changed))


@pytest.mark.parametrize("engine", ["vllm", "vllm_native", "sglang"])
def test_a_template_that_thinks_is_a_file_of_every_rank(engine: str) -> None:
    [planned] = plan(thinking(engine=engine))["deployments"]
    for rank in planned["ranks"]:
        assert rank["files"]["chat_template.jinja"].endswith("'A<think>\\n' }}{% endif %}")
        assert rank["argv"][rank["argv"].index("--chat-template") + 1] == "/run/gpufleet/chat_template.jinja"
        assert any(word.endswith(":/run/gpufleet/chat_template.jinja:ro") for word in rank["spec"]["container"]["run"])


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        (thinking(template=""), "the chat template of tiny could not be read"),
        (thinking(template="{{ messages }}"), "forced_think: tiny: its chat template has no generation prompt"),
        (thinking(options={"chat_template": "/t"}), "options.chat_template is set too"),
        (thinking(engine="custom", options={"command": ["serve"]}), "forced_think: custom takes no chat template"),
    ],
)
def test_a_template_that_cannot_think_is_refused(wishes: Wishes, expected: str) -> None:
    with pytest.raises(MistakesError) as caught:
        plan(wishes)
    assert any(expected in one for one in caught.value.args[0])


H20 = {"gpu_gib": 95.0, "gpu_kind": "h20-96"}


def large(gpu: dict[str, t.Any] | None = None, **changed: t.Any) -> Wishes:
    """Return wishes for a Mixtral of 47B on two nodes with one GPU each."""
    models = {
        "tiny": {
            "directory": "/m",
            "config": sizing_samples.config("mixtral-8x7b"),
            "bytes": 93_400_000_000,
            "problem": "",
        }
    }
    nodes = {name: {**node, "gpu": gpu if gpu is not None else H20} for name, node in fleet().nodes.items()}
    return fleet(models=models, nodes=nodes, deployments=deployment(**changed))


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    with pytest.raises(MistakesError) as caught:
        plan(large(gpu={"gpu_gib": 40.0, "gpu_kind": "x"}))
    [refusal] = caught.value.args[0]
    assert refusal.startswith("deployment tiny: does not fit, each GPU lacks ")
    assert "It would fit with (1) " in refusal and "(3) " in refusal


def test_force_starts_it_all_the_same() -> None:
    planned = plan(large(gpu={"gpu_gib": 40.0, "gpu_kind": "x"}, force=True))
    assert planned["deployments"][0]["sizing"]["fits"] is False


def test_what_fits_is_told_in_a_table() -> None:
    planned = plan(large(options={"max_model_len": 8192}))
    assert planned["deployments"][0]["sizing"]["fits"] is True
    assert "yes, +" in "\n".join(planned["table"])
    assert any("the smallest that fits is " in line for line in planned["explained"])
    assert (
        planned["deployments"][0]["ready_budget_seconds"]
        == planned["deployments"][0]["ranks"][0]["spec"]["ready_budget_seconds"]
        > 2700
    )


KERNELS = [
    ("vllm_native", ["tiny", "other"], ["tiny"], 0),
    ("vllm_native", ["tiny"], ["other"], 300),
    ("vllm_native", [], [], 300),
    ("vllm", ["tiny", "ray"], ["ray"], 0),
    ("vllm", ["ray"], ["ray"], 300),
]


@pytest.mark.parametrize(("engine", "first", "second", "more"), KERNELS)
def test_the_time_of_a_start_knows_of_compiled_kernels(
    engine: str, first: list[str], second: list[str], more: int
) -> None:
    """300 s: COLD_SECONDS of _sizing. Of an engine on Ray only the driver's node is noted."""
    wishes = large(options={"max_model_len": 8192}, engine=engine)
    caches = {"cache_directory": "/c"}
    folder = plan(dataclasses.replace(wishes, ray=ray(**caches)))["deployments"][0]["ranks"][0]["spec"]["cache"]
    seen = {
        name: {"kernel_caches": {folder["directory"]: ready}}
        for name, ready in zip(wishes.nodes, (first, second), strict=True)
    }
    nodes = {name: {**node, "facts": {**node["facts"], **seen[name]}} for name, node in wishes.nodes.items()}
    planned = plan(dataclasses.replace(wishes, nodes=nodes, ray=ray(**caches)))
    known = plan(dataclasses.replace(wishes, ray=ray(cache_directory="")))
    seconds = [one["deployments"][0]["sizing"]["start_seconds"] for one in (planned, known)]
    assert seconds[0] - seconds[1] == more


def test_a_declared_disk_shortens_the_start() -> None:
    wishes = large(options={"max_model_len": 8192})
    nodes = {name: {**node, "read_gbs": speed} for speed, (name, node) in enumerate(wishes.nodes.items(), 4)}
    seconds = [
        plan(one)["deployments"][0]["sizing"]["start_seconds"]
        for one in (wishes, dataclasses.replace(wishes, nodes=nodes))
    ]
    # Half of 93.4 GB at 1 GB/s, and at the 4 GB/s of the slower node.
    assert seconds[0] - seconds[1] == pytest.approx(46.7 * 3 / 4, abs=1.5)


def test_a_gpu_that_is_not_known_is_no_reason_to_refuse() -> None:
    planned = plan(large(gpu={}))
    assert planned["deployments"][0]["sizing"]["fits"] is None
    assert "not verified" in "\n".join(planned["table"])


def test_a_gateway_elsewhere_needs_the_engine_on_the_nodes_address() -> None:
    result = plan(fleet(gateway={"nodes": ["two"], "ports": {"gateway_port": 443}}))
    assert result["endpoints"][0]["upstreams"] == ["10.0.0.1:8000"]


def test_a_new_image_under_the_old_name_makes_new_specs() -> None:
    old, new = (
        plan(fleet(images={"engine:1": {"archive_problem": "", "identity": identity}}))
        for identity in ("sha256:1", "sha256:2")
    )
    assert old["deployments"][0]["ranks"][0]["spec"] != new["deployments"][0]["ranks"][0]["spec"]
    assert old["ray"]["members"]["two"]["spec"] != new["ray"]["members"]["two"]["spec"]


def test_the_engines_own_port_is_closed_to_outsiders() -> None:
    ray_plan = plan(fleet(deployments=deployment(port=8123)))["ray"]
    assert 8123 in ray_plan["closed_ports"]
    assert {"address": "10.0.0.1", "port": 8123, "what": "engine tiny"} in ray_plan["probes_from_outside"]


def test_no_secret_stands_in_a_plan() -> None:
    text = str(plan(fleet(texts={"ray_cluster_token": "s3cr3t-token-value"})))
    assert "s3cr3t" not in text


def test_declared_gpus_win_and_containers_follow_the_wish() -> None:
    nodes_without = {
        name: {"facts": facts(f"10.0.0.{at}"), "platform": "Debian_12", "gpus": 1}
        for at, name in enumerate(("a", "b"), 1)
    }
    gateway = {"nodes": ["a"], "ports": {"gateway_port": 443}}
    result = plan(fleet(nodes=nodes_without, ray=ray(gpu_containers=False), gateway=gateway))
    command = result["ray"]["members"]["a"]["spec"]["container"]["run"]
    assert "--num-gpus=1" in command
    assert "--gpus" not in command


def test_containers_get_their_gpus_as_each_node_hands_them_over() -> None:
    result = plan(fleet(ray=ray(gpu_access={"one": "cdi", "two": "runtime"})))
    runs = {name: one["spec"]["container"]["run"] for name, one in result["ray"]["members"].items()}
    runs |= {f"rank of {one['node']}": one["spec"]["container"]["run"] for one in result["deployments"][0]["ranks"]}
    assert len(runs) > 2
    for name, words in runs.items():
        assert ("nvidia.com/gpu=all" in words) is name.endswith("one")
        assert ("--runtime" in words) is name.endswith("two")
        assert "--gpus" not in words


def test_on_every_node_an_image_needs_no_declaration() -> None:
    have = {
        name: {"facts": facts(f"10.0.0.{at}", 1, images=["engine:1"]), "platform": "x"}
        for at, name in enumerate(("one", "two"), 1)
    }
    assert plan(fleet(nodes=have, images={}))["deployments"]


@pytest.mark.parametrize(
    ("mistakes", "expected"),
    [
        ({}, []),
        ({"a": [], "b": []}, []),
        ({"a": ["x", "y"], "b": ["x", "y"]}, ["x", "y"]),
        ({"a": ["x", "x"], "b": []}, ["a: x"]),
        ({"a": ["x"], "b": ["x"], "c": ["z"]}, ["a, b: x", "c: z"]),
    ],
)
def test_mistakes_of_nodes_are_said_once(mistakes: dict[str, list[str]], expected: list[str]) -> None:
    assert merged(mistakes) == expected
