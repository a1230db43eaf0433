# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_page, _acceptance_text
from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def markdown(run: dict[str, object]) -> str:
    before = samples.document(samples.healthy(("gpu-a01", "gpu-a02", "gpu-a03"), "2026-11-20T00:00:00Z"))
    return _acceptance_text.to_markdown(
        _acceptance_page.page(samples.document(run, before, notes=["old_report is broken"]))
    )


def test_markdown_tells_what_the_page_tells() -> None:
    text = markdown(samples.bad())
    for line in (
        "# Acceptance failed: 4 nodes, each 8 × NVIDIA H20, 4 × 400 Gb/s",
        "**fail** GEMM bf16 8192, expected at least 128.0 TFLOP/s",
        "- gpu-a02: gpu 5: 114.0 TFLOP/s",
        "## Not verified",
        "- gpu-a04: unreachable: no route to host within 20 s",
        "## Against 2026-11-20T00:00:00Z",
        "- gpu-a02: driver 580.126.20, now 580.159.04",
        "- old\\_report is broken",
    ):
        assert line in text.splitlines(), line


def test_tables_have_as_many_cells_as_heads() -> None:
    columns = None
    for line in markdown(samples.bad()).splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        count = line.replace("\\|", "").count("|")
        assert columns in (None, count), line
        columns = count


@pytest.mark.parametrize(
    ("value", "text"),
    [("a|b", "a\\|b"), ("<b>", "&lt;b>"), ("x\ny", "x y"), (None, ""), (1, "1"), ("[a](b)", "\\[a](b)"), ("`", "\\`")],
)
def test_nothing_in_a_cell_is_markup(value: object, text: str) -> None:
    assert _acceptance_text.cell(value) == text


def test_json_is_the_document() -> None:
    document = samples.document(samples.bad())
    assert json.loads(_acceptance_text.to_json(document)) == json.loads(json.dumps(document))
