# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine says is what its own parser takes: dumps of the real ones, of every release that is known here.

The dumps are rebuilt as argparse parsers, so that what ``_flags.py`` says of words has a second opinion. ``make parsers``
asks the real ones.
"""

from __future__ import annotations

import argparse
import json
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _parser_tables, _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine
from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import Table, problems
from tests.unit.plugins.plugin_utils import engine_samples as samples

PARSED = [name for name in _registry.names() if _registry.engine(name).parser]
BOTH = [(name, release) for name in PARSED for release in _parser_tables.releases(_registry.engine(name).parser)]

#: Whose table is a dump of the real parser, with all choices; that one is argparse, and takes abbreviations.
DUMPED = [(name, release) for name, release in BOTH if name != "tensorrt_llm"]

each = pytest.mark.parametrize(("name", "release"), BOTH)
each_dumped = pytest.mark.parametrize(("name", "release"), DUMPED)

TYPES: dict[str, t.Callable[[str], t.Any]] = {"int": int, "float": float}


class Refused(Exception):
    """The parser does not take these words; the text says why."""


class Parser(argparse.ArgumentParser):
    """As the engines': takes abbreviations."""

    def error(self, message: str) -> t.NoReturn:
        raise Refused(message)

    def refusal(self, words: t.Sequence[str]) -> str:
        """Return why the words are refused; empty when they are taken. vLLM takes ``_`` for ``-`` in flags."""
        try:
            self.parse_args(list(words))
        except Refused as error:
            return str(error)
        return ""


def parser_of(table: Table) -> Parser:
    parser = Parser(add_help=False)
    for at, (flag, option) in enumerate(table.options.items()):
        if option.nargs == 0:
            parser.add_argument(flag, dest=f"o{at}", action="store_true")
        else:
            kind = TYPES.get(option.kind, str)
            choices = [kind(one) for one in option.values] or None
            parser.add_argument(flag, dest=f"o{at}", nargs=option.nargs, type=kind, choices=choices)
    if table.engine == "vllm":
        # It turns the keys of JSON options into JSON before argparse sees them.
        parser.add_argument("--structured-outputs-config.backend")
    return parser


def table_of(name: str, release: str) -> Table:
    table = _parser_tables.load(_registry.engine(name).parser, release)
    assert table is not None
    return table


PARSERS = {(name, release): parser_of(table_of(name, release)) for name, release in BOTH}


def words_of(flag: str, table: Table) -> list[str]:
    """Return the flag, with a value where the parser wants one."""
    option = table.options[flag]
    if option.nargs == 0:
        return [flag]
    return [flag, option.values[0] if option.values else "{}" if option.kind == "parse_dataclass" else "1"]


def refused(engine: Engine, release: str, *extra_args: str, **options: t.Any) -> list[str]:
    """Return what the engine says to these options and extra arguments."""
    one = Deployment(
        "d", "m", served_name="d", tensor_parallel=8, release=release, options=options, extra_args=extra_args
    )
    return engine.mistakes(one, "d")


def everything(name: str) -> dict[str, t.Any]:
    """Return a value for each option of the engine."""
    given = {key: value for case in samples.of(name) for key, value in case.deployment.options.items() if value}
    assert set(given) == set(_registry.engine(name).options)
    return given


#: Of a release: what a later one has and this one has not, and what this one takes again.
NOT_YET: set[tuple[str, str]] = set()
BACK = {("--disable-log-requests", "0.33.0")}


@pytest.mark.parametrize("name", PARSED)
def test_the_release_of_the_image_has_a_table(name: str) -> None:
    engine = _registry.engine(name)
    release = _parser_tables.release_in("", engine.image)
    assert release == _parser_tables.releases(engine.parser)[-1]


@each_dumped
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--no-such-flag"], "--no-such-flag does not exist"),
        (["--dtype", "bf17"], "--dtype has no 'bf17'"),
        (["--host"], "--host wants a value"),
        (["--port", "x"], "--port wants a whole number, not 'x'"),
        (["--trust-remote-code=1"], "--trust-remote-code takes no value"),
        (["--trust-remote"], "--trust-remote is an abbreviation; write --trust-remote-code"),
        (["stray"], "'stray' belongs to no flag"),
    ],
)
def test_what_no_parser_takes(name: str, release: str, words: list[str], why: str) -> None:
    [problem] = problems(words, table_of(name, release))
    assert problem.startswith(why)
    abbreviated = "abbreviation" in why
    assert bool(PARSERS[name, release].refusal(words)) != abbreviated, "the parser itself takes abbreviations"


@each
def test_every_command_of_the_cases_is_taken(name: str, release: str) -> None:
    table = table_of(name, release)
    for case in samples.of(name):
        words = samples.own_words(case)
        assert problems(words, table) == [], case.name
        assert PARSERS[name, release].refusal(words) == "", case.name


