# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the disk of the guests is made from."""

from __future__ import annotations

import pathlib

import pytest

from tests.vm import image, paths, ssh


@pytest.fixture(autouse=True)
def keys(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_KEY", "HOST_KEY", "KNOWN_HOSTS"):
        monkeypatch.setattr(paths, name, tmp_path / name)
    ssh.ensure_keys()


def test_every_input_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    seen = [image.digest(["deb a"], ["b"])]
    assert image.digest(["deb a"], ["b"]) == seen[0]
    seen += [image.digest(["deb c"], ["b"]), image.digest(["deb a"], [])]
    monkeypatch.setattr(image, "PACKAGES", f"{image.PACKAGES} vim")
    seen.append(image.digest(["deb a"], ["b"]))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "grub.cfg").write_text("boot")
    monkeypatch.setattr(image, "FILES", tmp_path / "files")
    seen.append(image.digest(["deb a"], ["b"]))
    assert len(set(seen)) == len(seen)


def test_every_file_has_its_place() -> None:
    assert {path.name for path in image.FILES.iterdir()} == set(image.PLACES)
