# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.filter.burn_in_run import FilterModule

burn_in_run = FilterModule().filters()["burn_in_run"]


def test_it_returns_the_run() -> None:
    run = burn_in_run(
        ["n1", "n2"], {"n1": {"measurements": [{"kind": "gemm"}]}}, tier="soak", started="2026-11-22T10:00:00+00:00"
    )
    assert run["fleet"] == {"n1": {}, "n2": {}}
    assert (run["tier"], run["measurements"]) == ("soak", [{"kind": "gemm"}])
