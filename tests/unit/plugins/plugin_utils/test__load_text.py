# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_page, _load_text
from tests.unit.plugins.plugin_utils import load_samples as samples

GOOD = samples.recorded("closed_4")


def test_all_parts_are_there() -> None:
    targets = [samples.target("a gateway"), samples.target("b|x gateway")]
    wishes = samples.wishes(targets=targets, concurrency=[4], slo={"ttft_ms": 60})
    before = samples.document(wishes, GOOD, GOOD)
    later = {**wishes, "started": "2026-11-23T00:00:00Z"}
    page = _load_page.page(
        samples.document(later, samples.recorded("refused"), samples.faster(GOOD, 0.5), previous=before)
    )
    text = _load_text.to_markdown(page)
    for wanted in (
        "# Load test failed",
        "SLO: TTFT 60 ms.",
        "## To look at",
        "## Points",
        "## Side by side",
        "## Against",
        "## History",
    ):
        assert wanted in text, wanted
    assert "- measured then and not now: a gateway: 32/12, 4 (closed loop)" in text
    assert "b\\|x gateway" in text


def test_tables_have_as_many_cells_as_heads() -> None:
    lines = _load_text.to_markdown(_load_page.page(samples.document())).splitlines()
    for place, line in enumerate(lines):
        if line.startswith("| --- |"):
            assert lines[place - 1].count("|") == line.count("|") == lines[place + 1].count("|")
