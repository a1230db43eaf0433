# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.os_tuning_plan import FilterModule
from ansible_collections.gpufleet.inference.tests.unit.plugins.plugin_utils.test__os_tuning import node, wishes

os_tuning_plan = FilterModule().filters()["os_tuning_plan"]


def test_it_returns_the_plan() -> None:
    assert os_tuning_plan(node(), wishes())["sysctl"]["net.core.somaxconn"] == "65535"


def test_it_tells_all_mistakes() -> None:
    with pytest.raises(AnsibleFilterError, match=r"os_tuning_nofile.*os_tuning_time_sync"):
        os_tuning_plan(node(), wishes(nofile=1, time_sync="x"))
