# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Words against a small table of flags: every way to be wrong, and flags of older releases."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import (
    Renamed,
    Table,
    is_flag,
    problems,
    spelled,
    table,
    today,
    value_problem,
)

DUMP = {
    "engine": "vllm",
    "release": "1.0.0",
    "options": [
        {"flags": ["--seed", "-s"], "nargs": None, "type": "int", "choices": None},
        {"flags": ["--share"], "nargs": None, "type": "float", "choices": None},
        {"flags": ["--eager"], "hidden": ["--no-eager"], "nargs": 0, "type": None, "choices": None},
        {"flags": ["--dtype"], "nargs": None, "type": "str", "choices": ["auto", "half"]},
        {"flags": ["--parser"], "nargs": None, "type": "str", "choices": None},
        {"flags": ["--sizes"], "nargs": "+", "type": "int", "choices": None},
        {"flags": ["--names"], "nargs": "*", "type": "str", "choices": None},
        {"flags": ["--level"], "nargs": "?", "type": "str", "choices": None},
        {"flags": ["--pair"], "nargs": 2, "type": "str", "choices": None},
        {"flags": ["--config"], "nargs": None, "type": "parse_dataclass", "choices": None},
        {"flags": ["--optimization-level"], "nargs": None, "type": "str", "choices": None},
    ],
    "registries": {"--parser": ["r1", "v3"]},
}
VLLM = table(DUMP)
OTHER = Table("sglang", "2.0.0", VLLM.options)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--seed", "1"],
        ["--seed=1", "-s", "-1", "--share", "1e-3", "--share=-0.5"],
        ["--eager", "--no-eager", "--dtype", "half", "--parser", "r1"],
        ["--sizes", "1", "2", "3", "--names", "--names", "a", "b", "--level", "--level", "x", "--pair", "a", "b"],
        ["--config", '{"a": 1}', "--config.key.inner", "1", "--config.list+", "x", "-O3", "-O.2"],
        ["--optimization_level", "2"],
        # A text with a space is no flag, even when it begins with a dash.
        ["--names", "- a b"],
    ],
)
def test_words_that_are_taken(words: list[str]) -> None:
    assert problems(words, VLLM) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--sead", "1"], "--sead does not exist in vllm 1.0.0; is it --seed?"),
        (["--zzz"], "--zzz does not exist in vllm 1.0.0"),
        (["-z"], "-z does not exist in vllm 1.0.0"),
        (["--s", "1"], "--s is an abbreviation; write --seed or --share or --sizes"),
        (["--see=1"], "--see is an abbreviation; write --seed"),
        (["--seed"], "--seed wants a value"),
        (["--seed", "--eager"], "--seed wants a value"),
        (["--pair", "a"], "--pair wants 2 values"),
        (["--sizes"], "--sizes wants a value"),
        (["--sizes", "1", "x"], "--sizes wants a whole number, not 'x'"),
        (["--seed", "1.5"], "--seed wants a whole number, not '1.5'"),
        (["--share", "half"], "--share wants a number, not 'half'"),
        (["--eager=1"], "--eager takes no value"),
        (["--eager", "1"], "'1' belongs to no flag"),
        (["--seed", "1", "2"], "'2' belongs to no flag"),
        (["--dtype=bf16"], "--dtype has no 'bf16'; it takes auto, half"),
        (["--parser", "r2"], "--parser has no 'r2'; it takes r1, v3"),
        (["--config", "3"], "--config wants a JSON object, not '3'"),
        (["--config", "{"], "--config wants a JSON object, not '{'"),
        (["--other.key", "1"], "--other.key does not exist in vllm 1.0.0"),
    ],
)
def test_words_that_are_refused(words: list[str], problem: str) -> None:
    assert problems(words, VLLM) == [problem]


def test_underscores_are_dashes_in_vllm_only() -> None:
    words = ["--optimization_level", "2"]
    assert problems(words, VLLM) == []
    [problem] = problems(words, OTHER)
    assert problem.startswith("--optimization_level does not exist in sglang 2.0.0")
    assert (spelled("--a_b=c_d"), spelled("--a_b=c_d", "vllm"), spelled("--a_b", "sglang")) == (
        "--a-b",
        "--a-b",
        "--a_b",
    )


def test_all_problems_come_at_once() -> None:
    assert len(problems(["--zzz", "1", "--seed", "x", "stray", "--dtype"], VLLM)) == 4


@pytest.mark.parametrize(
    ("word", "expected"),
    [("--a", True), ("-a", True), ("-1", False), ("-1.5e3", False), ("-", False), ("--", False), ("a", False)],
)
def test_what_a_flag_is(word: str, expected: bool) -> None:
    assert is_flag(word) == expected


def test_a_value_of_any_text_is_taken_where_nothing_is_known() -> None:
    assert value_problem("anything", VLLM.options["--names"]) == ""


RENAMED: Renamed = {
    "--gone": (),
    "--old-name": ("--new-name",),
    "--both": ("--a", "x", "--b", "y"),
    "--no-word": "write options.other",
}


@pytest.mark.parametrize(
    ("words", "written", "told"),
    [
        (["--other", "1"], ["--other", "1"], []),
        (["--gone", "--other"], ["--other"], []),
        (["--old-name", "1", "--both"], ["--new-name", "1", "--a", "x", "--b", "y"], []),
        (["--old_name=1"], ["--new-name", "1"], []),
        (["--no-word=3"], ["--no-word=3"], ["--no-word is of an older release; write options.other"]),
    ],
)
def test_flags_of_older_releases(words: list[str], written: list[str], told: list[str]) -> None:
    assert today(words, RENAMED) == (written, told)
