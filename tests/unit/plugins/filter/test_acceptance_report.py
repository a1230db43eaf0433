# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import html.parser
import json
import pathlib
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter import acceptance_report
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_thresholds
from tests.unit.plugins.plugin_utils import acceptance_samples as samples

TEMPLATES = str(pathlib.Path(__file__).parents[4] / "roles/burn_in/templates")
NOTHING: dict[str, t.Any] = {"previous": {}, "history": [], "baseline": {}, "notes": []}

#: Elements that have no end.
VOID = {"meta", "br", "link", "img", "hr"}

#: What a node may call itself, its card and its devices.
HOSTILE = "<script>alert(1)</script>\"'>&{{ 7 * 7 }}{% x %}</svg></style>"


class Page(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed by its own end, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def report(run: dict[str, t.Any], **history: t.Any) -> dict[str, str]:
    """Return the three texts by their ending."""
    found = acceptance_report.acceptance_report(run, {**NOTHING, **history}, TEMPLATES)
    return {one["name"].rpartition(".")[2]: one["content"] for one in found["files"]}


@pytest.fixture(scope="module", params=["healthy", "bad", "compared"])
def page(request: pytest.FixtureRequest) -> str:
    before = samples.document(samples.healthy(("gpu-a01", "gpu-a02", "gpu-a03"), "2026-11-20T00:00:00Z"))
    past = [{key: before[key] for key in ("started", "verdict", "headline")}]
    known = {"previous": before, "history": past} if request.param == "compared" else {}
    return report(samples.healthy() if request.param == "healthy" else samples.bad(), **known)["html"]


def svgs(page: str) -> list[ET.Element]:
    return [ET.fromstring(one) for one in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def test_the_page_is_whole_and_every_id_is_one(page: str) -> None:
    found = Page(page)
    ids = [attributes["id"] for _tag, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in found.elements if tag == "a"}
    assert links <= {f"#{one}" for one in ids}


def test_the_page_loads_nothing(page: str) -> None:
    found = Page(page)
    assert not {tag for tag, _attributes in found.elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
    }
    for tag, attributes in found.elements:
        assert not {"src", "srcset", "xlink:href", "style", "action"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith("#"), attributes
    assert not re.search(r"https?:|url\(|@import|//[a-z]", page)


def test_every_value_is_text(page: str) -> None:
    assert not re.search(r"\b0x[0-9a-f]{6,}|Undefined|\bNone\b|\{[{%]|Markup\(", page)


def test_every_drawing_tells_what_it_shows_without_being_seen(page: str) -> None:
    found = svgs(page)
    assert len(found) > 10
    for one in found:
        title, description = one.find("title"), one.find("desc")
        assert title is not None and title.text and description is not None and description.text
        assert one.attrib["role"] == "img"
        assert one.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
        # The place is known before it is drawn, so nothing moves.
        assert one.attrib["viewBox"] == f"0 0 {one.attrib['width']} {one.attrib['height']}"


def test_nothing_is_drawn_outside(page: str) -> None:
    for one in svgs(page):
        width, height = float(one.attrib["width"]), float(one.attrib["height"])
        for mark in one.iter():
            for axis, most in (
                ("x", width),
                ("y", height),
                ("x1", width),
                ("x2", width),
                ("cx", width),
                ("cy", height),
            ):
                assert 0 <= float(mark.attrib.get(axis, 0)) <= most, mark.attrib
            assert float(mark.attrib.get("x", 0)) + float(mark.attrib.get("width", 0)) <= width or mark is one


def test_every_bar_and_point_of_the_page_is_a_figure_of_the_run() -> None:
    run = samples.bad()
    page = report(run)["html"]
    figures = {kinds.with_unit(one["value"], one["unit"]) for one in run["measurements"] if one["value"] is not None}
    figures |= {kinds.with_unit(y, one["unit"]) for one in run["measurements"] for _x, y in one["series"]}
    drawn = []
    for one in svgs(page):
        for tip in (mark.text or "" for mark in one.iter("title") if mark.attrib.get("id") is None):
            # "gpu 0: 140 TFLOP/s, floor 133 TFLOP/s"; "gpu 0: 36 to 58 °C, median 52 °C"
            said = tip.rpartition(": ")[2].partition(",")[0].rpartition(" to ")[2]
            if said != "not measured":
                drawn.append(said)
    assert len(drawn) > 300
    assert set(drawn) <= figures


def test_names_from_nodes_are_text_never_markup() -> None:
    run = samples.bad()
    run["fleet"] = {HOSTILE if name == "gpu-a01" else name: facts for name, facts in run["fleet"].items()}
    run["fleet"][HOSTILE]["gpu"] = run["fleet"][HOSTILE]["driver"] = HOSTILE
    for one in run["measurements"]:
        one |= {end: HOSTILE for end in ("node", "peer") if one[end] == "gpu-a01"}
        if one["kind"] in ("gemm", "p2p", "nccl_transport"):
            one |= {"subject": HOSTILE, "tool": HOSTILE, "command": HOSTILE, "problem": HOSTILE}
    texts = report(run, notes=[HOSTILE])
    found = Page(texts["html"])
    assert not {tag for tag, _attributes in found.elements} & {"script", "x"}
    assert [tag for tag, _attributes in found.elements].count("style") == 1
    assert HOSTILE in "".join(found.texts)
    svgs(texts["html"])
    assert "<script" not in texts["md"] and "<script" not in texts["html"]
    assert HOSTILE in json.loads(texts["json"])["fleet"]


def test_the_files_are_named_and_agree() -> None:
    found = acceptance_report.acceptance_report(samples.bad(), NOTHING, TEMPLATES)
    assert [one["name"] for one in found["files"]] == ["acceptance.json", "acceptance.md", "acceptance.html"]
    document = json.loads(found["files"][0]["content"])
    assert document["verdict"] == found["verdict"] == found["document"]["verdict"] == "fail"
    assert found["files"][1]["content"].startswith("# Acceptance failed")
    assert "Acceptance failed" in found["files"][2]["content"]


def test_the_real_thresholds_judge() -> None:
    run = samples.healthy()
    one = run["measurements"][0]
    found = acceptance_report.acceptance_report(run, NOTHING, TEMPLATES)["document"]
    assert found["checks"][0]["expected"] == _acceptance_thresholds.judge(one, run["fleet"], {})["expected"]
    assert found["measurements"][0]["floor"] == _acceptance_thresholds.limit(one, run["fleet"], {})


def test_a_run_without_measurements_is_a_page_that_says_so() -> None:
    texts = report(samples.healthy(("n1",)) | {"measurements": []})
    Page(texts["html"])
    assert "Acceptance not verified" in texts["html"] and "no measurement came from this node" in texts["html"]


def test_a_run_in_another_form_is_an_error_with_the_reason() -> None:
    with pytest.raises(AnsibleFilterError, match="schema 7"):
        report(samples.healthy() | {"schema": 7})
