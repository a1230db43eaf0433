# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _report, _report_text
from tests.unit.plugins.plugin_utils.report_samples import ENDPOINT, did, report, seen


@pytest.mark.parametrize("render", [_report.to_json, _report_text.to_markdown, _report_text.to_terminal])
def test_no_form_shows_a_secret(render: t.Callable[[_report.Report], str]) -> None:
    text = render(
        report(
            seen("fail", observed={"api_key": "hunter2", "port": 8443}),
            did("failed", msg="hunter2", _ansible_no_log=True),
            endpoints=[ENDPOINT | {"admin_token": "hunter2"}],
        )
    )
    assert "hunter2" not in text
    assert "8443" in text


def test_markdown_keeps_its_tables_whole() -> None:
    text = _report_text.to_markdown(report(seen("fail", observed="a|b\nc <d>", remedy="do | this")))
    row = next(line for line in text.splitlines() if "do \\| this" in line)
    assert row == "| fail | memlock | a\\|b c &lt;d>, expected unlimited | do \\| this | lab1 |"


def test_the_terminal_groups_nodes_and_shows_remedies() -> None:
    lines = _report_text.to_terminal(
        report(seen("warn"), seen("warn", "lab2"), seen("pass", name="swap", remedy=""))
    ).splitlines()
    row = lines.index("  os_tuning : host_health")
    assert lines[0] == "REPORT site: warn"
    assert lines[row + 1] == "    warn  memlock  64 KiB, expected unlimited".ljust(90) + "lab1, lab2"
    assert lines[row + 2] == "          → raise it"
    assert lines[row + 3] == "    pass  swap     64 KiB".ljust(96) + "lab1"


def test_a_node_that_differs_has_its_own_line() -> None:
    text = _report_text.to_terminal(report(seen("pass", remedy=""), seen("fail", "lab2")))
    assert sum("memlock" in line for line in text.splitlines()) == 2


LONG = "words and more words " * 20


@pytest.mark.parametrize("verdict", _report.VERDICTS)
def test_no_line_is_wider_than_the_terminal(verdict: str) -> None:
    made = report(
        seen(
            verdict,
            name="a check with a rather long name that goes on and on",
            observed=LONG,
            expected=LONG,
            remedy=LONG,
        ),
        did("failed", msg=LONG),
        endpoints=[ENDPOINT],
    )
    text = _report_text.to_terminal(made, ["reports/last.json", "reports/last.md"])
    assert max(map(len, text.splitlines())) <= 100
    if verdict != "pass":
        assert text.count("words and more words") >= 60  # nothing of a finding is cut


def test_paint_is_called_after_the_layout() -> None:
    made = report(seen("fail"), seen("pass", name="swap", remedy=""))
    painted = _report_text.to_terminal(made, paint=lambda text, verdict: f"<{text}>")
    assert painted.replace("<", "").replace(">", "") == _report_text.to_terminal(made)
    assert "<fail>" in painted


@pytest.mark.parametrize(
    ("outcomes", "endpoint", "expected"),
    [
        (
            [seen("pass")],
            ENDPOINT,
            [
                "printf 'Authorization: Bearer %s' \"$(head -n1 '/secrets/api key' | cut -d: -f2-)\" |",
                "curl --cacert /secrets/cert.pem -H @- https://10.77.0.11:8443/v1/models",
            ],
        ),
        ([seen("pass")], {"url": "http://10.0.0.1/v1/"}, ["curl http://10.0.0.1/v1/models"]),
        ([seen("pass")], {"name": "no url"}, []),
        ([seen("fail")], ENDPOINT, ["follow the remedies above, then run the same command again"]),
    ],
)
def test_next_step(outcomes: list[_report.Outcome], endpoint: dict[str, str], expected: list[str]) -> None:
    assert _report_text.next_step(report(*outcomes, endpoints=[endpoint])) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.24, "4.2 s"), (59.9, "59.9 s"), (60, "1 min 0 s"), (192, "3 min 12 s"), (3900, "1 h 5 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert _report_text.duration(seconds) == text


def test_check_mode_says_that_nothing_was_changed() -> None:
    made = report(did("changed"), check_mode=True)
    for text in (_report_text.to_markdown(made), _report_text.to_terminal(made)):
        assert "1 task would change" in text
        assert "nothing was changed" in text
