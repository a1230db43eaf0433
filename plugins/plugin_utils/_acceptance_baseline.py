# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This fleet's own figures, for everything that nobody has published: captured from a run, then used as thresholds.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

The rows have the form of ``_acceptance_thresholds``: one per kind, model of GPU, nodes, NICs, rate, algorithm and size.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _acceptance_kinds as kinds

SCHEMA = 1
SOURCE = "baseline of this fleet"

#: How much of its own figure a fleet must reach later.
FLOOR_SHARE = 0.9

#: Parameters that are keys of a row; the others stay under ``parameters``.
ROW_KEYS = ("gpus", "nodes", "nics", "nic_gbps", "algorithm")


class Refused(Exception):
    """No baseline is taken from this run; the text says why and what to do."""


def capture(
    document: t.Mapping[str, t.Any],
    gpu_kind: t.Callable[[str], str],
    stored: t.Mapping[str, t.Any] | None = None,
    force: bool = False,
) -> dict[str, t.Any]:
    """Return the baseline with the medians of a judged run; what it did not measure is kept from ``stored``.

    ``gpu_kind`` turns a name as NVML gives it into the kind of the catalogue. Raises Refused for a run with failures,
    unless forced, and for a run without any figure.
    """
    failed = [check for check in document["checks"] if check["verdict"] == "fail"]
    if failed and not force:
        named = ", ".join(dict.fromkeys(f"{check['node'] or 'fleet'}: {check['name']}" for check in failed[:5]))
        raise Refused(
            f"No baseline is taken from a run with {len(failed)} failed checks ({named}): it would make their figures the"
            " norm. Repair them and run the burn-in again, or set burn_in_force_baseline to true."
        )
    # What two models reach together is the norm of neither; groups name their models with ", " between.
    groups = [one for one in document["headline"] if one["kind"] in kinds.SPEEDS and ", " not in one["gpu"]]
    rows = [_row(one, document["started"], gpu_kind) for one in groups]
    if not rows:
        raise Refused("No baseline is taken: the run measured no speed. Run the burn-in without tags.")
    fresh = {_key(row) for row in rows}
    kept = [row for row in (stored or {}).get("rows", []) if _key(row) not in fresh]
    return {
        "schema": SCHEMA,
        "captured": document["started"],
        "tier": document["tier"],
        "source": SOURCE,
        "forced": bool(failed),
        "rows": sorted([*rows, *kept], key=_key),
    }


def to_json(baseline: t.Mapping[str, t.Any]) -> str:
    """Return the baseline as the text of its file."""
    return json.dumps(baseline, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def problem(baseline: t.Any) -> str:
    """Return why what was read is no baseline, or nothing."""
    if not isinstance(baseline, dict) or not isinstance(baseline.get("rows"), list):
        return "it holds no rows"
    if baseline.get("schema") != SCHEMA:
        return f"it has schema {baseline.get('schema')}, this release reads schema {SCHEMA}"
    return ""


def _row(group: t.Mapping[str, t.Any], started: str, gpu_kind: t.Callable[[str], str]) -> dict[str, t.Any]:
    said = group["parameters"]
    return {
        "kind": group["kind"],
        "gpu": gpu_kind(group["gpu"]),
        **{key: said.get(key) for key in ROW_KEYS},
        "parameters": {key: value for key, value in said.items() if key not in ROW_KEYS},
        "expected": group["median"],
        "floor_share": FLOOR_SHARE,
        "peak": None,
        "unit": group["unit"],
        "count": group["count"],
        "source": SOURCE,
        "date": started[:10],
    }


def _key(row: t.Mapping[str, t.Any]) -> str:
    return json.dumps([row["kind"], row["gpu"], *(row.get(key) for key in ROW_KEYS), row["parameters"]], sort_keys=True)
