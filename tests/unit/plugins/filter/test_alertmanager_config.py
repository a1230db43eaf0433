# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter.alertmanager_config import FilterModule

CONFIG = FilterModule().filters()["alertmanager_config"]


def test_configuration_and_secrets() -> None:
    receivers = [{"name": "ops", "webhook_url": "https://hooks.example", "webhook_credentials_path": "/c/ops"}]
    found = CONFIG(receivers, {}, "/s", 1)
    assert found["config"]["receivers"][1]["name"] == "ops"
    assert found["secrets"] == {"/s/ops.credentials": "/c/ops"}


def test_mistakes_are_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="give webhook_url or email_to"):
        CONFIG([{"name": "ops"}], {}, "/s")
