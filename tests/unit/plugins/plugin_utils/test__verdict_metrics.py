# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _verdict_metrics


def check(name: str, verdict: str) -> dict[str, t.Any]:
    return {"name": name, "verdict": verdict}


def test_verdicts_are_counted_and_bad_ones_named() -> None:
    text = _verdict_metrics.text({"rdma": {"checks": [check('port "a"', "fail"), check("b", "pass")]}}, 1700.9)
    lines = text.splitlines()
    assert 'gpufleet_checks{proof="rdma",verdict="fail"} 1' in lines
    assert 'gpufleet_checks{proof="rdma",verdict="pass"} 1' in lines
    assert 'gpufleet_checks{proof="rdma",verdict="not_verified"} 0' in lines
    assert 'gpufleet_check{proof="rdma",check="port \\"a\\"",verdict="fail"} 1' in lines
    assert 'gpufleet_proof_timestamp_seconds{proof="rdma"} 1700' in lines
    assert not any('check="b"' in line for line in lines)


def test_a_loop_of_proofs_is_one_proof() -> None:
    result = {"results": [{"checks": [check("a", "warn")]}, {"checks": [check("a", "warn"), check("c", "fail")]}]}
    text = _verdict_metrics.text({"gateway": result}, 1)
    assert 'gpufleet_checks{proof="gateway",verdict="warn"} 2' in text
    # The same series twice would make node-exporter refuse the whole file.
    assert text.count('check="a"') == 1


def test_what_was_not_made_is_left_out() -> None:
    assert _verdict_metrics.text({"gpu": {"skipped": True}, "rdma": {}}, 1) == "\n"


def test_each_name_is_described_once() -> None:
    proofs = {name: {"checks": [check("a", "fail")]} for name in ("x", "y")}
    text = _verdict_metrics.text(proofs, 1)
    assert text.count("# TYPE gpufleet_checks gauge") == 1
    assert text.endswith("\n")
