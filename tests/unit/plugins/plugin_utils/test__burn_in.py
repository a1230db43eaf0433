# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is run on a node, and how the nodes' answers become one run."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _burn_in

IMAGE = "vllm/vllm-openai:v0.26.0"


def node(**changed: t.Any) -> dict[str, t.Any]:
    docker = {
        "reachable": True,
        "problem": "",
        "running": [],
        "containers": {},
        "images": {IMAGE: "sha256:1"},
        "can_raise_limits": True,
    }
    docker |= changed.pop("docker", {})
    return {"gpus": [{"pci": "0000:01:00.0", "device": "2335"}], "docker": docker, **changed}


def wishes(**changed: t.Any) -> dict[str, t.Any]:
    return {
        "name": "n1",
        "tier": "quick",
        "parts": ["gpu", "node"],
        "image": "",
        "images": [IMAGE],
        "python": "",
        "gpu_access": "cdi",
        "environment": {},
        "while_serving": False,
        "directory": "/usr/local/lib/gpufleet/burn_in",
        **changed,
    }


def test_the_container_has_the_cards_the_scripts_and_no_more() -> None:
    found = _burn_in.plan(wishes(environment={"NCCL_NVLS_ENABLE": "0"}), node())
    words = " ".join(found["argv"])
    assert words.startswith("docker run --rm --pull never --name gpufleet-burn-in --entrypoint python3 ")
    assert "--device nvidia.com/gpu=all" in words and "--env NCCL_NVLS_ENABLE=0" in words
    assert "--volume /usr/local/lib/gpufleet/burn_in:/gpufleet-burn-in:ro" in words
    assert words.endswith(
        f"{IMAGE} /gpufleet-burn-in/gpu_burn_in.py --tier quick --node n1 --parts gpu,node --image {IMAGE}"
    )
    assert "--privileged" not in words
    assert (found["problem"], found["container"], found["leftover"]) == ("", "gpufleet-burn-in", "")


def test_a_host_without_docker_uses_its_own_python() -> None:
    dead = node(docker={"reachable": False, "images": {}})
    found = _burn_in.plan(wishes(python="/opt/torch/bin/python3", images=[], while_serving=True, parts=["node"]), dead)
    assert found["argv"] == [
        *("/opt/torch/bin/python3", "/usr/local/lib/gpufleet/burn_in/gpu_burn_in.py"),
        *("--tier", "quick", "--node", "n1", "--parts", "node", "--busy"),
    ]
    assert (found["container"], found["problem"]) == ("", "")


@pytest.mark.parametrize(
    ("wish", "of_node", "problem"),
    [
        ({}, {"gpus": []}, "no NVIDIA GPU on its PCI bus"),
        ({"images": []}, {}, "set burn_in_image"),
        ({"image": "other:1"}, {}, "does not have the image other:1"),
        (
            {},
            {"docker": {"reachable": False, "problem": "permission denied"}},
            "Docker does not answer: permission denied",
        ),
        ({}, {"docker": {"reachable": False}}, "Docker does not answer: it is not installed"),
    ],
)
def test_what_cannot_be_run_has_a_reason(wish: dict[str, t.Any], of_node: dict[str, t.Any], problem: str) -> None:
    found = _burn_in.plan(wishes(**wish), node(**of_node))
    assert problem in found["problem"] and found["argv"] == []


def test_what_a_cut_off_run_left_is_named() -> None:
    left = node(docker={"containers": {"gpufleet-burn-in": {"state": "running"}}})
    assert _burn_in.plan(wishes(), left)["leftover"] == "gpufleet-burn-in"


@pytest.mark.parametrize(("tier", "seconds", "level"), [("quick", 360, 0), ("standard", 1800, 2), ("soak", 14400, 3)])
def test_tiers(tier: str, seconds: int, level: int) -> None:
    found = _burn_in.plan(wishes(tier=tier), node())
    assert (found["seconds"], found["dcgm_level"]) == (seconds, level)


def test_engines_that_run_are_not_disturbed() -> None:
    serving = node(docker={"running": ["gpufleet-engine-x-rank0", "gpufleet-ray", "registry"]})
    (told,) = _burn_in.mistakes(wishes(), serving)
    assert told.startswith("gpufleet-engine-x-rank0, gpufleet-ray would") and "playbooks/stop.yml" in told
    assert _burn_in.mistakes(wishes(while_serving=True), serving) == []
    assert _burn_in.mistakes(wishes(), node(docker={"running": ["registry"]})) == []
    assert _burn_in.mistakes(wishes(), {**serving, "gpus": []}) == [], "engines of the lab use no cards"


def test_an_unknown_tier() -> None:
    assert _burn_in.mistakes(wishes(tier="fast"), node()) == ["burn_in_tier: fast is none of quick, standard, soak."]


def test_every_member_is_in_the_run() -> None:
    one = {"kind": "gemm", "node": "n1"}
    fabric = [{"kind": "rdma_write_bw", "node": "n2"}]
    measured: dict[str, t.Any] = {
        "n1": {"fleet": {"n1": {"gpu": "NVIDIA H200", "driver": ""}}, "measurements": [one]},
        "n2": None,
    }
    facts: dict[str, dict[str, t.Any]] = {"n1": {"nics": 4, "driver": "580"}, "n2": {"gpus": 8}}
    run = _burn_in.merged(["n1", "n2"], measured, facts, fabric, "quick", "2026-11-22T10:00:00+00:00")
    assert run["fleet"] == {"n1": {"gpu": "NVIDIA H200", "nics": 4, "driver": "580"}, "n2": {"gpus": 8}}
    assert run["measurements"] == [one, *fabric]
    assert (run["schema"], run["tier"], run["started"]) == (1, "quick", "2026-11-22T10:00:00+00:00")
