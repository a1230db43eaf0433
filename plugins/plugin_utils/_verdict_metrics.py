# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the verdicts of a node's proofs in the text format that Prometheus reads.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

VERDICTS = ("pass", "warn", "not_verified", "fail")

HEADS = {
    "gpufleet_checks": "Number of checks of a proof with this verdict.",
    "gpufleet_check": "1 for each check that did not pass; its verdict is a label.",
    "gpufleet_proof_timestamp_seconds": "When this proof was made.",
}


def checks(result: t.Any) -> list[t.Mapping[str, t.Any]]:
    """Return the checks of a registered result: of one proof, or of a loop over several."""
    if not isinstance(result, t.Mapping):
        return []
    own = result.get("checks")
    found = list(own) if isinstance(own, (list, tuple)) else []
    for one in result.get("results", ()):
        found += checks(one)
    return found


def text(proofs: t.Mapping[str, t.Any], now: float) -> str:
    """Return the metrics of ``proofs`` ({name: registered result}) made at ``now`` (seconds since 1970).

    A proof without any check was not made: it is left out, so that nothing claims that it passed.
    """
    samples: dict[str, list[str]] = {name: [] for name in HEADS}
    for proof, result in sorted(proofs.items()):
        found = checks(result)
        if not found:
            continue
        stamp = f"gpufleet_proof_timestamp_seconds{{{_labels(proof=proof)}}} {int(now)}"
        samples["gpufleet_proof_timestamp_seconds"].append(stamp)
        for verdict in VERDICTS:
            number = sum(1 for one in found if one["verdict"] == verdict)
            samples["gpufleet_checks"].append(f"gpufleet_checks{{{_labels(proof=proof, verdict=verdict)}}} {number}")
        bad = {
            _labels(proof=proof, check=one["name"], verdict=one["verdict"]): None
            for one in found
            if one["verdict"] != "pass"
        }
        samples["gpufleet_check"] += [f"gpufleet_check{{{one}}} 1" for one in bad]
    lines = []
    for name, told in samples.items():
        lines += [f"# HELP {name} {HEADS[name]}", f"# TYPE {name} gauge", *told] if told else []
    return "\n".join(lines) + "\n"


def _labels(**labels: t.Any) -> str:
    return ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
