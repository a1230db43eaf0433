# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Old caches are removed, shown before that, and left alone where nobody can say what is in use."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket

Run = t.Callable[..., dict[str, t.Any]]

NAMES = ("000000000000-h200", "111111111111-h200", "222222222222-h200")


@pytest.fixture
def caches(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Three folders of one deployment, the last one in use by the plan; Docker runs nothing."""
    for at, name in enumerate(NAMES):
        (tmp_path / name).mkdir()
        mark = tmp_path / name / ".ready-r1"
        mark.touch()
        os.utime(mark, (at, at))
    answers(monkeypatch, 200, [])
    return tmp_path


def answers(monkeypatch: pytest.MonkeyPatch, status: int, containers: t.Any) -> None:
    monkeypatch.setattr(_docker_socket, "get", lambda _path: (status, containers))


def asked(caches: pathlib.Path, **more: t.Any) -> dict[str, t.Any]:
    return {"directory": str(caches), "used": [f"{caches}/{NAMES[2]}/"], **more}


def test_old_caches_go_once(run_module: Run, caches: pathlib.Path) -> None:
    seen = run_module("kernel_caches", **asked(caches), check=True)
    assert seen["changed"] and sorted(os.listdir(caches)) == list(NAMES)
    assert NAMES[0] in seen["diff"]["before"] and "GiB, of r1" in seen["diff"]["before"]
    done = run_module("kernel_caches", **asked(caches))
    assert [one["path"] for one in done["removed"]] == [f"{caches}/{NAMES[0]}"]
    assert sorted(os.listdir(caches)) == list(NAMES[1:])
    again = run_module("kernel_caches", **asked(caches))
    assert not again["changed"] and len(again["kept"]) == 2


def test_what_a_container_uses_stays(run_module: Run, caches: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, 200, [{"State": "running", "Mounts": [{"Source": f"{caches}/{NAMES[0]}"}]}])
    assert not run_module("kernel_caches", **asked(caches))["changed"]


@pytest.mark.parametrize("status", [500, 0])
def test_nothing_goes_when_docker_cannot_be_asked(
    run_module: Run, caches: pathlib.Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def get(_path: str) -> tuple[int, t.Any]:
        if not status:
            raise _docker_socket.DockerUnreachableError("nobody listens")
        return status, "sick"

    monkeypatch.setattr(_docker_socket, "get", get)
    failed = run_module("kernel_caches", **asked(caches))
    assert failed["failed"] and failed["msg"].startswith("nothing was removed, as it is not known which folders")
    assert sorted(os.listdir(caches)) == list(NAMES)


def test_without_folders_nobody_is_asked(run_module: Run, tmp_path: pathlib.Path) -> None:
    assert run_module("kernel_caches", directory=str(tmp_path / "none"))["changed"] is False


def test_less_than_none_cannot_be_kept(run_module: Run, caches: pathlib.Path) -> None:
    assert run_module("kernel_caches", **asked(caches, keep=-1))["msg"] == "keep: -1 is less than none; write 0 or more"


def test_a_folder_that_cannot_be_removed_is_named(
    run_module: Run, caches: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(path: str) -> None:
        raise OSError(16, "Device or resource busy", path)

    monkeypatch.setattr(shutil, "rmtree", busy)
    assert "Device or resource busy; look at that path" in run_module("kernel_caches", **asked(caches))["msg"]
