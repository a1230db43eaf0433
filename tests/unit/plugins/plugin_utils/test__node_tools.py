# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which node gets nvidia-ml-py, from where, and which wishes are refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._node_tools import mistakes, plan

VENV = "/usr/local/lib/gpufleet/venv"
SHA = "9" * 64


def node(**changes: t.Any) -> dict[str, t.Any]:
    """Return a bare GPU node, changed."""
    return {
        "architecture": "x86_64",
        "gpus": [{"pci": "0000:1b:00.0", "device": "2329"}],
        "packages": {"python3": "3.11.2-1"},
        "python_environments": {VENV: {}},
        **changes,
    }


def wishes(**changes: t.Any) -> dict[str, t.Any]:
    """Return the role's defaults on Debian, changed."""
    return {
        "directory": "/usr/local/lib/gpufleet",
        "nvml": "auto",
        "python_directory": VENV,
        "packages": ["python3-venv"],
        "pins": {"nvidia-ml-py": pin("node_tools_nvml", "13.615.71")},
        "wheel_directory": None,
        "wheels": [],
        **changes,
    }


def pin(variable: str, version: str, sha256: list[str] | None = None) -> dict[str, t.Any]:
    return {"variable": variable, "version": version, "sha256": [SHA] if sha256 is None else sha256}


def nvml(version: str = "13.615.71", sha256: list[str] | None = None) -> dict[str, t.Any]:
    """Return the pins of the library alone."""
    return {"nvidia-ml-py": pin("node_tools_nvml", version, sha256)}


NVITOP = {
    **nvml(),
    "nvitop": pin("node_tools_nvitop", "1.7.2"),
    "psutil": pin("node_tools_psutil", "7.2.2"),
}
WHEELS = [
    "nvidia_ml_py-13.615.71-py3-none-any.whl",
    "nvidia_ml_py-12.570.86-py3-none-any.whl",
    "nvitop-1.7.2-py3-none-any.whl",
    "psutil-7.2.2-cp36-abi3-manylinux2010_x86_64.manylinux_2_28_x86_64.whl",
    "psutil-7.2.2-cp36-abi3-manylinux2014_aarch64.manylinux_2_28_aarch64.whl",
]


HAS = {VENV: {"nvidia-ml-py": "13.615.71", "pip": "23.0.1"}}
ALL = {VENV: {"nvidia-ml-py": "13.615.71", "nvitop": "1.7.2", "psutil": "7.2.2"}}
OLD = {VENV: {"nvidia-ml-py": "12.570.86"}}


@pytest.mark.parametrize(
    ("wish", "seen", "wanted", "install"),
    [
        ("auto", node(), True, True),
        ("auto", node(gpus=[]), False, False),
        ("auto", node(python_environments=HAS), True, False),
        ("auto", node(python_environments=OLD), True, True),
        ("auto", node(python_environments={}), True, True),
        ("always", node(gpus=[]), True, True),
        ("always", node(gpus=[], python_environments=HAS), True, False),
        ("never", node(), False, False),
    ],
)
def test_who_gets_it(wish: str, seen: dict[str, t.Any], wanted: bool, install: bool) -> None:
    decided = plan(seen, wishes(nvml=wish))
    assert (decided["nvml"], decided["install"]) == (wanted, install)
    assert decided["packages"] == (["python3-venv"] if install else [])


@pytest.mark.parametrize(
    ("wanted", "have", "missing"),
    [(["python3-venv"], ["python3-venv"], []), ([], [], []), (["a", "b"], ["a"], ["b"])],
)
def test_only_missing_packages_are_installed(wanted: list[str], have: list[str], missing: list[str]) -> None:
    assert plan(node(packages=dict.fromkeys(have, "1")), wishes(packages=wanted))["packages"] == missing


def test_version_and_content_are_pinned() -> None:
    decided = plan(node(), wishes(pins=nvml(sha256=[SHA, "a" * 64])))
    assert decided["requirements"] == (
        f"nvidia-ml-py==13.615.71 \\\n    --hash=sha256:{SHA} \\\n    --hash=sha256:{'a' * 64}\n"
    )
    assert "--require-hashes" in decided["pip"] and "--no-deps" in decided["pip"]


