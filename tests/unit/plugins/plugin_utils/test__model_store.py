# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import tarfile
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_store as store


@pytest.fixture
def sources(tmp_path: pathlib.Path) -> pathlib.Path:
    """A good directory, one without config.json, a tarball and a text file."""
    for name in ("good", "bare"):
        (tmp_path / name).mkdir()
    (tmp_path / "good/config.json").write_text("{}", encoding="utf-8")
    with tarfile.open(tmp_path / "good.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "good")
    (tmp_path / "text").write_text("text", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ({"name": "a", "source": "good"}, ""),
        ({"name": "a", "source": "good.tar.gz"}, ""),
        ({"name": "a", "directory": "/shared/a"}, ""),
        ({"name": "a", "source": "bare"}, "has no config.json"),
        ({"name": "a", "source": "none"}, "does not exist on the controller"),
        ({"name": "a", "source": "text"}, "neither a directory nor a tarball"),
        ({"name": "../a", "source": "good"}, "the name becomes a directory"),
        ({"name": "a", "directory": "shared"}, "is no absolute path"),
    ],
)
def test_mistakes(sources: pathlib.Path, model: dict[str, t.Any], says: str) -> None:
    if "source" in model:
        model = {**model, "source": str(sources / model["source"])}
    found = store.mistakes([model])
    assert len(found) == bool(says)
    assert all(one.startswith("model_store_models: ") and says in one for one in found)


def test_two_of_one_name() -> None:
    assert store.mistakes([{"name": "a"}, {"name": "a"}]) == [
        "model_store_models: a is declared twice; give each model its own name."
    ]


def test_sources(sources: pathlib.Path) -> None:
    models: list[dict[str, t.Any]] = [
        {"name": "a", "source": f"{sources}/good/"},
        {"name": "b", "source": f"{sources}/good.tar.gz"},
        {"name": "c", "source": None},
    ]
    assert store.sources(models) == [
        {"name": "a", "directory": f"{sources}/good", "archive": None, "seal": f"{sources}/.good.seal.json"},
        {
            "name": "b",
            "directory": f"{sources}/.good.tar.gz.unpacked",
            "archive": f"{sources}/good.tar.gz",
            "seal": f"{sources}/.good.tar.gz.seal.json",
        },
    ]


def test_copies() -> None:
    made = {"a": {"manifest": {"x": {"size": 1, "sha256": "s"}}}}
    assert store.copies([{"name": "a"}, {"name": "b", "directory": "/shared/b"}], "/models", "/seals", made) == [
        {"name": "a", "directory": "/models/a", "seal": "/seals/a.json", "expected": made["a"]["manifest"]},
        {"name": "b", "directory": "/shared/b", "seal": "/seals/b.json", "expected": None},
    ]


def bad(path: str, problem: str, size: int = 10) -> dict[str, t.Any]:
    return {"path": path, "problem": problem, "expected": None if problem == "extra" else {"size": size}}


MADE = {"a": {"directory": "/source/a"}}


def test_repairs() -> None:
    found: dict[str, dict[str, t.Any]] = {
        "a": {
            "directory": "/models/a",
            "bad": [bad("x", "content"), bad("deep/y", "missing"), bad("z", "extra"), bad("w", "size")],
        },
        "b": {"directory": "/models/b", "bad": []},
    }
    assert store.repairs(MADE, found, {"/": 1 << 40}) == {
        "send": [
            {"src": "/source/a/x", "dest": "/models/a/x"},
            {"src": "/source/a/deep/y", "dest": "/models/a/deep/y"},
            {"src": "/source/a/w", "dest": "/models/a/w"},
        ],
        "directories": [{"path": "/models/a"}, {"path": "/models/a/deep"}],
        "remove": ["/models/a/z"],
        "mistakes": [],
    }


@pytest.mark.parametrize(
    ("free", "fits"),
    [({"/": 1 << 40, "/var/lib": 2 << 30}, False), ({"/": 3 << 30}, True), ({"/": (3 << 30) - 1}, False), ({}, True)],
)
def test_room(free: dict[str, int], fits: bool) -> None:
    found = {"a": {"directory": "/models/a", "bad": [bad("x", "missing", 2 << 30)]}}
    assert bool(store.repairs(MADE, found, free)["mistakes"]) != fits
