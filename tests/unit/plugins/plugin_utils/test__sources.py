# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller is to send is looked at before anything is sent."""

from __future__ import annotations

import io
import json
import pathlib
import tarfile
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sources

CONFIG = {"architectures": ["DeepseekV3ForCausalLM"]}


def archive(path: pathlib.Path, files: dict[str, bytes], mode: t.Literal["w", "w:gz"] = "w") -> pathlib.Path:
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    """A model directory with weights in a folder below."""
    folder = tmp_path / "model"
    (folder / "below").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "below/weights").write_bytes(b"x" * 1000)
    return folder


def test_a_directory(model: pathlib.Path) -> None:
    size = 1000 + len(json.dumps(CONFIG))
    assert _sources.look(str(model)) == {"kind": "directory", "config": CONFIG, "bytes": size, "problem": ""}


@pytest.mark.parametrize("name", ["config.json", "./config.json", "deepseek/config.json"])
def test_an_archive(tmp_path: pathlib.Path, name: str) -> None:
    tar = archive(tmp_path / "m.tar", {"other": b"", name: json.dumps(CONFIG).encode()})
    assert _sources.look(str(tar)) == {"kind": "archive", "config": CONFIG, "bytes": tar.stat().st_size, "problem": ""}


def test_a_compressed_archive_is_not_searched(tmp_path: pathlib.Path) -> None:
    tar = archive(tmp_path / "m.tar.gz", {"weights": b"x"}, "w:gz")
    assert _sources.look(str(tar)) == {"kind": "archive", "config": None, "bytes": tar.stat().st_size, "problem": ""}


def no_config(folder: pathlib.Path) -> pathlib.Path:
    return folder / "below"


def loose_link(folder: pathlib.Path) -> pathlib.Path:
    (folder / "weights").symlink_to("blobs/none")
    return folder


def broken_config(folder: pathlib.Path) -> pathlib.Path:
    (folder / "config.json").write_text("{")
    return folder


def binary_config(folder: pathlib.Path) -> pathlib.Path:
    (folder / "config.json").write_bytes(b"\xff\xfe")
    return folder


def no_archive(folder: pathlib.Path) -> pathlib.Path:
    return folder / "below/weights"


def archive_without(folder: pathlib.Path) -> pathlib.Path:
    return archive(folder / "m.tar", {"weights": b"x"})


def archive_with_broken(folder: pathlib.Path) -> pathlib.Path:
    return archive(folder / "m.tar", {"config.json": b"\xff"})


def archive_with_folder(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "m.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("config.json")
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
    return path


def nothing(folder: pathlib.Path) -> pathlib.Path:
    return folder / "none"


@pytest.mark.parametrize(
    ("make", "kind", "problem"),
    [
        (nothing, "missing", "does not exist on the controller; correct source"),
        (no_config, "directory", "has no config.json; point source at the folder that holds it"),
        (loose_link, "directory", "weights cannot be read: No such file or directory"),
        (broken_config, "directory", "config.json in "),
        (binary_config, "directory", "is not JSON"),
        (no_archive, "archive", "is neither a directory nor a tar archive"),
        (archive_without, "archive", "has no config.json"),
        (archive_with_folder, "archive", "has no config.json"),
        (archive_with_broken, "archive", "is not JSON"),
    ],
)
def test_what_cannot_be_served_from(
    model: pathlib.Path, make: t.Callable[[pathlib.Path], pathlib.Path], kind: str, problem: str
) -> None:
    path = make(model)
    seen = _sources.look(str(path))
    assert (seen["kind"], seen["config"]) == (kind, None)
    assert problem in seen["problem"]
    assert str(path) in seen["problem"]


def test_models_by_name(model: pathlib.Path) -> None:
    seen = _sources.models(
        [
            {"name": "a", "source": str(model), "directory": "/data/a"},
            {"name": "b", "source": "", "directory": ""},
            {"name": "c"},
        ],
        "/var/lib/models",
    )
    assert {name: (one["directory"], one["kind"]) for name, one in seen.items()} == {
        "a": ("/data/a", "directory"),
        "b": ("/var/lib/models/b", "node"),
        "c": ("/var/lib/models/c", "node"),
    }
    assert seen["a"]["config"] == CONFIG
    assert seen["c"] == {
        "directory": "/var/lib/models/c",
        "kind": "node",
        "config": None,
        "bytes": 0,
        "problem": "",
    }


def test_images_by_name(tmp_path: pathlib.Path) -> None:
    config = "ab" * 32
    good = archive(tmp_path / "good.tar", {"manifest.json": f'[{{"Config": "{config}.json"}}]'.encode()})
    (tmp_path / "bad.tar").write_text("words")
    seen = _sources.images(
        [
            {"name": "pulled", "digest": "sha256:1"},
            {"name": "good", "archive": str(good)},
            {"name": "bad", "archive": str(tmp_path / "bad.tar")},
            {"name": "none", "archive": str(tmp_path / "none.tar")},
            {"name": "folder", "archive": str(tmp_path)},
        ]
    )
    problems = {name: one["archive_problem"] for name, one in seen.items()}
    assert (problems["pulled"], problems["good"]) == ("", "")
    assert (seen["pulled"]["identity"], seen["good"]["identity"]) == ("sha256:1", f"sha256:{config}")
    assert "no uncompressed tar archive" in problems["bad"]
    assert f"{tmp_path}/none.tar does not exist on the controller" in problems["none"]
    assert "is no image archive" in problems["folder"]
    assert {seen[name]["identity"] for name in ("bad", "none", "folder")} == {""}
