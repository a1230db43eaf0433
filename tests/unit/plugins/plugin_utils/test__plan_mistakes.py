# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single looks for mistakes; the table of all of them, as a user meets them, is in test__plan.py."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _plan_mistakes
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from tests.unit.plugins.plugin_utils.wishes import fleet


@pytest.mark.parametrize(
    ("engines", "needed"),
    [([], False), (["vllm"], True), (["sglang", "vllm"], True), (["sglang"], False), (["no"], False)],
)
def test_ray_is_needed_by_some_engines(engines: list[str], needed: bool) -> None:
    assert _plan_mistakes.needs_ray([Deployment("d", "m", engine) for engine in engines]) is needed


@pytest.mark.parametrize(
    ("engine", "nodes", "first", "further"),
    [
        ("vllm", ("a", "b"), [8000], []),
        ("vllm_native", ("a",), [8000], [8000]),
        ("vllm_native", ("a", "b"), [8000, 29501, 29510], [29510]),
        ("sglang", ("a", "b"), [8000, 29501, 29510], [8000, 29510]),
    ],
)
def test_ports_of_a_deployment(engine: str, nodes: tuple[str, ...], first: list[int], further: list[int]) -> None:
    one = Deployment("d", "m", engine, nodes=nodes)
    assert [port for port, _what in _plan_mistakes.claims_of(one, True)] == first
    if len(nodes) > 1:
        assert [port for port, _what in _plan_mistakes.claims_of(one, False)] == further


def test_without_an_engine_on_ray_its_ports_are_free() -> None:
    wishes = fleet()
    members, _mistakes = _plan_mistakes.members_of(wishes)
    for engine, mistakes in (("vllm", 1), ("vllm_native", 0)):
        one = Deployment("tiny", "tiny", engine, nodes=("one",), port=6379)
        assert len(_plan_mistakes.ports(wishes, [one], members)) == mistakes
