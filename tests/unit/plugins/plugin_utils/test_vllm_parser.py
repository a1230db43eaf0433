# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the vLLM engine says is what vLLM's own parser takes: ``parsers/vllm_<release>.json`` are dumps of the real ones."""

from __future__ import annotations

import argparse
import json
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from tests.unit.plugins.plugin_utils import engine_samples as samples

VLLM = _registry.engine("vllm")

DUMPS: dict[str, dict[str, t.Any]] = {
    dump["release"]: dump
    for path in sorted((pathlib.Path(__file__).parent / "parsers").glob("vllm_*.json"))
    for dump in [json.loads(path.read_text(encoding="utf-8"))]
}

#: A value of every kind of option.
VALUES = {"int": 1, "float": 0.5, "str": "auto", "bool": True, "list": ["a"]}

TYPES: dict[str, t.Callable[[str], t.Any]] = {"int": int, "float": float}


class Refused(Exception):
    """The parser does not take these words; the text says why."""


class Parser(argparse.ArgumentParser):
    """As vLLM's: takes abbreviations, and `_` for `-` in flags."""

    def error(self, message: str) -> t.NoReturn:
        raise Refused(message)

    def takes(self, *words: str) -> str:
        """Return why the words are refused; empty when they are taken."""
        try:
            self.parse_args(["/model", *words])
        except Refused as error:
            return str(error)
        return ""


def parser_of(dump: dict[str, t.Any]) -> Parser:
    parser = Parser(prog="vllm serve", add_help=False)
    parser.add_argument("model_tag", nargs="?")
    for at, option in enumerate(dump["options"]):
        flags = [*option["flags"], *option.get("hidden", [])]
        if option["nargs"] == 0:
            parser.add_argument(*flags, dest=f"o{at}", action="store_true")
        else:
            kind = TYPES.get(option["type"], str)
            parser.add_argument(*flags, dest=f"o{at}", nargs=option["nargs"], type=kind, choices=option["choices"])
    return parser


PARSERS = {release: parser_of(dump) for release, dump in DUMPS.items()}

each_release = pytest.mark.parametrize("release", DUMPS)


def flags_of(release: str) -> set[str]:
    """Return every spelling that the release knows."""
    return {flag for option in DUMPS[release]["options"] for flag in (*option["flags"], *option.get("hidden", []))}


def words_of(flag: str, release: str) -> list[str]:
    """Return the flag, with a value where the parser wants one."""
    option = next(one for one in DUMPS[release]["options"] if flag in (*one["flags"], *one.get("hidden", [])))
    if option["nargs"] == 0:
        return [flag]
    return [flag, option["choices"][0] if option["choices"] else "1"]


def refused(*extra_args: str, **options: t.Any) -> list[str]:
    """Return what the engine says to these extra arguments."""
    return VLLM.mistakes(Deployment(name="d", model="m", options=options, extra_args=extra_args), "d")


#: A renamed flag that a later release takes again, as the opposite of another one.
BACK = {("--disable-log-requests", "0.33.0")}

ALL_OPTIONS = {key: VALUES[kind] for key, (_flag, kind) in VLLM.options.items()}


def test_the_release_of_the_image_has_a_dump() -> None:
    assert VLLM.image.rpartition(":v")[2] in DUMPS
    assert len(DUMPS) == 2


@each_release
def test_the_parser_of_the_dump_refuses(release: str) -> None:
    parser = PARSERS[release]
    assert "unrecognized" in parser.takes("--no-such-flag")
    assert "invalid choice" in parser.takes("--dtype", "bf17")
    assert "invalid int" in parser.takes("--seed", "x")
    assert "ambiguous" in parser.takes("--max")
    assert "expected one argument" in parser.takes("--seed")
    assert parser.takes("--tensor-parallel", "4") == ""


@each_release
@pytest.mark.parametrize("case", samples.of("vllm"), ids=str)
def test_every_command_of_the_cases_is_taken(case: samples.Case, release: str) -> None:
    assert case.argv[:2] == ["vllm", "serve"]
    PARSERS[release].parse_args(case.argv[2:])


@each_release
@pytest.mark.parametrize("option", VLLM.options)
def test_every_option_is_a_flag_written_out(option: str, release: str) -> None:
    flag, kind = VLLM.options[option]
    assert flag in flags_of(release)
    for value in (True, False) if kind == "bool" else (VALUES[kind],):
        words = VLLM.flags(Deployment(name="d", model="m", options={option: value}))
        assert words[0] in flags_of(release)
        assert PARSERS[release].takes(*words) == ""


@each_release
@pytest.mark.parametrize("flag", VLLM.planned_flags)
def test_every_planned_flag_exists_and_is_refused_in_extra_args(flag: str, release: str) -> None:
    assert PARSERS[release].takes(*words_of(flag, release)) == ""
    assert len(refused(*words_of(flag, release))) == 1


@each_release
@pytest.mark.parametrize("flag", VLLM.renamed_flags)
def test_every_renamed_flag_is_refused_by_vllm_and_by_the_engine(flag: str, release: str) -> None:
    came_back = (flag, release) in BACK
    assert [bool(PARSERS[release].takes(flag, "1")), bool(PARSERS[release].takes(flag))] == [True, not came_back]
    assert len(refused(flag, "1")) == len(refused(f"{flag}=1")) == 1


@each_release
@pytest.mark.parametrize("flag", [*VLLM.planned_flags, *(flag for flag, _kind in VLLM.options.values())])
def test_no_abbreviation_gets_past_the_engine(flag: str, release: str) -> None:
    """What the parser would take for a flag of the plan, the engine refuses in extra_args."""
    value = words_of(flag, release)[1:]
    shorter = [flag[:end] for end in range(3, len(flag))] if flag.startswith("--") else []
    taken = [word for word in shorter if word not in flags_of(release) and not PARSERS[release].takes(word, *value)]
    assert [word for word in taken if not refused(word, *value, **ALL_OPTIONS)] == []


@each_release
def test_some_abbreviation_would_be_taken(release: str) -> None:
    """The test above has something to find."""
    assert PARSERS[release].takes("--tensor-par=4") == ""
    assert refused("--tensor-par=4") and refused("--gpu-mem", "1", **ALL_OPTIONS)
    assert not refused("--gpu-mem", "1")


@each_release
def test_every_other_flag_may_be_given(release: str) -> None:
    own = {*VLLM.planned_flags, *(flag for flag, _kind in VLLM.options.values()), *VLLM.renamed_flags}
    others = sorted(flags_of(release) - own)
    assert len(others) > 300
    assert [flag for flag in others if refused(flag, **ALL_OPTIONS)] == []


@each_release
def test_the_dump_is_sorted_and_whole(release: str) -> None:
    options = DUMPS[release]["options"]
    assert [one["flags"] for one in options] == sorted(one["flags"] for one in options)
    flags = [flag for one in options for flag in (*one["flags"], *one.get("hidden", []))]
    assert len(flags) == len(set(flags))
