# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all engines share: options of every kind to flags, and what extra arguments must not say."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine, Place
from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import Renamed

PLACE = Place("one", 0, "10.0.0.1", "eth0", "10.0.0.1", "127.0.0.1", "/models/m", 1)


class Sample(Engine):
    """An engine with one option of every kind."""

    name = "sample"
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {
        "seed": ("--seed", "int"),
        "share": ("--memory-share", "float"),
        "dtype": ("--dtype", "str"),
        "eager": ("--eager", "bool"),
        "stops": ("--stops", "list"),
        "quiet": ("--quiet", "switch"),
        "extra": ("--extra", "json"),
        "level": ("SAMPLE_LEVEL", "env"),
        "config": ("--config_path", "file"),
    }
    planned_flags = ("--port", "--tensor-parallel-size", "-tp")
    renamed_flags: t.ClassVar[Renamed] = {
        "--tensor-parallel": "write tensor_parallel",
        "--old": "leave it",
        "--done": (),
        "--door": ("--port",),
    }


SAMPLE = Sample()


def deployment(*extra_args: str, **options: t.Any) -> Deployment:
    return Deployment(name="d", model="m", served_name="d", options=options, extra_args=extra_args)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"seed": 0}, ["--seed", "0"]),
        ({"share": 0.9}, ["--memory-share", "0.9"]),
        ({"dtype": "auto"}, ["--dtype", "auto"]),
        ({"eager": True}, ["--eager"]),
        ({"eager": False}, ["--no-eager"]),
        ({"stops": ["a", 1]}, ["--stops", "a", "1"]),
        ({"quiet": True}, ["--quiet"]),
        ({"quiet": False}, []),
        ({"extra": {"b": 1, "a": [2]}}, ["--extra", '{"a": [2], "b": 1}']),
        ({"level": "DEBUG"}, []),
        ({"config": {"a": 1}}, ["--config_path", "/run/gpufleet/config.json"]),
        ({"dtype": "half", "seed": 7}, ["--seed", "7", "--dtype", "half"]),
    ],
)
def test_options_become_flags(options: dict[str, t.Any], expected: list[str]) -> None:
    assert SAMPLE.flags(deployment(**options)) == expected
    assert SAMPLE.mistakes(deployment(**options), "w") == []


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("seed", [0, -1], ["1", 1.0, True, None, [1]]),
        ("share", [0.5, 1], ["0.5", True, None]),
        ("dtype", ["auto", ""], [1, None, ["auto"]]),
        ("eager", [True, False], ["true", 1, None]),
        ("stops", [[], ["a"]], ["a", None, {"a": 1}]),
        ("quiet", [True, False], ["true", 0]),
        ("extra", [{}, {"a": 1}], ["{}", [1], None]),
        ("level", ["DEBUG"], [1, None]),
        ("config", [{}, {"a": 1}], ["{}", [1], None]),
    ],
)
def test_the_kind_of_a_value(key: str, good: list[t.Any], bad: list[t.Any]) -> None:
    assert [value for value in good if SAMPLE.mistakes(deployment(**{key: value}), "w")] == []
    for value in bad:
        [mistake] = SAMPLE.mistakes(deployment(**{key: value}), "w")
        assert mistake == f"w.options.{key}: {value!r} is not of kind {SAMPLE.options[key][1]}"


