# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.node_tools_plan import FilterModule
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.test__node_tools import node, wishes

node_tools_plan = FilterModule().filters()["node_tools_plan"]


def test_it_returns_the_plan() -> None:
    assert node_tools_plan(node(), wishes())["install"] is True


def test_it_tells_all_mistakes() -> None:
    with pytest.raises(AnsibleFilterError, match=r"node_tools_directory.*node_tools_nvml_version"):
        node_tools_plan(node(), wishes(directory="/tmp", nvml_version="x"))
