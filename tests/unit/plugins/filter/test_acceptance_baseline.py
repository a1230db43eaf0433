# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.acceptance_baseline import acceptance_baseline
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def test_the_text_is_that_of_the_file() -> None:
    text = acceptance_baseline(samples.document(samples.healthy()))
    stored = json.loads(text)
    assert text.endswith("}\n") and stored["rows"][0]["source"] == "baseline of this fleet"
    assert json.loads(acceptance_baseline(samples.document(samples.healthy()), stored)) == stored


def test_a_bad_run_is_refused_with_what_to_do() -> None:
    document = samples.document(samples.bad())
    with pytest.raises(AnsibleFilterError, match="burn_in_force_baseline"):
        acceptance_baseline(document)
    assert json.loads(acceptance_baseline(document, {}, force=True))["forced"] is True