def test_an_unknown_option_is_told_the_known_ones() -> None:
    [mistake] = SAMPLE.mistakes(deployment(sed=1), "w")
    assert mistake == "w.options.sed: sample has config, dtype, eager, extra, level, quiet, seed, share, stops"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["--other", "1", "--seed-of-other=2"], None),
        (["--seed", "1"], None),
        (["--", "-", "-t", "value"], None),
        (["--port", "1"], "--port is already set by the plan"),
        (["--port=1"], "--port is already set by the plan"),
        (["-tp=4"], "-tp is already set by the plan"),
        (["--tensor_parallel_size=4"], "--tensor-parallel-size is already set by the plan"),
        (["--tensor-par", "4"], "--tensor-par is an abbreviation of --tensor-parallel-size"),
        (["--tensor_par=4"], "--tensor-par is an abbreviation of --tensor-parallel-size"),
        (["--po=1"], "--po is an abbreviation of --port"),
        (["--tensor-parallel", "4"], "--tensor-parallel is of an older release; write tensor_parallel"),
        (["--old=1"], "--old is of an older release; leave it"),
        (["--done"], None),
        # What it became is what the plan sets.
        (["--door", "1"], "--port is already set by the plan"),
    ],
)
def test_extra_arguments(words: list[str], expected: str | None) -> None:
    mistakes = SAMPLE.mistakes(deployment(*words), "w")
    assert len(mistakes) == (expected is not None)
    assert all(one.startswith(f"w.extra_args: {expected}") for one in mistakes)


@pytest.mark.parametrize("word", ["--config_path", "--config-path=x", "--config-pa"])
def test_flags_with_underscores_are_the_same_with_dashes(word: str) -> None:
    assert SAMPLE.mistakes(deployment(word), "w") == []
    [mistake] = SAMPLE.mistakes(deployment(word, config={}), "w")
    assert "--config_path" in mistake


@pytest.mark.parametrize("word", ["--memory-share=1", "--memory_share", "--mem"])
def test_an_option_and_the_same_flag_do_not_go_together(word: str) -> None:
    assert SAMPLE.mistakes(deployment(word), "w") == []
    assert len(SAMPLE.mistakes(deployment(word, share=0.5), "w")) == 1


def test_all_mistakes_come_at_once() -> None:
    assert len(SAMPLE.mistakes(deployment("--port", "--old", seed="x", sed=1), "w")) == 4


def test_flags_of_older_releases_are_said_in_todays_words() -> None:
    assert SAMPLE.extra_words(deployment("--done", "--new", "--door=1")) == ["--new", "--port", "1"]


def test_options_that_are_variables() -> None:
    assert SAMPLE.option_env(deployment(level="DEBUG", seed=1)) == {"SAMPLE_LEVEL": ("DEBUG", "options.level")}
    assert SAMPLE.option_env(deployment(seed=1)) == {}


def test_options_that_are_files() -> None:
    assert SAMPLE.files(deployment(config={"b": 1, "a": "x"})) == {"config.json": '{\n    "a": "x",\n    "b": 1\n}\n'}
    assert SAMPLE.files(deployment(seed=1)) == {}


def test_the_model_is_where_it_is_on_the_node() -> None:
    assert SAMPLE.mounts(deployment(), PLACE) == ["/models/m:/models/m:ro"]


def test_an_engine_without_a_parser_has_no_table() -> None:
    assert SAMPLE.table(deployment()) is None


def test_further_ranks_are_not_asked() -> None:
    place = dataclasses.replace(PLACE, rank=1)
    assert SAMPLE.probes(deployment(), place) == {"ready": [], "alive": []}


def test_readiness_is_a_completion_and_not_only_health() -> None:
    one = Deployment(name="d", model="m", served_name="DeepSeek", port=8001)
    health = {"kind": "http", "url": "http://127.0.0.1:8001/health"}
    completion = {"kind": "completion", "url": "http://127.0.0.1:8001/v1/completions", "model": "DeepSeek"}
    tokens = {
        **completion,
        "kind": "tokens",
        "metrics_url": "",
        "counters": [],
        "idle_seconds": 30,
        "timeout_seconds": 60,
    }
    assert SAMPLE.probes(one, PLACE) == {"ready": [health, completion], "alive": [health, tokens]}
    assert SAMPLE.drain(one, PLACE) is None


def test_what_a_child_must_say() -> None:
    assert SAMPLE.start_order(("b", "a")) == ["b", "a"]
    for method in (SAMPLE.argv, SAMPLE.env):
        with pytest.raises(NotImplementedError, match="sample"):
            method(deployment(), PLACE)
