# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what comes with the collection with the real parsers: ``python -m tests.parsers [--write] [vllm] [sglang]``.

For each engine: its parser is dumped and compared with ``plugins/plugin_utils/_parsers/``, then it parses the command
lines of all engine cases. ``--write`` writes the dumps instead of comparing them. Needs minutes and some GB the first time.
"""

from __future__ import annotations

import json
import sys
import time
import typing as t

from tests import conftest
from tests.parsers import differences
from tests.parsers.environments import RECIPES, ROOT, ParsersError, Recipe, ask

FOLDER = ROOT / "plugins" / "plugin_utils" / "_parsers"


def command_lines(engine: str) -> dict[str, list[str]]:
    """Return {case: words after the program and its model} of all engines that use this parser."""
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _registry
    from tests.unit.plugins.plugin_utils import engine_samples

    skipped = 3 if engine == "vllm" else 2
    return {
        str(case): case.argv[skipped:]
        for case in engine_samples.everything()
        if _registry.engine(case.engine).parser == engine
    }


def check_dump(recipe: Recipe, write: bool) -> list[str]:
    """Return how the real parser differs from the dump that comes with the collection; with ``write`` makes it."""
    text = ask(recipe)
    real = json.loads(text)
    path = FOLDER / f"{real['engine']}_{real['release']}.json"
    if write:
        path.write_text(text, encoding="utf-8")
        return []
    if not path.is_file():
        return [f"{path.relative_to(ROOT)} is missing; run python -m tests.parsers --write {recipe.engine}"]
    return differences.of(json.loads(path.read_text(encoding="utf-8")), real)


def check_commands(recipe: Recipe) -> tuple[int, list[str]]:
    """Return (number of command lines, why the real parser refuses some)."""
    lines = command_lines(recipe.engine)
    told = json.loads(ask(recipe, "--parse", stdin=json.dumps(list(lines.values()))))
    return len(lines), [f"{name}: {why}" for name, why in zip(lines, told, strict=True) if why]


def main(arguments: t.Sequence[str]) -> int:
    conftest.pytest_configure()  # makes the collection importable
    wanted = [one for one in arguments if not one.startswith("-")] or list(RECIPES)
    failed = False
    for name in wanted:
        begun = time.monotonic()
        try:
            wrong = check_dump(RECIPES[name], "--write" in arguments)
            number, refused = check_commands(RECIPES[name])
        except ParsersError as error:
            number, wrong, refused = 0, [str(error)], []
        for line in [*wrong, *refused]:
            print(f"{name}: {line}")
        failed = failed or bool(wrong or refused)
        print(f"{name}: {number} command lines parsed, {len(refused)} refused, {len(wrong)} differences, ", end="")
        print(f"{time.monotonic() - begun:.0f} s", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
