# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the log and the end of a rank to findings: cause, fix, and the lines that prove it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

A rank is plain data::

    {"rank": 1, "container": "gpufleet-engine-r1-rank1", "engine": "vllm",
     "log": "2026-11-22T04:10:11.123456789Z text of a line …",     # Docker's time stamps may be absent
     "status": "loading: …",                                       # what the supervisor told systemd
     "state": {"running": False, "exit_code": 1, "oom_killed": False, "error": "", "finished_at": "…"},
     "facts": {"rdma": True, "shm_free_bytes": 1, "disk_free_bytes": {"/": 1}},
     "kernel": "lines of dmesg since the container started"}

All keys but ``engine`` may be absent: a log alone can be asked too. An empty ``engine`` means any. A finding is::

    {"name": "gpu-memory-taken", "kind": "root", "cause": "…", "fix": "…", "source": "…", "evidence": [ten lines],
     "time": "2026-11-22T04:10:11.123456789Z" or "", "line": 812, "rank": 1, "container": "…", "from_address": "10.0.0.2" or ""}

Findings come best first: what names a cause before what only shows one, then the earliest. The findings of all ranks are
merged on the controller (``plugin_utils/_diagnosis_of_group.py``).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._exit_states import end_of
from ansible_collections.gpufleet.inference.plugins.module_utils._log_tracebacks import raised_in
from ansible_collections.gpufleet.inference.plugins.module_utils._signature import (
    CONSEQUENCE,
    KERNEL,
    KINDS,
    LOG,
    SYMPTOM,
    Signature,
)
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures import SIGNATURES

Finding = dict[str, t.Any]
Rank = t.Mapping[str, t.Any]

#: What an engine says when it is ready. What it complained about before that, it has got over.
#: SGLang's web server says `Application startup complete.` before it binds its port, so that does not count there.
READY_LINES = {
    "sglang": r"The server is fired up and ready to roll!",
    "ray": r"Ray runtime started\.",
}
READY_LINE = r"Application startup complete"

#: Lines of evidence: these before the line that was found, and the rest after it.
EVIDENCE_LINES = 10
EVIDENCE_BEFORE = 4
EVIDENCE_WIDTH = 300

STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+Z) ?")
#: Ray tells in the driver's log which node a line comes from.
RELAYED = re.compile(r"\(\w+(?: pid=\d+)?, ip=([\d.a-f:]+)\)")
SECRETS = (
    re.compile(r"(api_key=)'[^']*'|(api_key=)\"[^\"]*\""),
    re.compile(
        r"((?:--api-key|--admin-api-key|HF_TOKEN|RAY_AUTH_TOKEN|token)[=\s]['\"]?)(?!None\b)[A-Za-z0-9_.\-]{8,}"
    ),
    re.compile(r"(Bearer\s+)\S+"),
)


def without_secrets(text: str) -> str:
    """Return the text without API keys and tokens: SGLang prints its arguments, the key included."""
    for pattern in SECRETS:
        text = pattern.sub(lambda match: next((one for one in match.groups() if one), "") + "***", text)
    return text


