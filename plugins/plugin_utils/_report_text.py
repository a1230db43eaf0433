# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a person reads it: a Markdown page, and text for a terminal of 100 columns.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import shlex
import textwrap
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._report import VERDICTS, Check, Report
from ansible_collections.gpufleet.inference.plugins.plugin_utils._result import Where, plain

WIDTH = 100

Paint = t.Callable[[str, str], str]


def duration(seconds: float) -> str:
    """Return ``4.2 s``, ``3 min 12 s`` or ``1 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def api_base(url: str) -> str:
    """Return the base URL of the OpenAI API, ending in ``/v1``."""
    base = url.rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def summary(report: Report) -> str:
    """Return the counts as a sentence: ``2 fail, 1 warn, 40 pass; 3 tasks changed``."""
    proved = ", ".join(f"{report.counts[one]} {one}" for one in reversed(VERDICTS) if report.counts[one])
    text = proved or "nothing was proved"
    if report.counts["failures"]:
        text += f"; {_plural(report.counts['failures'], 'task')} failed"
    return f"{text}; {_plural(report.counts['changed'], 'task')} {_changed_word(report)}"


def grouped(checks: t.Iterable[Check]) -> list[tuple[Check, list[str]]]:
    """Return the checks that say the same of several hosts as one, each with its hosts."""
    groups: dict[str, tuple[Check, list[str]]] = {}
    for check in checks:
        same = json.dumps({key: value for key, value in check.items() if key != "host"}, sort_keys=True)
        groups.setdefault(same, (check, []))[1].append(check["host"])
    return [(check, sorted(hosts)) for check, hosts in groups.values()]


def observed(check: Check) -> str:
    """Return what was seen, and what was wanted where that differs."""
    seen = plain(check.get("observed"))
    wanted = check.get("expected")
    if check["verdict"] == "pass" or wanted is None:
        return seen
    return f"{seen}, expected {plain(wanted)}"


def next_step(report: Report) -> list[str]:
    """Return what to type now, one command over one or more lines; the key stays out of the process list."""
    if report.verdict == "fail":
        return ["follow the remedies above, then run the same command again"]
    for one in report.endpoints:
        if not one.get("url"):
            continue
        lines = []
        key, certificate = one.get("api_key_path"), one.get("certificate_path")
        if key:
            # The file holds one key, or one name:key, per line.
            first = f"head -n1 {shlex.quote(str(key))} | cut -d: -f2-"
            lines.append(f"printf 'Authorization: Bearer %s' \"$({first})\" |")
        options = f"--cacert {shlex.quote(str(certificate))} " if certificate else ""
        options += "-H @- " if key else ""
        return [*lines, f"curl {options}{shlex.quote(api_base(str(one['url'])) + '/models')}"]
    return []


def _changed_word(report: Report) -> str:
    return "would change" if report.check_mode else "changed"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _group_name(check: Check) -> str:
    return " : ".join(one for one in (check["role"], check["module"]) if one)


def _by_group(checks: list[Check]) -> dict[str, list[tuple[Check, list[str]]]]:
    groups: dict[str, list[tuple[Check, list[str]]]] = {}
    for check, hosts in grouped(checks):
        groups.setdefault(_group_name(check), []).append((check, hosts))
    return groups


# -- Markdown ----------------------------------------------------------------------------------------------------------


def to_markdown(report: Report) -> str:
    """Return the report as a Markdown page."""
    mode = " (check mode, nothing was changed)" if report.check_mode else ""
    lines = [
        f"# {report.playbook}: {report.verdict}",
        "",
        f"{report.started}, {duration(report.seconds)}{mode}. {summary(report)}.",
    ]
    if report.endpoints:
        header = ("name", "url", "model", "api_key_path", "certificate_path")
        lines += [
            "",
            "## Endpoints",
            "",
            *_table(header, ([one.get(key) or "" for key in header] for one in report.endpoints)),
        ]
    if report.plan:
        lines += ["", "## Plan", "", "```", *report.plan, "```"]
    if steps := next_step(report):
        lines += ["", "Next:", "", "```", *steps, "```"]
    if report.failures:
        lines += ["", "## Failures"]
        for one in report.failures:
            place = Where(one["role"], one["stage"], one["task"])
            lines += ["", f"**{one['host']}** {_place(place)}", "", "```", *one["message"].splitlines(), "```"]
    if bad := [pair for pair in grouped(report.checks) if pair[0]["verdict"] != "pass"]:
        columns = ("verdict", "check", "observed", "remedy", "nodes")
        rows = ([one["verdict"], one["name"], observed(one), one["remedy"], ", ".join(hosts)] for one, hosts in bad)
        lines += ["", "## To look at", "", *_table(columns, rows)]
    lines += ["", "## Nodes", "", *_table(("node", "platform", "address", "result"), map(_node_row, report.nodes))]
    for node in report.nodes:
        if node["changed"]:
            lines += ["", f"### {_changed_word(report).capitalize()} on {node['name']}", ""]
            lines += [f"- {_place(Where(**one))}" for one in node["changed"]]
    if report.checks:
        wide = ("verdict", "check", "observed", "expected", "source", "nodes")
        lines += ["", "## Every check"]
        for name, pairs in _by_group(report.checks).items():
            rows = (
                [one["verdict"], one["name"], one["observed"], one["expected"], one["source"], ", ".join(hosts)]
                for one, hosts in pairs
            )
            lines += ["", f"### {name}", "", *_table(wide, rows)]
    return "\n".join(lines) + "\n"


def _node_row(node: dict[str, t.Any]) -> list[t.Any]:
    return [node["name"], node["platform"], node["address"], _recap_text(node["recap"])]


def _recap_text(recap: t.Mapping[str, int]) -> str:
    return ", ".join(f"{value} {key}" for key, value in recap.items() if value) or "nothing was run"


def _place(place: Where) -> str:
    return f"{place.heading} | {place.task}" if place.heading else place.task


def _table(header: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> list[str]:
    body = ["| " + " | ".join(_cell(one) for one in row) + " |" for row in rows]
    return ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *body]


def _cell(value: t.Any) -> str:
    text = "" if value is None else plain(value)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


# -- terminal ----------------------------------------------------------------------------------------------------------


def to_terminal(report: Report, places: t.Sequence[str] = (), paint: Paint = lambda text, verdict: text) -> str:
    """Return the report for a terminal of 100 columns. ``places``: where the full reports lie.

    ``paint(text, verdict)`` may colour a text; it is called after the text was laid out.
    """
    mode = "; check mode: nothing was changed" if report.check_mode else ""
    lines = [
        paint(f"REPORT {report.playbook}: {report.verdict}", report.verdict),
        *_wrap(f"{summary(report)}; {duration(report.seconds)}{mode}", "  "),
        "",
        "nodes",
        *_columns(
            [[node["name"], node["platform"], node["address"], _recap_text(node["recap"])] for node in report.nodes]
        ),
    ]
    if report.failures:
        lines += ["", paint("failures", "fail"), *_failure_lines(report.failures)]
    if report.checks:
        lines += ["", "checks"]
        for name, pairs in _by_group(report.checks).items():
            lines += [f"  {name}", *check_lines(pairs, paint, "    ")]
    if report.endpoints:
        lines += ["", "endpoints"]
        for one in report.endpoints:
            title = " ".join(plain(one[key]) for key in ("name", "url", "model") if one.get(key))
            lines.append(f"  {title}")
            lines += [
                f"    {label:<12} {plain(one[key])}"
                for label, key in (("API key", "api_key_path"), ("certificate", "certificate_path"))
                if one.get(key)
            ]
    if places:
        lines += ["", f"reports  {', '.join(places)}"]
    if steps := next_step(report):
        lines += ["", f"next:  {steps[0]}", *(f"       {step}" for step in steps[1:])]
    return "\n".join(lines) + "\n"


def check_lines(
    pairs: t.Sequence[tuple[Check, list[str]]], paint: Paint = lambda text, verdict: text, indent: str = ""
) -> list[str]:
    """Return checks as aligned lines; what did not pass is followed by what was seen and by its remedy."""
    verdicts = max((len(check["verdict"]) for check, _hosts in pairs), default=0)
    names = min(max((len(check["name"]) for check, _hosts in pairs), default=0), 44)
    lines = []
    for check, hosts in pairs:
        verdict = check["verdict"]
        head = f"{indent}{verdict:<{verdicts}}  "
        nodes = ", ".join(hosts)
        row = f"{check['name']:<{names}}  {observed(check)}"
        fits = len(head) + len(row) + (len(nodes) + 2 if nodes else 0) <= WIDTH
        tail = f"  {nodes}" if nodes else ""
        if not fits and verdict == "pass":
            row = textwrap.shorten(row, max(WIDTH - len(head) - len(tail), len(check["name"]) + 4), placeholder=" …")
            fits = True
        deeper = " " * len(head)
        if fits:
            pad = " " * max(WIDTH - len(head) - len(row) - len(tail), 0) if nodes else ""
            wrapped = [head + row + pad + tail]
        else:
            wrapped = _wrap(check["name"] + tail, head, deeper) + _wrap(observed(check), deeper)
        wrapped[0] = indent + paint(verdict, verdict) + wrapped[0][len(indent) + len(verdict) :]
        lines += wrapped
        if check.get("remedy"):
            lines += _wrap(plain(check["remedy"]), f"{deeper}→ ", f"{deeper}  ")
    return lines


def _failure_lines(failures: list[dict[str, t.Any]]) -> list[str]:
    groups: dict[tuple[str, str], list[str]] = {}
    for one in failures:
        place = _place(Where(one["role"], one["stage"], one["task"]))
        groups.setdefault((place, one["message"]), []).append(one["host"])
    lines = []
    for (place, text), hosts in groups.items():
        lines += _wrap(f"{', '.join(hosts)}  {place}", "  ")
        for line in text.splitlines():
            lines += _wrap(line, "    ")
    return lines


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    return [
        "  " + "   ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True) if width).rstrip()
        for row in rows
    ]


def _wrap(text: str, first: str, rest: str | None = None) -> list[str]:
    # Paths and commands stay whole, so that they can be copied.
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]
