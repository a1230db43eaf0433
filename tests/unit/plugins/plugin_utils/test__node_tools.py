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
        "nvml_version": "13.615.71",
        "nvml_sha256": [SHA],
        "python_directory": VENV,
        "packages": ["python3-venv"],
        "wheel": "",
        "wheel_found": False,
        **changes,
    }


HAS = {VENV: {"nvidia-ml-py": "13.615.71", "pip": "23.0.1"}}
OLD = {VENV: {"nvidia-ml-py": "12.570.86"}}


@pytest.mark.parametrize(
    ("nvml", "seen", "wanted", "install"),
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
def test_who_gets_it(nvml: str, seen: dict[str, t.Any], wanted: bool, install: bool) -> None:
    decided = plan(seen, wishes(nvml=nvml))
    assert (decided["nvml"], decided["install"]) == (wanted, install)
    assert decided["packages"] == (["python3-venv"] if install else [])


@pytest.mark.parametrize(
    ("wanted", "have", "missing"),
    [(["python3-venv"], ["python3-venv"], []), ([], [], []), (["a", "b"], ["a"], ["b"])],
)
def test_only_missing_packages_are_installed(wanted: list[str], have: list[str], missing: list[str]) -> None:
    assert plan(node(packages=dict.fromkeys(have, "1")), wishes(packages=wanted))["packages"] == missing


def test_version_and_content_are_pinned() -> None:
    decided = plan(node(), wishes(nvml_sha256=[SHA, "a" * 64]))
    assert decided["requirements"] == (
        f"nvidia-ml-py==13.615.71 \\\n    --hash=sha256:{SHA} \\\n    --hash=sha256:{'a' * 64}\n"
    )
    assert "--require-hashes" in decided["pip"] and "--no-deps" in decided["pip"]


@pytest.mark.parametrize(("wheel", "offline"), [("", False), ("/wheels/nvidia_ml_py-1-py3-none-any.whl", True)])
def test_with_a_wheel_no_index_is_asked(wheel: str, offline: bool) -> None:
    arguments = plan(node(), wishes(wheel=wheel))["pip"]
    assert ("--no-index" in arguments) is offline
    assert ("--find-links=/usr/local/lib/gpufleet/wheels" in arguments) is offline
    assert arguments[-1] == "--requirement=/usr/local/lib/gpufleet/nvml_requirements.txt"


GOOD = [
    wishes(),
    wishes(wheel="/w/x.whl", wheel_found=True),
    wishes(nvml="never", nvml_version="", nvml_sha256=[], wheel="/w/x.whl"),
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
        ({"nvml_version": ">=13"}, "node_tools_nvml_version: '>=13' is not one exact version"),
        ({"nvml_version": ""}, "node_tools_nvml_version: '' is not one exact version"),
        ({"nvml_sha256": []}, "node_tools_nvml_sha256: every entry"),
        ({"nvml_sha256": [SHA, SHA.replace("9", "A")]}, "node_tools_nvml_sha256: every entry"),
        ({"wheel": "/w/x.whl"}, "node_tools_wheel_directory: /w/x.whl is missing on the controller"),
    ],
)
def test_mistakes(changes: dict[str, t.Any], said: str) -> None:
    found = mistakes(wishes(**changes))
    assert len(found) == 1 and found[0].startswith(said)


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(wishes(directory="/tmp/a", python_directory="/tmp/b", nvml_version="x", nvml_sha256=["x"]))
    assert len(found) == 4