def lines_of(text: str) -> list[tuple[str, str]]:
    """Return (Docker's time stamp or "", the line without it) of every line, secrets and control characters removed."""
    found = []
    for line in without_secrets(text).splitlines():
        stamp = STAMP.match(line)
        rest = line[stamp.end() :] if stamp else line
        found.append((stamp[1] if stamp else "", re.sub(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f]", "", rest).rstrip()))
    return found


def findings(rank: Rank) -> list[Finding]:
    """Return what is known of a rank that failed or hangs, best first; nothing of one that is ready or gives no sign."""
    state, status = rank.get("state") or {}, str(rank.get("status", ""))
    log = lines_of(str(rank.get("log", "")))
    ready = status.startswith("ready") and bool(state.get("running", True))
    begin = _after_ready(log, str(rank["engine"]), ready)
    found = _in_lines(rank, log, LOG, begin)
    if not ready:
        found += _in_lines(rank, lines_of(f"{status}\n{state.get('error', '')}"), LOG, 0)
        found += _in_lines(rank, lines_of(str(rank.get("kernel", ""))), KERNEL, 0)
        found += [_finding(rank, *one) for one in end_of(rank)]
    known = best_first(_once(found))
    if known and known[0]["kind"] != CONSEQUENCE:
        return known
    return best_first([*known, *_raised(rank, log, begin)]) if known else _unexplained(rank, log, begin)


def best_first(found: t.Iterable[Finding]) -> list[Finding]:
    """Sort findings of one rank: by kind, then by time where it is known, then as they stand."""
    return sorted(found, key=lambda one: (KINDS.index(one["kind"]), one["time"] or "9", one["line"]))


def _after_ready(log: t.Sequence[tuple[str, str]], engine: str, ready: bool) -> int:
    pattern = re.compile(READY_LINES.get(engine, READY_LINE))
    last = [at for at, (_, line) in enumerate(log) if pattern.search(line)][-1:]
    if last:
        return last[0] + 1
    return len(log) if ready else 0


def _in_lines(rank: Rank, lines: t.Sequence[tuple[str, str]], where: str, begin: int) -> list[Finding]:
    facts = rank.get("facts") or {}
    wanted = [
        (one, re.compile(one.pattern))
        for one in SIGNATURES
        if one.where == where
        and (not one.engines or not rank["engine"] or rank["engine"] in one.engines)
        and (not one.needs or facts.get(one.needs))
    ]
    found = []
    for at in range(begin, len(lines)):
        stamp, line = lines[at]
        named = next(((one, match) for one, compiled in wanted for match in [compiled.search(line)] if match), None)
        if named:
            first = max(begin, at - EVIDENCE_BEFORE)
            evidence = [text[:EVIDENCE_WIDTH] for _, text in lines[first : first + EVIDENCE_LINES]]
            found.append(_finding(rank, named[0], named[1].groups(), evidence, stamp, at, line))
    return found


def _finding(
    rank: Rank,
    signature: Signature,
    groups: t.Sequence[str | None],
    evidence: list[str],
    stamp: str = "",
    at: int = 1_000_000,
    line: str = "",
) -> Finding:
    relayed = RELAYED.search(line)
    return {
        "name": signature.name,
        "kind": signature.kind,
        "cause": _filled(signature.cause, groups),
        "fix": _filled(signature.fix, groups),
        "source": signature.source,
        "evidence": evidence,
        "time": stamp,
        "line": at,
        "rank": rank.get("rank", 0),
        "container": rank.get("container", ""),
        "from_address": relayed[1] if relayed else "",
    }


def _filled(sentence: str, groups: t.Sequence[str | None]) -> str:
    """Put groups of the match into ``{1}``, ``{2}``; an alternative without the group leaves the next that matched."""
    said = [one.strip() for one in groups if one]
    return re.sub(r"\{(\d)\}", lambda match: said[int(match[1]) - 1] if int(match[1]) <= len(said) else "?", sentence)


def _once(found: t.Sequence[Finding]) -> list[Finding]:
    """Keep the first finding of each name: a log repeats itself."""
    kept: dict[str, Finding] = {}
    for one in found:
        kept.setdefault(one["name"], one)
    return list(kept.values())


def _raised(rank: Rank, log: t.Sequence[tuple[str, str]], begin: int) -> list[Finding]:
    """Return a finding for the first exception that does not itself point at another one."""
    lines = [line for _, line in log[begin:]]
    pointing = [re.compile(one.pattern) for one in SIGNATURES if one.kind == CONSEQUENCE]
    raised = next((one for one in raised_in(lines) if not any(like.search(lines[one.line]) for like in pointing)), None)
    if raised is None:
        return []
    what = f"{raised.name}: {raised.message}" if raised.message else raised.name
    signature = Signature(
        "exception",
        "",
        f"{raised.place} raised {what[:EVIDENCE_WIDTH]}, which is not known here",
        "search the engine's issues for this exception and place; take back the option that leads there",
        "",
        kind=SYMPTOM,
    )
    at = begin + raised.line
    evidence = [line[:EVIDENCE_WIDTH] for _, line in log[max(begin, at + 1 - EVIDENCE_LINES) : at + 1]]
    return [_finding(rank, signature, (), evidence, log[at][0], at, log[at][1])]


def _unexplained(rank: Rank, log: t.Sequence[tuple[str, str]], begin: int) -> list[Finding]:
    """Return a finding for a rank that ended, or was given up, without a line that is known here."""
    state, status = rank.get("state") or {}, str(rank.get("status", ""))
    ended = state.get("running") is False and state.get("exit_code") not in (0, None, 143)
    if not ended and not status.startswith(("failed", "given up")):
        return []
    raised = _raised(rank, log, begin)
    if raised:
        return raised
    signature = Signature(
        "unknown",
        "",
        f"the rank ended with exit code {state.get('exit_code', '?')}, and no known line stands in its log"
        if ended
        else f"the rank failed ({status}), and no known line stands in its log",
        "read the whole log of all ranks; then add the line that told you to plugins/module_utils/_signatures_*.py",
        "",
        kind=SYMPTOM,
    )
    told = [line for _, line in log if re.search(r"(?:Error|Exception|FATAL|CRITICAL|failed)\b", line)][:3]
    last = [line for _, line in log[-(EVIDENCE_LINES - len(told)) :]]
    return [_finding(rank, signature, (), [line[:EVIDENCE_WIDTH] for line in [*told, *last]])]
