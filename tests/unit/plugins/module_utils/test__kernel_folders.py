# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which folders of compiled kernels may go: tables of cases."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _kernel_folders


def folder(name: str, **ready: float) -> dict[str, t.Any]:
    return {"path": f"/c/{name}", "bytes": 1 << 30, "ready": ready or {"": 0.0}}


CASES: list[tuple[str, list[dict[str, t.Any]], set[str], int, list[str]]] = [
    ("none there", [], set(), 1, []),
    ("used", [folder("a", r1=1)], {"/c/a"}, 0, []),
    ("the newest stays", [folder("a", r1=1), folder("b", r1=2), folder("c", r1=3)], {"/c/c"}, 1, ["/c/a"]),
    ("none is kept", [folder("a", r1=1), folder("b", r1=2)], {"/c/b"}, 0, ["/c/a"]),
    ("of each deployment", [folder("a", r1=1), folder("b", v3=2), folder("c", r1=3)], set(), 1, ["/c/a"]),
    ("shared, and the newest of one of them", [folder("a", r1=1, v3=5), folder("b", r1=2)], set(), 1, []),
    ("of nobody", [folder("a"), folder("b")], set(), 1, ["/c/b"]),
    ("an old one in use does not count", [folder("a", r1=1), folder("b", r1=2)], {"/c/a"}, 1, []),
]


@pytest.mark.parametrize(("folders", "used", "keep", "gone"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_what_may_go(folders: list[dict[str, t.Any]], used: set[str], keep: int, gone: list[str]) -> None:
    assert [one["path"] for one in _kernel_folders.choose(folders, used, keep)] == gone


def test_only_our_folders_are_seen(tmp_path: pathlib.Path) -> None:
    ours = tmp_path / "0123456789ab-h200"
    (ours / "triton").mkdir(parents=True)
    (ours / "triton" / "kernel").write_bytes(b"x" * 10_000)
    mark = ours / f"{_kernel_folders.MARK}r1"
    mark.touch()
    os.utime(mark, (5, 5))
    (tmp_path / "home").mkdir()
    (tmp_path / "0123456789ab-file").touch()
    (tmp_path / "0123456789ab-link").symlink_to(tmp_path / "home")
    plain = tmp_path / "ba9876543210-no-gpu"
    plain.mkdir()
    os.utime(plain, (7, 7))
    first, second = _kernel_folders.look(str(tmp_path))
    assert (first["path"], first["ready"]) == (str(ours), {"r1": 5.0})
    assert 10_000 <= first["bytes"] < 100_000
    assert second == {"path": str(plain), "bytes": 0, "ready": {"": 7.0}}
    assert _kernel_folders.look(str(tmp_path / "none")) == []
    assert _kernel_folders.line(first).endswith("0.00 GiB, of r1")
    assert _kernel_folders.line(second).endswith("of no deployment that became ready")


def test_containers_that_have_ended_hold_nothing() -> None:
    listed = [
        {"State": state, "Mounts": [{"Source": f"/c/{state}"}, {"Type": "tmpfs"}]}
        for state in ("running", "paused", "restarting", "created", "exited", "dead")
    ]
    assert _kernel_folders.mounted([*listed, {"State": "running"}]) >= {"/c/running", "/c/paused", "/c/restarting"}
    assert not _kernel_folders.mounted(listed) & {"/c/exited", "/c/dead"}
