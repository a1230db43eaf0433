# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

from ansible_collections.gpufleet.inference.plugins.plugin_utils._gpu_lock_text import pins


def test_own_versions_first_then_the_driver_then_no_stranger() -> None:
    text = pins("580.126.20", {"nvidia-driver-cuda": "580.126.20-1", "nvlsm": "2025.06.6-1"})
    records = [dict(re.findall(r"^(Package|Pin|Pin-Priority): (.*)$", one, re.MULTILINE)) for one in text.split("\n\n")]
    assert [(one["Pin"], one["Pin-Priority"]) for one in records] == [
        ("version 2025.06.6-1", "1001"),
        ("version 580.126.20-*", "1001"),
        ("release *", "-1"),
    ]
    assert records[0]["Package"] == "nvlsm"
    # What Debian counts by itself is taken at the lock's version where there is one, and never barred.
    assert records[1]["Package"] == f"{records[2]['Package']} nvidia-kernel-common"
