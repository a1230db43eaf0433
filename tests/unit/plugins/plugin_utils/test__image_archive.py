# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import pathlib
import tarfile
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _image_archive as archives

CONFIG, OTHER, DIGEST = ("a" * 64, "b" * 64, f"sha256:{'d' * 64}")
ID = f"sha256:{CONFIG}"


def save(path: pathlib.Path, members: dict[str, t.Any], mode: t.Any = "w") -> str:
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return str(path)


def manifest(config: str = f"{CONFIG}.json", tags: list[str] | None = None) -> dict[str, t.Any]:
    return {"Config": config, "RepoTags": ["lab/engine:1.0"] if tags is None else tags, "Layers": ["layer.tar"]}


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> str:
    return save(tmp_path / "engine.tar", {"layer.tar": b"x" * 2048, "manifest.json": [manifest()]})


def test_describe_the_classic_layout(archive: str) -> None:
    found = archives.describe(archive)
    size = pathlib.Path(archive).stat().st_size
    assert found == {"id": ID, "ids": [ID], "tags": ["lab/engine:1.0"], "size_bytes": size}


def test_describe_the_oci_layout(tmp_path: pathlib.Path) -> None:
    members = {
        "index.json": {"manifests": [{"digest": f"sha256:{OTHER}"}]},
        "manifest.json": [manifest(f"blobs/sha256/{CONFIG}", [])],
    }
    found = archives.describe(save(tmp_path / "oci.tar", members))
    assert (found["id"], found["ids"], found["tags"]) == (ID, [ID, f"sha256:{OTHER}"], [])


@pytest.mark.parametrize(
    ("members", "mode", "says"),
    [
        ({"manifest.json": [manifest()]}, "w:gz", "no uncompressed tar archive"),
        ({"rootfs": b""}, "w", "it has no manifest.json"),
        ({"manifest.json": b"{"}, "w", "is no image archive"),
        ({"manifest.json": [manifest(), manifest()]}, "w", "exactly one image"),
        ({"manifest.json": {}}, "w", "exactly one image"),
        ({"manifest.json": [manifest("config.json")]}, "w", "names no image configuration"),
    ],
)
def test_describe_refuses(tmp_path: pathlib.Path, members: dict[str, t.Any], mode: str, says: str) -> None:
    with pytest.raises(archives.ArchiveError, match=says):
        archives.describe(save(tmp_path / "bad.tar", members, mode))


def test_describe_refuses_no_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(archives.ArchiveError, match="does not exist on the controller"):
        archives.describe(str(tmp_path / "none.tar"))


@pytest.mark.parametrize(
    ("present", "load"),
    [
        ({}, True),
        ({"lab/engine:1.0": ID, ID: ID}, False),
        ({"lab/engine:1.0": f"sha256:{OTHER}"}, True),
        ({ID: ID}, True),  # without its name
    ],
)
def test_archives_are_loaded_when_missing(archive: str, present: dict[str, str], load: bool) -> None:
    planned = archives.plan([{"name": "lab/engine:1.0", "archive": archive}], present, {"/": 1 << 40})
    assert bool(planned["load"]) == load
    assert planned["expect"] == [{"name": "lab/engine:1.0", "ids": [ID], "reference": ""}]
    assert not planned["mistakes"] + planned["pull"]


@pytest.mark.parametrize(
    ("image", "present", "pull"),
    [
        ({"name": "a/b:1", "digest": DIGEST}, {}, f"a/b@{DIGEST}"),
        ({"name": "a/b:1", "digest": DIGEST}, {f"a/b@{DIGEST}": ID}, f"a/b@{DIGEST}"),
        ({"name": "a/b:1", "digest": DIGEST}, {f"a/b@{DIGEST}": ID, "a/b:1": "sha256:other"}, f"a/b@{DIGEST}"),
        ({"name": "a/b:1", "digest": DIGEST}, {f"a/b@{DIGEST}": ID, "a/b:1": ID}, None),
        ({"name": "host:5000/b:1", "digest": DIGEST}, {}, f"host:5000/b@{DIGEST}"),
        ({"name": "a/b:1"}, {}, "a/b:1"),
        ({"name": "a/b:1"}, {"a/b:1": ID}, None),
    ],
)
def test_pull(image: dict[str, str], present: dict[str, str], pull: str | None) -> None:
    planned = archives.plan([image], present, {})
    assert [one["reference"] for one in planned["pull"]] == ([pull] if pull else [])
    assert planned["expect"][0]["reference"] == (
        f"{image['name'].rpartition(':')[0]}@{DIGEST}" if "digest" in image else ""
    )


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ({"name": "a/b"}, "no image name with a tag"),
        ({"name": "host:5000/b"}, "no image name with a tag"),
        ({"name": "a/b:latest", "digest": DIGEST}, "changes under your feet"),
        ({"name": "a/b:1", "digest": "sha256:abc"}, "64 hex digits"),
        ({"name": "a/b:1", "archive": "/none.tar"}, "does not exist on the controller"),
    ],
)
def test_mistakes(image: dict[str, str], says: str) -> None:
    planned = archives.plan([image], {}, {})
    assert len(planned["mistakes"]) == 1
    assert says in planned["mistakes"][0]
    assert planned["mistakes"][0].startswith("container_runtime_images: ")
    assert not planned["pull"] + planned["load"] + planned["expect"]


def test_an_archive_under_another_name(archive: str) -> None:
    (mistake,) = archives.plan([{"name": "lab/engine:2.0", "archive": archive}], {}, {})["mistakes"]
    assert "holds lab/engine:1.0; write that name" in mistake


@pytest.mark.parametrize(("free", "present", "fits"), [(1 << 30, {}, False), (2 << 30, {}, True)])
def test_room(archive: str, free: int, present: dict[str, str], fits: bool) -> None:
    planned = archives.plan([{"name": "lab/engine:1.0", "archive": archive}], present, {"/": 1 << 40, "/var/lib": free})
    assert bool(planned["mistakes"]) != fits


def test_room_does_not_matter_for_what_is_there(archive: str) -> None:
    planned = archives.plan([{"name": "lab/engine:1.0", "archive": archive}], {"lab/engine:1.0": ID}, {"/": 0})
    assert not planned["mistakes"]
