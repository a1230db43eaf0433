# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of what is between the ranks: ``diagnosis_cases/network.yml`` finds each of them."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_network import NETWORK
from tests.unit.plugins.module_utils import diagnosis_samples as samples

FOUND = samples.found_in("network")


@pytest.mark.parametrize("name", [one.name for one in NETWORK])
def test_a_signature_has_a_case(name: str) -> None:
    assert name in FOUND, f"no case in diagnosis_cases/network.yml finds {name}"
