# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All files of a role in one call: written once, shown before, and a mistake stops before anything is done."""

from __future__ import annotations

import grp
import os
import pathlib
import pwd
import stat
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _files
from ansible_collections.gpufleet.inference.plugins.modules import file_set
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _known_files

Run = t.Callable[..., dict[str, t.Any]]

OWN = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def a_role(root: pathlib.Path) -> dict[str, t.Any]:
    """Return the options of a role that wants two folders, two files and one file gone."""
    return {
        "directories": [
            {"path": f"{root}/etc", "mode": "0750", **OWN},
            {"path": f"{root}/old", "state": "absent", **OWN},
        ],
        "files": [
            {"path": f"{root}/etc/x.conf", "content": "a = 1\n", **OWN},
            {"path": f"{root}/etc/x_token", "content": "s3cr3t", "mode": "0600", "secret": True, **OWN},
            {"path": f"{root}/stale", "state": "absent", **OWN},
        ],
    }


def test_all_is_written_in_one_call_and_only_once(run_module: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "stale").write_text("x")
    (tmp_path / "old/deep").mkdir(parents=True)
    first = run_module("file_set", **a_role(tmp_path))
    assert not first["failed"] and first["changed"]
    assert first["reasons"] == {
        f"{tmp_path}/etc": "is missing",
        f"{tmp_path}/old": "is to be removed",
        f"{tmp_path}/etc/x.conf": "is missing",
        f"{tmp_path}/etc/x_token": "is missing",
        f"{tmp_path}/stale": "is to be removed",
    }
    assert first["changed_paths"] == sorted(first["reasons"])
    assert stat.S_IMODE((tmp_path / "etc").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "etc/x_token").stat().st_mode) == 0o600
    assert (tmp_path / "etc/x.conf").read_text() == "a = 1\n"
    assert sorted(os.listdir(tmp_path)) == ["etc"]
    second = run_module("file_set", **a_role(tmp_path))
    assert not second["changed"]
    assert (second["changed_paths"], second["reasons"], second["diff"]) == ([], {}, [])


def test_check_mode_says_the_same_and_does_nothing(run_module: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "stale").write_text("x")
    said = run_module("file_set", check=True, diff=True, **a_role(tmp_path))
    assert os.listdir(tmp_path) == ["stale"]
    done = run_module("file_set", **a_role(tmp_path))
    assert said["changed"] and said["changed_paths"] == done["changed_paths"]
    assert said["diff"] == done["diff"]


def test_the_diff_shows_every_change_and_no_secret(run_module: Run, tmp_path: pathlib.Path) -> None:
    result = run_module("file_set", diff=True, **a_role(tmp_path))
    headers = {one["after_header"] for one in result["diff"]}
    assert headers == {f"{tmp_path}/etc", f"{tmp_path}/etc/x.conf", f"{tmp_path}/etc/x_token"}
    assert "s3cr3t" not in str(result)


def test_where_a_foreign_file_is_kept_is_told(
    run_module: Run, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_set, "apply", lambda wish, seen: _files.apply(wish, seen, kept_under=f"{tmp_path}/"))
    (tmp_path / "x").write_text("written by a person")
    wanted = {"files": [{"path": f"{tmp_path}/x", "content": "ours", **OWN}]}
    assert run_module("file_set", check=True, **wanted)["kept_paths"] == []
    assert run_module("file_set", **wanted)["kept_paths"] == [f"{tmp_path}/x.before-gpufleet"]
    assert run_module("file_set", **wanted)["kept_paths"] == []


MISTAKES: list[tuple[dict[str, t.Any], list[str]]] = [
    ({"files": [{"path": "x", "content": ""}]}, ["x: the path must be absolute"]),
    ({"files": [{"path": "/x"}]}, ["/x: content is needed"]),
    ({"files": [{"path": "/x", "content": "", "mode": "u=rw"}]}, ["/x: mode 'u=rw' is not an octal string"]),
    ({"directories": [{"path": "/x", "mode": "0799"}]}, ["/x: mode '0799' is not an octal string"]),
    (
        {"directories": [{"path": "a"}], "files": [{"path": "b", "mode": "rw"}]},
        ["a: the path must be", "b: the path must be", "b: content is needed", "b: mode 'rw' is not"],
    ),
]


