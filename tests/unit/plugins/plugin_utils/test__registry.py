# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new engine is a new file."""

from __future__ import annotations

import pathlib
import sys

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _engines, _registry

NEW = """
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine


class Base(Engine):
    name = "base of others"


class New(Base):
    name = "brand_new"
"""


def test_engines_are_found_by_their_files() -> None:
    assert "vllm" in _registry.names()
    assert [_registry.engine(name).name for name in _registry.names()] == _registry.names()


@pytest.mark.parametrize("name", ["vlm", "", "Engine", "__init__"])
def test_an_unknown_engine(name: str) -> None:
    with pytest.raises(KeyError) as caught:
        _registry.engine(name)
    assert caught.value.args == (name,)


def test_a_new_file_is_a_new_engine(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brand_new.py").write_text(NEW)
    monkeypatch.setattr(_engines, "__path__", [str(tmp_path)])
    assert _registry.names() == ["brand_new"]
    try:
        assert type(_registry.engine("brand_new")).__name__ == "New"
    finally:
        sys.modules.pop(f"{_engines.__name__}.brand_new", None)
