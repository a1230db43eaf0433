# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter as Ansible finds it."""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.engine_files import FilterModule


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters()["engine_files"]([], "/etc/gpufleet", {})["files"] == []
