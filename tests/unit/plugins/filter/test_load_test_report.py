# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.gpufleet.inference.plugins.filter import load_test_report
from tests.unit.plugins.filter.test_acceptance_report import HOSTILE, Page
from tests.unit.plugins.plugin_utils import load_samples as samples

TEMPLATES = str(pathlib.Path(__file__).parents[4] / "roles/load_test/templates")
TWO = [samples.target("a gateway"), samples.target("a engine")]
GOOD = samples.recorded("closed_4")


def texts(wishes: dict[str, t.Any], *results: dict[str, t.Any], **history: t.Any) -> dict[str, str]:
    """Return the three texts by their ending."""
    given = {**samples.NOTHING, **history}
    found = load_test_report.load_test_report(samples.points(wishes, *results), wishes, given, TEMPLATES)
    return {one["name"].rpartition(".")[2]: one["content"] for one in found["files"]}


@pytest.fixture(scope="module", params=["healthy", "failing", "compared"])
def page(request: pytest.FixtureRequest) -> str:
    wishes = samples.wishes(targets=TWO, slo={"ttft_ms": 60}, concurrency=[1, 4], rates=[5.0])
    if request.param == "healthy":
        return texts(wishes)["html"]
    bad = [GOOD, samples.recorded("refused"), {"problem": "docker did not answer within 900 s"}]
    if request.param == "failing":
        return texts(wishes, *bad)["html"]
    before = samples.document(wishes)
    past = [{"started": before["started"], "verdict": "pass", "best": {"a gateway": 1.0}}]
    return texts({**wishes, "started": "2026-11-23T00:00:00Z"}, *bad, previous=before, history=past)["html"]


def test_the_page_is_whole_and_every_id_is_one(page: str) -> None:
    ids = [attributes["id"] for _tag, attributes in Page(page).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    linked = re.findall(r'href="#([^"]+)"', page)
    assert linked and set(linked) <= set(ids)


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    found = Page(page)
    assert not {tag for tag, _attributes in found.elements} & {"script", "link", "img", "iframe", "object"}
    named = [
        value for _tag, attributes in found.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert all(str(one).startswith("#") for one in named)
    assert "@import" not in page and "url(" not in page


def test_drawings_are_well_formed_and_described(page: str) -> None:
    found = [ET.fromstring(one) for one in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert found
    assert all(one.find("title") is not None and (one.findtext("desc") or "").strip() for one in found)


def test_all_three_kinds_of_drawings_are_there() -> None:
    html = texts(samples.wishes())["html"]
    for title in ("Output throughput, 32/12, closed loop", "Time to first token, 32/12", "Latency of requests, 32/12"):
        assert title in html


def test_names_are_text_and_never_markup() -> None:
    target = samples.target(name=HOSTILE, deployment="d", facts={"engine": HOSTILE, "image": "v", "nodes": 1})
    wishes = samples.wishes(targets=[target], host=HOSTILE)
    bad = {**samples.recorded("refused"), "errors": [{"text": HOSTILE, "count": 4}]}
    found = texts(wishes, GOOD, bad)
    assert not [tag for tag, _attributes in Page(found["html"]).elements if tag == "script"]
    assert "49" not in "".join(Page(found["html"]).texts).split()


def test_the_document_says_what_the_page_says() -> None:
    found = texts(samples.wishes())
    assert json.loads(found["json"])["verdict"] == "pass"
    assert "# Load test passed" in found["md"]


def test_nothing_of_secrets_reaches_a_report() -> None:
    wishes = samples.wishes(targets=TWO)
    assert not [suffix for suffix, text in texts(wishes).items() if "/secrets/" in text]
