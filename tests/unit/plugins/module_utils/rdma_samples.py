# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What judges of one RDMA subject are given in tests: the healthy node, changed."""

from __future__ import annotations

import copy
import functools
import os
import tempfile
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge import make_node
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_judge_common import Judged, Node, Skip
from ansible_collections.gpufleet.inference.plugins.module_utils._rdma_read import read
from tests.fakes.rdma.tree import make_host

#: (name of the check, profile of shapes, {path in the readings: value}, expect, verdict or "skip")
Case = tuple[str, str, dict[str, t.Any], dict[str, t.Any], str]
_SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@functools.cache
def readings(profile: str) -> dict[str, t.Any]:
    with tempfile.TemporaryDirectory(dir=_SCRATCH) as root:
        return read(make_host(root, profile), 2)


def node(profile: str, changes: dict[str, t.Any], expect: dict[str, t.Any]) -> Node:
    """Return the node of a profile; keys of ``changes`` are paths with slashes."""
    changed = copy.deepcopy(readings(profile))
    for path, value in changes.items():
        at: t.Any = changed
        # Labels of ports have a slash of their own, written as ~ here.
        *parents, last = (part.replace("~", "/") for part in path.split("/"))
        for part in parents:
            at = at[part]
        at[last] = value
    return make_node(changed, expect)


def said(judged: Judged) -> str:
    return "skip" if isinstance(judged, Skip) else judged.verdict
