# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter import load_test_targets

PLAN = {
    "name": "a",
    "served_name": "a",
    "model_directory": "/models/a",
    "nodes": ["n1"],
    "engine": "vllm",
    "image": "v:1",
    "tensor_parallel": 8,
    "pipeline_parallel": 1,
}
ENDPOINTS = [{"name": "a", "upstreams": ["127.0.0.1:8000"]}]
GATEWAY = {"url": "https://gw", "api_keys_path": "/k", "ca_path": ""}


def test_without_wishes_everything_goes_through_the_gateway() -> None:
    found = load_test_targets.FilterModule().filters()["load_test_targets"]([PLAN], ENDPOINTS, GATEWAY)
    assert [one["name"] for one in found] == ["a gateway"]


def test_an_unknown_name_is_an_error_of_the_filter() -> None:
    with pytest.raises(AnsibleFilterError, match="b is neither a deployment"):
        load_test_targets.load_test_targets([PLAN], ENDPOINTS, GATEWAY, wanted=["b"])
