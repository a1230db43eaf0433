# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of Ray and of mere consequences: ``diagnosis_cases/ray.yml`` finds each of them."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import ROOT
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_ray import CONSEQUENCES, RAY
from tests.unit.plugins.module_utils import diagnosis_samples as samples

FOUND = samples.found_in("ray")


@pytest.mark.parametrize("name", [one.name for one in (*RAY, *CONSEQUENCES)])
def test_a_signature_has_a_case(name: str) -> None:
    assert name in FOUND, f"no case in diagnosis_cases/ray.yml finds {name}"


def test_a_consequence_is_never_the_root() -> None:
    assert [one.name for one in CONSEQUENCES if one.kind == ROOT] == []
