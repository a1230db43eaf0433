# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and module_utils run on the Python of RHEL 9, although all tests here run on a newer one."""

from __future__ import annotations

import ast
import pathlib
import typing as t

import pytest

from tests.laws._repository import name, plugins

NODE_SIDE = plugins("modules") + plugins("module_utils")
#: Keyword arguments that came with Python 3.10 or later.
NEWER_KEYWORDS = {"zip": {"strict"}, "dataclass": {"slots", "kw_only"}}
TYPES = {"int", "str", "float", "bool", "dict", "list", "tuple", "set", "bytes", "None"}


def unevaluated_nodes(tree: ast.AST) -> set[ast.AST]:
    """Return all nodes inside annotations, which ``from __future__ import annotations`` leaves unevaluated."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                found |= set(ast.walk(part))
    return found


def too_new(tree: ast.AST) -> t.Iterator[str]:
    unevaluated = unevaluated_nodes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).split(".")[-1]
            for keyword in node.keywords:
                if keyword.arg in NEWER_KEYWORDS.get(called, ()):
                    yield f"line {node.lineno}: {called}({keyword.arg}=…) came after Python 3.9"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and node not in unevaluated:
            sides = {ast.unparse(side).split("[")[0] for side in (node.left, node.right)}
            yield from (f"line {node.lineno}: {one} | … is evaluated here" for one in sorted(sides & TYPES))


@pytest.mark.parametrize("path", NODE_SIDE, ids=name)
def test_syntax(path: pathlib.Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("path", NODE_SIDE, ids=name)
def test_annotations_are_not_evaluated(path: pathlib.Path) -> None:
    assert "from __future__ import annotations" in path.read_text(encoding="utf-8"), name(path)


@pytest.mark.parametrize("path", NODE_SIDE, ids=name)
def test_library(path: pathlib.Path) -> None:
    found = list(too_new(ast.parse(path.read_text(encoding="utf-8"))))
    assert not found, f"{name(path)}: {found}"