@pytest.mark.parametrize(("options", "expected"), MISTAKES)
def test_all_mistakes_come_at_once_and_nothing_is_done(
    run_module: Run,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, t.Any],
    expected: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    good = {"path": f"{tmp_path}/good", "content": "x", **OWN}
    result = run_module("file_set", **{**options, "files": [good, *options.get("files", [])]})
    assert result["failed"]
    assert all(one in result["msg"] for one in expected), result["msg"]
    assert result["msg"].endswith("Done until then: nothing.")
    assert os.listdir(tmp_path) == []


def test_a_file_without_content_may_be_absent(run_module: Run, tmp_path: pathlib.Path) -> None:
    result = run_module("file_set", files=[{"path": f"{tmp_path}/none", "state": "absent"}])
    assert not result["failed"] and not result["changed"]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"path": "{root}/folder", "content": "x", **OWN}, "folder"),
        ({"path": "{root}/b", "content": "x", **OWN, "owner": "no-such-user"}, "no-such-user"),
        ({"path": "{root}/a/b", "content": "x", **OWN}, "Not a directory"),
    ],
    ids=["a folder in the way", "unknown owner", "a file in the way"],
)
def test_what_was_done_before_a_failure_is_told(
    run_module: Run, tmp_path: pathlib.Path, second: dict[str, str], why: str
) -> None:
    (tmp_path / "folder").mkdir()
    first = {"path": f"{tmp_path}/a", "content": "x", **OWN}
    result = run_module("file_set", files=[first, {**second, "path": second["path"].format(root=tmp_path)}])
    assert result["failed"]
    assert why in result["msg"]
    assert result["msg"].endswith(f"Done until then: {tmp_path}/a.")
    assert sorted(os.listdir(tmp_path)) == ["a", "folder"]


def test_paths_are_registered_for_node_facts_but_no_secret(run_module: Run, tmp_path: pathlib.Path) -> None:
    run_module("file_set", check=True, **a_role(tmp_path))
    assert _files.states() == {}, "check mode must not write the registry"
    run_module("file_set", **a_role(tmp_path))
    seen = _files.states()
    assert sorted(seen) == sorted(f"{tmp_path}/{name}" for name in ("etc", "etc/x.conf", "old", "stale"))
    assert seen[f"{tmp_path}/stale"] == {"kind": "absent"}
    assert seen[f"{tmp_path}/etc"] == {"kind": "directory", "mode": "0750", **OWN}
    wanted = _known_files.state("file", a_role(tmp_path)["files"][0])
    assert seen[f"{tmp_path}/etc/x.conf"] == wanted, "module and controller tell the state of a file alike"
    secret = dict(a_role(tmp_path)["files"][0], secret=True)
    run_module("file_set", files=[secret])
    assert f"{tmp_path}/etc/x.conf" not in _files.states(), "what became a secret is forgotten"


def test_what_somebody_writes_where_ours_was_is_not_ours(run_module: Run, tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "nccl.conf")
    run_module("file_set", files=[{"path": path, "content": "ours", "shared": True, **OWN}])
    assert _files.states()[path]["kind"] == "file"
    run_module("file_set", files=[{"path": path, "state": "absent", "shared": True}])
    pathlib.Path(path).write_text("theirs")
    assert path not in _files.states()


@pytest.mark.parametrize("text", ["{", "{}", "[1]", ""])
def test_a_broken_registry_is_an_empty_one(run_module: Run, tmp_path: pathlib.Path, text: str) -> None:
    pathlib.Path(_files.REGISTRY).write_text(text)
    assert _files.states() == {}
    assert not run_module("file_set", **a_role(tmp_path))["failed"]
    assert f"{tmp_path}/etc" in _files.states()
