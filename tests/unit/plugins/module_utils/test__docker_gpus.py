# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many GPUs a container sees, with every verdict."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_gpus, _docker_probe, _docker_socket
from ansible_collections.gpufleet.inference.plugins.module_utils._docker_probe import Outcome
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _docker_run

IMAGES = {"engine:1": "sha256:aa"}
EIGHT = "".join(
    f"GPU {number}: NVIDIA H20 (UUID: GPU-{number})\r\n  MIG 1g.12gb Device 0: (UUID: x)\r\n" for number in range(8)
)


def wish(**changed: t.Any) -> dict[str, t.Any]:
    return {"count": 8, "access": "cdi", "image": "engine:1", **changed}


def ran(text: str | None, code: int | None = 0, problem: str = "") -> Outcome:
    return Outcome({}, text, code, problem)


@pytest.mark.parametrize(
    ("changed", "outcome", "verdict", "observed"),
    [
        ({}, ran(EIGHT), "pass", 8),
        ({"access": "runtime"}, ran(EIGHT), "pass", 8),
        ({"access": "hook"}, ran(EIGHT), "pass", 8),
        ({"count": 7}, ran(EIGHT), "fail", "8"),
        ({}, ran(EIGHT.replace("GPU 3:", "Unable to determine the device handle")), "fail", "7"),
        ({}, ran("No devices were found", 6), "fail", "nvidia-smi ended with 6: No devices were found"),
        ({}, ran("Failed to initialize NVML: Unknown Error", 255), "fail", "Unknown Error"),
        ({}, ran(None, None, "unresolvable CDI devices nvidia.com/gpu=all"), "fail", "unresolvable CDI"),
        ({}, _docker_socket.DockerUnreachableError("did not answer within 90 s"), "not_verified", "within 90 s"),
        ({"count": 0}, ran(EIGHT), "not_verified", "no GPU that could be counted"),
        ({"image": ""}, ran(EIGHT), "not_verified", "no image to try"),
        ({"image": "gone:1"}, ran(EIGHT), "not_verified", "no image gone:1"),
    ],
)
def test_verdicts(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, t.Any], outcome: t.Any, verdict: str, observed: t.Any
) -> None:
    asked: list[t.Any] = []

    def run(image: str, command: list[str], more: t.Any, host: t.Any, *_rest: t.Any) -> Outcome:
        asked.append((image, command, more, host))
        if isinstance(outcome, Exception):
            raise outcome
        return t.cast("Outcome", outcome)

    monkeypatch.setattr(_docker_probe, "run", run)
    found = _docker_gpus.prove(wish(**changed), IMAGES, probe=True)
    assert found["verdict"] == verdict
    assert str(observed) in str(found["observed"])
    assert bool(found["remedy"]) is (verdict == "fail")
    if verdict != "not_verified":
        assert asked == [("engine:1", ["nvidia-smi", "-L"], *_docker_gpus.ACCESS[wish(**changed)["access"]])]


def test_check_mode_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_docker_probe, "run")
    found = _docker_gpus.prove(wish(), IMAGES, probe=False)
    assert (found["verdict"], found["observed"]) == ("not_verified", "no container is started to try")


def test_ways_are_those_of_the_engines() -> None:
    assert set(_docker_gpus.ACCESS) == set(_docker_gpus.REMEDY) == set(_docker_run.GPU_WORDS) - {""}
