# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One path: what stands there, why it must change, how it is shown, and that it becomes as wanted."""

from __future__ import annotations

import dataclasses
import grp
import os
import pathlib
import pwd
import stat
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _files
from ansible_collections.gpufleet.inference.plugins.module_utils._files import Seen, Wish, apply, difference, reason

OWNER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name

FILE = Wish("/etc/x.conf", "a = 1\n", 0o644, "root", "root", present=True, directory=False, secret=False)
DIRECTORY = dataclasses.replace(FILE, path="/etc/x", content=None, mode=0o755, directory=True)
GONE = dataclasses.replace(FILE, content=None, present=False)

THERE = Seen(True, "a = 1\n", 0o644, "root", "root")
FOLDER = Seen(True, None, 0o755, "root", "root", directory=True)
NOTHING = Seen(False)


def changed(one: t.Any, **values: t.Any) -> t.Any:
    return dataclasses.replace(one, **values)


@pytest.mark.parametrize(
    ("wish", "seen", "expected"),
    [
        (FILE, THERE, ""),
        (FILE, NOTHING, "is missing"),
        (FILE, changed(THERE, content="a = 2\n"), "has other content"),
        (FILE, changed(THERE, content=None), "has other content"),
        (FILE, FOLDER, "is a directory"),
        (FILE, changed(THERE, mode=0o600), "has mode 0600, wanted 0644"),
        (FILE, changed(THERE, mode=0o4644), "has mode 4644, wanted 0644"),
        (FILE, changed(THERE, owner="jo"), "belongs to jo:root, wanted root:root"),
        (FILE, changed(THERE, group="1234"), "belongs to root:1234, wanted root:root"),
        (DIRECTORY, FOLDER, ""),
        (DIRECTORY, NOTHING, "is missing"),
        (DIRECTORY, THERE, "is not a directory"),
        (DIRECTORY, changed(FOLDER, mode=0o700), "has mode 0700, wanted 0755"),
        (GONE, NOTHING, ""),
        (GONE, THERE, "is to be removed"),
        (GONE, FOLDER, "is to be removed"),
    ],
)
def test_why_a_path_must_change(wish: Wish, seen: Seen, expected: str) -> None:
    assert reason(wish, seen) == expected


@pytest.mark.parametrize(
    ("wish", "seen", "before", "after"),
    [
        (FILE, NOTHING, "", "a = 1\n"),
        (FILE, changed(THERE, content="a = 2\n"), "a = 2\n", "a = 1\n"),
        (FILE, changed(THERE, mode=0o600), "mode 0600 root:root\n", "mode 0644 root:root\n"),
        (FILE, changed(THERE, owner="jo"), "mode 0644 jo:root\n", "mode 0644 root:root\n"),
        (FILE, FOLDER, "directory 0755 root:root\n", "a = 1\n"),
        (DIRECTORY, NOTHING, "", "directory 0755 root:root\n"),
        (DIRECTORY, changed(FOLDER, mode=0o700), "directory 0700 root:root\n", "directory 0755 root:root\n"),
        (GONE, THERE, "a = 1\n", ""),
        (GONE, FOLDER, "directory 0755 root:root\n", ""),
    ],
)
def test_what_a_diff_shows(wish: Wish, seen: Seen, before: str, after: str) -> None:
    shown = difference(wish, seen)
    assert (shown["before"], shown["after"]) == (before, after)
    assert shown["before_header"] == f"{wish.path} ({reason(wish, seen)})"
    assert shown["after_header"] == wish.path


@pytest.mark.parametrize("seen", [NOTHING, changed(THERE, content="old-s3cr3t")])
def test_a_secret_is_never_shown(seen: Seen) -> None:
    shown = difference(changed(FILE, content="new-s3cr3t", secret=True), seen)
    assert "s3cr3t" not in str(shown)
    assert shown["after"] == "(secret, not shown)\n"


# --- on a real file system --------------------------------------------------------------------------------------------


def wish_for(path: pathlib.Path, **values: t.Any) -> Wish:
    return changed(FILE, path=str(path), owner=OWNER, group=GROUP, **values)


def carry_out(wish: Wish, **options: t.Any) -> str | None:
    """Apply a wish, and make sure that it is true afterwards."""
    kept = apply(wish, _files.look(wish.path), **options)
    assert reason(wish, _files.look(wish.path)) == ""
    return kept


