# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case of the matrix is a deployment that our own reader takes."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _deployment
from tests.lab import matrix
from tests.lab.shell import LabError


@pytest.mark.parametrize("case", matrix.CASES)
def test_cases_are_deployments(case: str) -> None:
    wish = matrix.deployment(case)
    deployment, mistakes = _deployment.parse(wish, "engine_deployments[0]")
    assert mistakes == []
    assert deployment is not None
    assert (deployment.engine, deployment.model) == tuple(case.split(":")[:2])
    assert matrix.store(wish["model"])[0]["name"] == wish["model"]


def test_an_unknown_case_names_those_there_are() -> None:
    with pytest.raises(LabError, match="there is no case x; there are vllm:tiny-deepseek-v3:tp2, "):
        matrix.deployment("x")
