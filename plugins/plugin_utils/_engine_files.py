# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the ranks on a node: spec and unit of each.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

UNITS = "/etc/systemd/system"


def files(ranks: t.Sequence[t.Mapping[str, t.Any]], directory: str) -> list[dict[str, t.Any]]:
    """Return items for ``file_set``: for each rank of a plan its spec under ``directory``, and its systemd unit."""
    found: list[dict[str, t.Any]] = []
    for rank in ranks:
        spec = f"{directory}/plans/{pathlib.PurePosixPath(rank['unit']).stem}.json"
        text = json.dumps(rank["spec"], indent=4, sort_keys=True) + "\n"
        found.append({"path": spec, "content": text, "mode": "0640"})
        found.append(
            {
                "path": f"{UNITS}/{rank['unit']}",
                "template": "gpufleet-engine.service.j2",
                "template_vars": {"__engine_rank": {"unit": rank["unit"], "rank": rank["rank"], "spec_path": spec}},
            }
        )
    return found