@each
def test_every_planned_flag_exists_and_is_refused_in_extra_args(name: str, release: str) -> None:
    engine, table = _registry.engine(name), table_of(name, release)
    for flag in engine.planned_flags:
        assert PARSERS[name, release].refusal(words_of(flag, table)) == ""
        [mistake] = refused(engine, release, *words_of(flag, table))
        assert f"{flag} is already set by the plan" in mistake


@each
def test_every_renamed_flag_is_of_the_past_and_what_it_became_is_taken(name: str, release: str) -> None:
    engine, table = _registry.engine(name), table_of(name, release)
    for flag, new in engine.renamed_flags.items():
        if table.engine == "vllm" and (flag, release) not in BACK:
            assert PARSERS[name, release].refusal([flag]) and PARSERS[name, release].refusal([flag, "1"])
        if isinstance(new, str):
            [mistake] = refused(engine, release, flag)
            assert mistake == f"d.extra_args: {flag} is of an older release; {new}"
        elif new and not PARSERS[name, release].refusal(new):
            assert refused(engine, release, flag) == []
        elif new:
            assert refused(engine, release, flag, "1") == []
        else:
            assert refused(engine, release, flag) == []


@each_dumped
def test_no_abbreviation_gets_past_the_engine(name: str, release: str) -> None:
    """What the parser would take for another flag, the engine refuses in extra_args."""
    engine, table = _registry.engine(name), table_of(name, release)
    found = 0
    for flag in (one for one in table.options if one.startswith("--")):
        value = words_of(flag, table)[1:]
        for end in range(3, len(flag)):
            word = flag[:end]
            if word not in table.options and not PARSERS[name, release].refusal([word, *value]):
                found += 1
                assert refused(engine, release, word, *value) or word in engine.renamed_flags, word
    assert found > 100


@each
def test_an_option_and_its_flag_do_not_go_together(name: str, release: str) -> None:
    engine, table = _registry.engine(name), table_of(name, release)
    given = everything(name)
    for key, (flag, kind) in engine.options.items():
        if kind != "env":
            [mistake] = refused(engine, release, *words_of(flag, table), **{key: given[key]})
            assert f"{flag} is already set by the plan" in mistake
            assert refused(engine, release, *words_of(flag, table)) == []


@each
def test_every_other_flag_may_be_given(name: str, release: str) -> None:
    engine, table = _registry.engine(name), table_of(name, release)
    own = {*engine.planned_flags, *(flag for flag, _kind in engine.options.values())}
    spellings = [table.options[flag] for flag in own if flag in table.options]
    today = set(table.options) - set(engine.renamed_flags)
    same = {flag for flag in today if any(table.options[flag] is one for one in spellings)}
    others = sorted(today - same)
    assert len(others) > (250 if (name, release) in DUMPED else 9)
    given = everything(name)
    assert [flag for flag in others if refused(engine, release, *words_of(flag, table), **given)] == []
    # Another spelling of a flag is the same flag.
    assert [flag for flag in same if not refused(engine, release, *words_of(flag, table), **given)] == []


@each_dumped
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("quantization", "squeezellm"),
        ("reasoning_parser", "deepseekr1"),
        ("tool_call_parser", "deepseek"),
        ("kv_cache_dtype", "fp9"),
        ("load_format", "zip"),
        ("attention_backend", "xformers"),
        ("dtype", "bf16"),
    ],
)
def test_a_value_that_the_engine_does_not_have(name: str, release: str, option: str, value: str) -> None:
    [mistake] = refused(_registry.engine(name), release, **{option: value})
    flag = _registry.engine(name).options[option][0]
    assert mistake.startswith(f"d.options.{option}: {flag} has no '{value}'; it takes ")


@pytest.mark.parametrize("name", PARSED)
def test_a_release_that_is_not_known_here_is_not_held_against_its_flags(name: str) -> None:
    engine = _registry.engine(name)
    assert refused(engine, "99.0.0", "--quite-new", reasoning_parser="brand-new") == []
    [mistake] = refused(engine, "99.0.0", "--port", "1")
    assert "--port is already set by the plan" in mistake


@pytest.mark.parametrize("path", sorted(_parser_tables.FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_dump_is_sorted_and_whole(path: t.Any) -> None:
    dump = json.loads(path.read_text(encoding="utf-8"))
    assert path.stem == f"{dump['engine']}_{dump['release']}"
    options = dump["options"]
    assert [one["flags"] for one in options] == sorted(one["flags"] for one in options)
    flags = [flag for one in options for flag in (*one["flags"], *one.get("hidden", []))]
    assert len(flags) == len(set(flags))
    assert set(dump["registries"]) <= set(flags)
