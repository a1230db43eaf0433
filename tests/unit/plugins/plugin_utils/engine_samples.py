# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The case files of the engines, ``engine_cases/<engine>.yml``: deployment and place in, exact argv and environment out."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import yaml

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _registry
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment, parse
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Place

FOLDER = pathlib.Path(__file__).parent / "engine_cases"


@dataclasses.dataclass(frozen=True)
class Case:
    """One case of one engine."""

    engine: str
    name: str
    deployment: Deployment
    place: Place
    argv: list[str]
    env: dict[str, str]

    def __str__(self) -> str:
        return f"{self.engine}: {self.name}"


def of(engine: str) -> list[Case]:
    """Return the cases of an engine; none when it has no file."""
    path = FOLDER / f"{engine}.yml"
    return [_case(engine, one) for one in yaml.safe_load(path.read_text(encoding="utf-8"))] if path.is_file() else []


#: Parser → the engine's program, and how many words of the command are not for its parser.
PROGRAMS = {"vllm": ("vllm", 3), "sglang": ("sglang", 2), "tensorrt_llm": ("trtllm-serve", 2)}


def own_words(case: Case) -> list[str]:
    """Return the words that the engine's own parser gets: not those of a program that starts it; none where it is not run."""
    program, skipped = PROGRAMS[_registry.engine(case.engine).parser]
    return case.argv[case.argv.index(program) + skipped :] if program in case.argv else []


def everything() -> list[Case]:
    """Return the cases of all engines."""
    return [case for engine in _registry.names() for case in of(engine)]


def _case(engine: str, one: dict[str, t.Any]) -> Case:
    deployment, mistakes = parse({**one["deployment"], "engine": engine}, one["name"])
    if deployment is None or mistakes:
        raise ValueError(f"engine_cases/{engine}.yml: {mistakes}")
    return Case(engine, one["name"], deployment, Place(**one["place"]), one["argv"], one["env"])
