# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _load_page as load_page
from tests.unit.plugins.plugin_utils import load_samples as samples

GOOD = samples.recorded("closed_4")
TWO = [samples.target("a gateway"), samples.target("b gateway")]


def test_every_point_has_its_row_and_its_own_verdict() -> None:
    page = load_page.page(samples.document(None, GOOD, samples.recorded("refused")))
    assert [(row["load"], row["verdict"], row["answered"]) for row in page["points"]] == [
        ("1 client", "pass", "16 of 16"),
        ("4 clients", "fail", "0 of 4"),
    ]
    assert page["points"][0]["cells"][1] == "351.5" and set(page["points"][1]["cells"]) == {"–"}
    assert len(page["columns"]) == len(page["points"][0]["cells"])
    assert page["title"] == "Load test failed: deep gateway"
    assert [one["name"] for one in page["findings"]] == ["requests answered"]


def test_a_point_that_was_not_measured_is_told_as_such() -> None:
    page = load_page.page(samples.document(None, GOOD, {"problem": "hung"}))
    assert page["points"][1]["answered"] == "–" and page["points"][1]["verdict"] == "not_verified"
    assert page["unverified"][0]["seen"][0]["observed"].endswith("hung")


def test_goodput_is_shown_where_there_is_an_slo() -> None:
    page = load_page.page(samples.document(samples.wishes(slo={"ttft_ms": 60})))
    assert page["points"][0]["good"] == "94 %" and page["slo"] == "TTFT 60 ms"


def test_side_by_side() -> None:
    page = load_page.page(samples.document(samples.wishes(targets=TWO, concurrency=[4]), GOOD, samples.faster(GOOD, 2)))
    assert page["versus"]["columns"] == ["a gateway", "b gateway"]
    assert page["versus"]["rows"][0]["cells"] == ["351.5 tokens/s", "702.9 tokens/s (100.0 % more)"]
    assert load_page.page(samples.document())["versus"] == {}


def test_the_last_run_and_older_ones() -> None:
    before = samples.document()
    past = [{"started": before["started"], "verdict": "pass", "best": {"deep gateway": 300.0}}]
    wishes = samples.wishes(started="2026-11-23T00:00:00Z")
    page = load_page.page(samples.document(wishes, previous=before, history=past))
    assert page["comparison"]["rows"][0]["change"] == "unchanged"
    assert [row["cells"] for row in page["history"]["rows"]] == [["386.6"], ["300"]]


def test_many_loads_have_drawings_of_the_first_the_middle_and_the_last() -> None:
    page = load_page.page(samples.document(samples.wishes(concurrency=[1, 2, 4, 8, 16])))
    titles = [one["title"] for one in page["drawings"] if one["shape"] == "bars"]
    assert [title.split(", ")[2] for title in titles] == ["1 client", "4 clients", "16 clients"]
    assert len({one["id"] for one in page["drawings"]}) == len(page["drawings"])
