# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of every engine, held by its case file: adding an engine adds ``engine_cases/<engine>.yml``."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import KINDS
from tests.unit.plugins.plugin_utils import engine_samples as samples

CASES = samples.everything()
ENGINES = _registry.names()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_command_and_the_environment_are_exact(case: samples.Case) -> None:
    engine = _registry.engine(case.engine)
    assert engine.mistakes(case.deployment, "case") == []
    assert engine.argv(case.deployment, case.place) == case.argv
    reasoned = engine.env(case.deployment, case.place)
    assert {name: value for name, (value, _why) in reasoned.items()} == case.env
    assert [name for name, (_value, why) in reasoned.items() if not why] == []


@pytest.mark.parametrize("name", ENGINES)
def test_every_option_has_a_case_and_every_boolean_two(name: str) -> None:
    given = {(key, value is False) for case in samples.of(name) for key, value in case.deployment.options.items()}
    options = _registry.engine(name).options
    wanted = {
        (key, off)
        for key, (_flag, kind) in options.items()
        for off in ((False, True) if kind in ("bool", "switch") else (False,))
    }
    assert wanted <= given, f"engine_cases/{name}.yml lacks {sorted(wanted - given)} (option, off)"


@pytest.mark.parametrize("name", ENGINES)
def test_parallel_sizes_and_extra_arguments_have_cases(name: str) -> None:
    deployments = [case.deployment for case in samples.of(name)]
    assert any(one.tensor_parallel > 1 and one.pipeline_parallel > 1 for one in deployments)
    assert any(one.tensor_parallel > 1 and one.pipeline_parallel == 1 for one in deployments)
    assert any(one.extra_args for one in deployments)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_plan_sets_cannot_be_set_again(case: samples.Case) -> None:
    engine = _registry.engine(case.engine)
    given = {flag for flag, _kind in engine.options.values()}
    free = [*engine.extra_words(case.deployment), *case.deployment.options.get("command", [])]
    given |= {"--no-" + flag[2:] for flag in given} | {word.split("=")[0] for word in free}
    words = samples.own_words(case) if engine.parser else case.argv
    said = {word.split("=")[0] for word in words if word.startswith("-")}
    assert said - given <= set(engine.planned_flags)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_readiness_asks_for_a_token_of_the_served_model(case: samples.Case) -> None:
    probes = _registry.engine(case.engine).probes(case.deployment, case.place)
    if case.place.rank:
        # A further rank has no server, or one that says 200 to everybody.
        assert probes == {"ready": [], "alive": []}
        return
    base = f"http://{case.place.listen_address}:{case.deployment.port}/"
    assert all(one["url"].startswith(base) for one in [*probes["ready"], *probes["alive"]])
    assert [one["model"] for one in probes["ready"] if one["kind"] == "completion"] == [case.deployment.served_name]
    assert probes["alive"]


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_says_what_the_plan_needs(name: str) -> None:
    engine = _registry.engine(name)
    assert engine.name == name
    order = engine.start_order(["one", "two"])
    assert order == ["one"] if engine.needs_ray else order == ["one", "two"]
    assert not set(engine.renamed_flags) & {flag for flag, _kind in engine.options.values()}
    assert not set(engine.renamed_flags) & set(engine.planned_flags)
    assert {kind for _flag, kind in engine.options.values()} <= set(KINDS)
    assert engine.meets != engine.needs_ray


@pytest.mark.parametrize("case", [case for case in CASES if case.place.nodes > 1], ids=str)
def test_ranks_that_meet_are_told_where(case: samples.Case) -> None:
    meeting = (case.place.head_address, str(case.deployment.rendezvous_port))
    assert all(any(part in word for word in case.argv) for part in meeting)
    own_server = "--headless" not in case.argv and case.engine == "vllm_native"
    assert own_server == (case.place.rank == 0 and case.engine == "vllm_native")