def test_what_stands_at_a_path_is_seen(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"a\r\n\xff\n")
    file.chmod(0o640)
    seen = _files.look(str(file))
    assert (seen.exists, seen.mode, seen.owner, seen.group, seen.directory) == (True, 0o640, OWNER, GROUP, False)
    assert seen.content == "a\r\n\udcff\n"
    tmp_path.chmod(0o750)
    assert _files.look(str(tmp_path)) == Seen(True, None, 0o750, OWNER, GROUP, directory=True)
    assert _files.look(str(tmp_path / "none")) == Seen(False)


def test_links_are_followed_and_one_to_nowhere_is_there(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("words")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "loose").symlink_to("none")
    assert _files.look(str(tmp_path / "link")).content == "words"
    assert _files.look(str(tmp_path / "loose")) == Seen(True)
    carry_out(wish_for(tmp_path / "loose", present=False, content=None))
    assert not (tmp_path / "loose").is_symlink()


def test_what_is_no_regular_file_has_no_content(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    seen = _files.look(str(tmp_path / "pipe"))
    assert (seen.exists, seen.content, seen.directory) == (True, None, False)


def test_unknown_owners_are_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_number: int) -> t.NoReturn:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(grp, "getgrgid", unknown)
    seen = _files.look("/")
    assert (seen.owner, seen.group) == (str(os.stat("/").st_uid), str(os.stat("/").st_gid))


def test_a_file_is_made_with_its_folders(tmp_path: pathlib.Path) -> None:
    wish = wish_for(tmp_path / "a/b/file", content="words\r\n", mode=0o600)
    assert carry_out(wish) is None
    assert (tmp_path / "a/b/file").read_bytes() == b"words\r\n"
    assert os.listdir(tmp_path / "a/b") == ["file"]


def test_a_file_is_replaced_not_rewritten(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    reader = file.open()
    carry_out(wish_for(file, content="new"))
    assert reader.read() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_directory_is_made_and_corrected(tmp_path: pathlib.Path) -> None:
    wish = wish_for(tmp_path / "a/b", directory=True, content=None, mode=0o750)
    carry_out(wish)
    (tmp_path / "a/b").chmod(0o777)
    carry_out(wish)


def test_a_directory_is_removed_with_all_in_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    carry_out(wish_for(tmp_path / "a", present=False, content=None, directory=True))
    assert os.listdir(tmp_path) == []


def test_a_failure_leaves_the_old_file_and_no_litter(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(KeyError, match="no-such-user"):
        apply(changed(wish_for(file, content="new"), owner="no-such-user"), _files.look(str(file)))
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("old", "new", "secret", "keeps"),
    [
        ("written by a person\n", "new", False, True),
        ("# Written by gpufleet.inference.x\n", "new", False, False),
        ("new", "new", False, False),
        ("a key of a person", "new", True, False),
        (None, "new", False, False),
    ],
)
def test_a_foreign_file_is_kept(tmp_path: pathlib.Path, old: str | None, new: str, secret: bool, keeps: bool) -> None:
    file = tmp_path / "x.conf"
    if old is not None:
        file.write_text(old)
        file.chmod(0o600)
    kept = carry_out(wish_for(file, content=new, secret=secret), kept_under=f"{tmp_path}/")
    there = tmp_path / "x.conf.before-gpufleet"
    assert kept == (str(there) if keeps else None)
    assert there.exists() is keeps
    if keeps:
        assert there.read_text() == old
        assert stat.S_IMODE(there.stat().st_mode) == 0o600


def test_only_the_first_foreign_version_is_kept(tmp_path: pathlib.Path) -> None:
    file, kept = tmp_path / "x.conf", tmp_path / "x.conf.before-gpufleet"
    for version in ("first", "second"):
        file.write_text(version)
        carry_out(wish_for(file, content="ours"), kept_under=f"{tmp_path}/")
    assert kept.read_text() == "first"


def test_nothing_is_kept_outside_of_the_configuration(tmp_path: pathlib.Path) -> None:
    (tmp_path / "x").write_text("foreign")
    assert carry_out(wish_for(tmp_path / "x")) is None
    assert os.listdir(tmp_path) == ["x"]
