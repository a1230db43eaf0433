# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import pathlib
import tarfile
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _manifest
from tests.unit.plugins.module_utils.model_samples import SHARDS, make, shard

FILES = ["assets/logo.txt", "config.json", *SHARDS, "model.safetensors.index.json"]


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    return make(tmp_path / "model")


def flip(path: pathlib.Path, at: int = 500) -> None:
    """Change one byte and put size, mtime and inode back as they were, as a disk does when bits rot."""
    stat = path.stat()
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(b"!")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_the_manifest_holds_visible_files_and_their_hashes(model: pathlib.Path) -> None:
    done = _manifest.hashed(str(model), {})
    assert list(done.manifest) == sorted(FILES)
    assert done.manifest["assets/logo.txt"] == {"size": 4, "sha256": hashlib.sha256(b"logo").hexdigest()}
    assert (done.read_files, done.pending) == (len(FILES), [])


def test_links_to_files_are_files(model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Download tools keep blobs elsewhere and link to them."""
    (model / SHARDS[0]).rename(tmp_path / "blob")
    (model / SHARDS[0]).symlink_to(tmp_path / "blob")
    assert SHARDS[0] in _manifest.hashed(str(model), {}).manifest


def test_no_directory() -> None:
    with pytest.raises(_manifest.ModelError, match="does not exist"):
        _manifest.hashed("/nowhere/model", {})


def test_a_sealed_file_is_not_read_again(model: pathlib.Path) -> None:
    first = _manifest.hashed(str(model), {})
    second = _manifest.hashed(str(model), first.seal)
    assert (second.read_files, second.manifest, second.seal) == (0, first.manifest, first.seal)


@pytest.mark.parametrize("how", ["touched", "grown", "replaced"])
def test_a_file_that_changed_is_read_again(model: pathlib.Path, how: str) -> None:
    first = _manifest.hashed(str(model), {})
    path = model / SHARDS[0]
    stat = path.stat()
    if how == "touched":
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    elif how == "grown":
        path.write_bytes(path.read_bytes() + b"x")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        copy = model / "copy"
        copy.write_bytes(path.read_bytes())
        os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        copy.rename(path)
    second = _manifest.hashed(str(model), first.seal)
    assert second.read_files == 1
    assert bool(_manifest.differences(second.manifest, first.manifest)) == (how == "grown")


def test_only_a_full_check_sees_a_byte_flipped_under_its_mtime(model: pathlib.Path) -> None:
    first = _manifest.hashed(str(model), {})
    flip(model / SHARDS[1])
    quick = _manifest.hashed(str(model), first.seal)
    assert _manifest.differences(quick.manifest, first.manifest) == []
    full = _manifest.hashed(str(model), first.seal, full_round="")
    assert full.read_files == len(FILES)
    assert [(one["path"], one["problem"]) for one in _manifest.differences(full.manifest, first.manifest)] == [
        (SHARDS[1], "content")
    ]


def test_portions_go_on_where_the_last_one_stopped(model: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_manifest, "MAX_THREADS", 1)
    seal: _manifest.Seal = {}
    portions = []
    for _portion in range(10):
        # The clock ticks a second per look: the deadline is set at 0, one file begins at 1 and ends at 2, none at 3.
        ticks = itertools.count()
        done = _manifest.hashed(str(model), seal, "round", 2.5, now=functools.partial(next, ticks))
        portions.append(done.read_files)
        seal = done.seal
        if not done.pending:
            break
    assert portions == [1] * len(FILES)
    assert done.manifest == _manifest.hashed(str(model), {}).manifest


def test_a_full_check_of_another_name_reads_all_again(model: pathlib.Path) -> None:
    seal = _manifest.hashed(str(model), {}, full_round="one").seal
    assert _manifest.hashed(str(model), seal, full_round="one").read_files == 0
    assert _manifest.hashed(str(model), seal, full_round="two").read_files == len(FILES)


A, B = {"size": 1, "sha256": "a"}, {"size": 1, "sha256": "b"}


@pytest.mark.parametrize(
    ("seen", "wanted", "found"),
    [
        ({"x": A}, {"x": A}, []),
        ({}, {"x": A}, [("x", "missing")]),
        ({"x": A}, {}, [("x", "extra")]),
        ({"x": A}, {"x": B}, [("x", "content")]),
        ({"x": A}, {"x": {"size": 2, "sha256": "b"}}, [("x", "size")]),
        ({"x": A, "z": A}, {"x": B, "y": A}, [("x", "content"), ("y", "missing"), ("z", "extra")]),
    ],
)
def test_differences(seen: t.Any, wanted: t.Any, found: list[tuple[str, str]]) -> None:
    assert [(one["path"], one["problem"]) for one in _manifest.differences(seen, wanted)] == found


def test_a_whole_model_has_no_problems(model: pathlib.Path) -> None:
    assert _manifest.structure(str(model)) == []
    assert _manifest.configuration(str(model)) == {"model_type": "deepseek_v3"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("config.json", None, "config.json is missing"),
        ("config.json", b"[1]", "config.json is missing or no JSON object"),
        (SHARDS[0], None, f"{SHARDS[0]} is missing, model.safetensors.index.json names it"),
        (SHARDS[0], shard("x", 1000)[:-1], "its header says"),
        (SHARDS[0], shard("x", 1000)[:20], "is truncated"),
        (SHARDS[0], b"abc", "is truncated"),
        (SHARDS[0], b"\x02" + bytes(7) + b"{x", "has a broken header"),
        (SHARDS[0], b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\n", "git lfs pull"),
    ],
)
def test_structure(model: pathlib.Path, name: str, content: bytes | None, says: str) -> None:
    (model / name).unlink()
    if content is not None:
        (model / name).write_bytes(content)
    (problem,) = _manifest.structure(str(model))
    assert says in problem


def test_structure_of_nothing(tmp_path: pathlib.Path) -> None:
    assert "does not exist" in _manifest.structure(str(tmp_path / "none"))[0]


def test_the_seal_is_a_cache(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "seals/model.json"
    assert _manifest.read_seal(str(path)) == {}
    _manifest.write_seal(str(path), {"x": A})
    assert _manifest.read_seal(str(path)) == {"x": A}
    path.write_text("{", encoding="utf-8")
    assert _manifest.read_seal(str(path)) == {}
    assert [one.name for one in path.parent.iterdir()] == ["model.json"]


@pytest.mark.parametrize("top", [".", "DeepSeek-V3", "deep/er"])
def test_unpack(model: pathlib.Path, tmp_path: pathlib.Path, top: str) -> None:
    archive, target = tmp_path / "model.tar.gz", tmp_path / "unpacked"
    with tarfile.open(archive, "w:gz") as opened:
        opened.add(model, arcname=top)
    assert _manifest.unpack(str(archive), str(target))
    assert _manifest.hashed(str(target), {}).manifest == _manifest.hashed(str(model), {}).manifest
    assert not _manifest.unpack(str(archive), str(target))
    os.utime(archive, (1, 1))
    (target / "stale").write_text("", encoding="utf-8")
    assert _manifest.unpack(str(archive), str(target))
    assert not (target / "stale").exists()


def test_unpack_stays_inside(model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    archive, target = tmp_path / "evil.tar", tmp_path / "here/unpacked"
    with tarfile.open(archive, "w") as opened:
        opened.add(model / "config.json", arcname="model/config.json")
        opened.add(model / "config.json", arcname="../evil.json")
        opened.add(model / "config.json", arcname="model/../../evil.json")
    assert _manifest.unpack(str(archive), str(target))
    assert not list(tmp_path.rglob("evil.json"))
    assert list(_manifest.stamps(str(target))) == ["config.json"]


def test_unpack_refuses(tmp_path: pathlib.Path) -> None:
    with pytest.raises(_manifest.ModelError, match="No such file"):
        _manifest.unpack(str(tmp_path / "none.tar"), str(tmp_path / "unpacked"))
    (tmp_path / "bad.tar").write_bytes(b"no tarball")
    with pytest.raises(_manifest.ModelError, match="no usable tarball"):
        _manifest.unpack(str(tmp_path / "bad.tar"), str(tmp_path / "unpacked"))
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    with pytest.raises(_manifest.ModelError, match=r"no config\.json"):
        _manifest.unpack(str(tmp_path / "empty.tar"), str(tmp_path / "unpacked"))
