# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import pathlib
import tarfile
import typing as t

import pytest

Run = t.Callable[..., dict[str, t.Any]]

KEY = "notArealKey0123456789notArealKey"
TOKEN = "notArealToken0123456789notArealToken"


@pytest.fixture
def secrets(tmp_path: pathlib.Path) -> str:
    folder = tmp_path / ".secrets"
    folder.mkdir()
    (folder / "gateway_api_key").write_text(f"alice:{KEY}\n", encoding="utf-8")
    (folder / "ray_token").write_text(TOKEN, encoding="utf-8")
    (folder / "gateway.crt").write_text("a public certificate 0123456789\n", encoding="utf-8")
    return str(folder)


def unpacked(path: str) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {one.name: tar.extractfile(one).read().decode() for one in tar.getmembers()}  # type: ignore[union-attr]


def test_planted_secrets_are_nowhere_in_the_bundle(run_module: Run, tmp_path: pathlib.Path, secrets: str) -> None:
    basic = base64.b64encode(f"alice:{KEY}".encode()).decode()
    texts = {
        "lab1": {
            "a.log": f"argv --api-key {KEY}",
            "b.log": f"Authorization: Basic {basic}",
            "c.json": f'{{"x": "{TOKEN}"}}',
        },
        "controller": {"report.json": f"seen {TOKEN} by alice; a public certificate 0123456789"},
    }
    path = str(tmp_path / "reports/support.tar.gz")
    result = run_module("support_bundle", path=path, texts=texts, secrets_directory=secrets)
    assert not result["failed"] and result["redactions"] >= 4
    members = unpacked(path)
    assert sorted(members) == [
        "support/controller/report.json",
        "support/lab1/a.log",
        "support/lab1/b.log",
        "support/lab1/c.json",
    ]
    whole = "".join(members.values())
    assert not [word for word in (KEY, TOKEN, basic) if word in whole]
    assert "a public certificate 0123456789" in whole
    assert pathlib.Path(path).stat().st_mode & 0o777 == 0o600


def test_check_mode_writes_nothing(run_module: Run, tmp_path: pathlib.Path, secrets: str) -> None:
    path = tmp_path / "x.tar.gz"
    result = run_module(
        "support_bundle", check=True, path=str(path), texts={"a": {"b": "c"}}, secrets_directory=secrets
    )
    assert result["members"] == ["support/a/b"] and not path.exists()


def test_a_place_that_cannot_be_written_is_said(run_module: Run, tmp_path: pathlib.Path, secrets: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run_module("support_bundle", path=str(tmp_path / "file/x"), texts={}, secrets_directory=secrets)
    assert result["failed"] and "could not be written" in result["msg"]