@pytest.mark.parametrize(
    ("seen", "install", "nvitop"),
    [
        (node(), True, True),
        (node(python_environments=HAS), True, True),
        (node(python_environments=ALL), False, True),
        (node(gpus=[]), False, False),
    ],
)
def test_nvitop_comes_with_the_library(seen: dict[str, t.Any], install: bool, nvitop: bool) -> None:
    decided = plan(seen, wishes(pins=NVITOP))
    assert (decided["install"], decided["nvitop"]) == (install, nvitop)
    assert [line.split("==")[0] for line in decided["requirements"].splitlines() if "==" in line] == list(NVITOP)


def test_without_the_wish_there_is_no_nvitop() -> None:
    assert plan(node(), wishes())["nvitop"] is False


@pytest.mark.parametrize(("directory", "offline"), [(None, False), ("/wheels", True)])
def test_with_wheels_no_index_is_asked(directory: str | None, offline: bool) -> None:
    arguments = plan(node(), wishes(wheel_directory=directory, wheels=WHEELS))["pip"]
    assert ("--no-index" in arguments) is offline
    assert ("--find-links=/usr/local/lib/gpufleet/wheels" in arguments) is offline
    assert arguments[-1] == "--requirement=/usr/local/lib/gpufleet/nvml_requirements.txt"


@pytest.mark.parametrize(("architecture", "left_out"), [("x86_64", {1, 4}), ("aarch64", {1, 3})])
def test_only_the_wheels_of_this_node_are_copied(architecture: str, left_out: set[int]) -> None:
    decided = plan(node(architecture=architecture), wishes(pins=NVITOP, wheel_directory="/w", wheels=WHEELS))
    assert decided["wheels"] == [name for number, name in enumerate(WHEELS) if number not in left_out]


GOOD = [
    wishes(),
    wishes(wheel_directory="/w", wheels=WHEELS),
    wishes(wheel_directory="/w", wheels=WHEELS, pins=NVITOP),
    wishes(nvml="never", pins=nvml("", []), wheel_directory="/w"),
    wishes(directory="/opt/tmp/tools"),
]


@pytest.mark.parametrize("good", GOOD)
def test_good_wishes(good: dict[str, t.Any]) -> None:
    assert mistakes(good) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"directory": "/tmp"}, "node_tools_directory: /tmp may be writable"),
        ({"directory": "/home/ops/tools"}, "node_tools_directory: /home/ops/tools may be writable"),
        ({"python_directory": "/dev/shm/venv"}, "node_tools_python_directory: /dev/shm/venv may be writable"),
        ({"python_directory": "/var/tmp", "nvml": "never"}, "node_tools_python_directory: /var/tmp may be writable"),
        ({"pins": nvml(">=13")}, "node_tools_nvml_version: '>=13' is not one exact version"),
        ({"pins": nvml("")}, "node_tools_nvml_version: '' is not one exact version"),
        ({"pins": nvml(sha256=[])}, "node_tools_nvml_sha256: every entry"),
        ({"pins": nvml(sha256=[SHA, SHA.replace("9", "A")])}, "node_tools_nvml_sha256: every entry"),
        ({"wheel_directory": "/w"}, "node_tools_wheel_directory: /w has no wheel of nvidia-ml-py 13.615.71; fetch it"),
        (
            {"wheel_directory": "/w", "wheels": WHEELS[1:]},
            "node_tools_wheel_directory: /w has no wheel of nvidia-ml-py 13.615.71; fetch it",
        ),
        (
            {"wheel_directory": "/w", "wheels": WHEELS[:3], "pins": NVITOP},
            "node_tools_wheel_directory: /w has no wheel of psutil 7.2.2; fetch it",
        ),
        (
            {"pins": {**NVITOP, "nvitop": pin("node_tools_nvitop", "1")}},
            "node_tools_nvitop_version: '1' is not one exact",
        ),
    ],
)
def test_mistakes(changes: dict[str, t.Any], said: str) -> None:
    found = mistakes(wishes(**changes))
    assert len(found) == 1 and found[0].startswith(said)


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(wishes(directory="/tmp/a", python_directory="/tmp/b", pins=nvml("x", ["x"])))
    assert len(found) == 4
