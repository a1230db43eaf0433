# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_profile import KEYS, THRESHOLDS
from ansible_collections.gpufleet.inference.plugins.modules import gpu_health
from tests.unit.plugins.module_utils import gpu_samples
from tests.unit.plugins.module_utils.gpu_samples import EXPECT

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> dict[str, t.Any]:
    """Stand for a healthy node; ``nvml`` and ``host`` may be changed, ``asked`` is the time given to NVML."""
    state: dict[str, t.Any] = {"nvml": gpu_samples.nvml(), "host": gpu_samples.host()}

    class Reading:
        def __init__(self, timeout_seconds: float) -> None:
            state["asked"] = timeout_seconds

        def result(self) -> dict[str, t.Any]:
            return t.cast("dict[str, t.Any]", state["nvml"])

    monkeypatch.setattr(gpu_health, "Reading", Reading)
    monkeypatch.setattr(gpu_health, "read_gpu_host", lambda: state["host"])
    return state


def test_a_healthy_node(run_module: Run, node: dict[str, t.Any]) -> None:
    result = run_module("gpu_health", check=True, expect=EXPECT, strict=True, timeout_seconds=7)
    assert (result["verdict"], result["failed"], result["changed"]) == ("pass", False, False)
    assert node["asked"] == 7
    assert result["facts"]["gpus"][1] == {
        "index": 1,
        "pci": "0000:43:00.0",
        "uuid": "GPU-1",
        "serial": "1",
        "name": "NVIDIA H20",
        "vbios_version": "96.00",
        "kind": "h20-96",
    }
    assert result["facts"]["guest"] is False
    assert result["facts"]["not_applicable"]["IMEX"] == "this is no rack"


@pytest.mark.parametrize(("strict", "failed"), [(False, False), (True, True)])
@pytest.mark.usefixtures("node")
def test_an_unknown_gpu_fails_under_strict(run_module: Run, node: dict[str, t.Any], strict: bool, failed: bool) -> None:
    node["nvml"]["gpus"][0]["device_id"] = "3fff"
    result = run_module("gpu_health", expect={**EXPECT, "kind": None}, strict=strict)
    assert (result["verdict"], result["failed"]) == ("not_verified", failed)


def test_a_sick_gpu_fails_with_its_remedy(run_module: Run, node: dict[str, t.Any]) -> None:
    node["nvml"]["gpus"][1]["remapped_rows"]["pending"] = 1
    result = run_module("gpu_health", expect=EXPECT)
    assert result["failed"]
    assert "remapped rows: fail, observed {'1': 'pending'}" in result["msg"]
    assert "--gpu-reset" in result["msg"]


def test_a_wrong_profile_is_said_before_anything_is_read(run_module: Run) -> None:
    result = run_module("gpu_health", expect={"gpu": 8, "kind": "h2000"})
    assert result["failed"]
    assert "unknown gpu" in result["msg"] and "h2000" in result["msg"]
    assert "checks" not in result


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("here", "respawned", "there", "expected"),
    [(False, False, True, 1), (False, True, True, 0), (False, False, False, 0), (True, False, True, 0)],
)
def test_respawn(
    run_module: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    here: bool,
    respawned: bool,
    there: bool,
    expected: int,
) -> None:
    asked: list[str] = []
    python = tmp_path / "python3"
    if there:
        python.write_text("")
        python.chmod(0o755)
    monkeypatch.setattr(gpu_health, "HAS_PYNVML", here)
    monkeypatch.setattr(gpu_health, "has_respawned", lambda: respawned)
    monkeypatch.setattr(gpu_health, "respawn_module", asked.append)
    run_module("gpu_health", expect=EXPECT, python=str(python))
    assert asked == [str(python)] * expected


def test_every_key_of_the_profile_is_documented() -> None:
    text = " ".join(yaml.safe_load(gpu_health.DOCUMENTATION)["options"]["expect"]["description"])
    missing = [key for key in (*KEYS, *THRESHOLDS) if f"C({key})" not in text]
    assert not missing
