# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.modules import model_manifest
from tests.unit.plugins.module_utils.model_samples import SHARDS, make

Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def model(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    make(tmp_path / "store/tiny")
    return {"name": "tiny", "directory": str(tmp_path / "store/tiny"), "seal": str(tmp_path / "seals/tiny.json")}


def manifest(run_module: Run, model: dict[str, t.Any]) -> dict[str, t.Any]:
    made: dict[str, t.Any] = run_module("model_manifest", models=[model])["facts"]["models"]["tiny"]["manifest"]
    return made


def test_a_good_copy_passes(run_module: Run, model: dict[str, t.Any]) -> None:
    expected = manifest(run_module, model)
    result = run_module("model_manifest", models=[{**model, "expected": expected}])
    assert (result["verdict"], result["changed"], result["facts"]["finished"]) == ("pass", False, True)
    found = result["facts"]["models"]["tiny"]
    assert (found["read_files"], found["files"], found["bad"]) == (0, len(expected), [])
    assert found["config"] == {"model_type": "deepseek_v3"}
    assert "manifest" not in found


def test_without_a_manifest_the_content_is_not_verified(run_module: Run, model: dict[str, t.Any]) -> None:
    result = run_module("model_manifest", models=[model])
    assert [one["verdict"] for one in result["checks"]] == ["pass", "not_verified"]


def test_every_bad_file_is_named(run_module: Run, model: dict[str, t.Any]) -> None:
    expected = manifest(run_module, model)
    base = pathlib.Path(model["directory"])
    (base / SHARDS[0]).write_bytes((base / SHARDS[0]).read_bytes()[:-1] + b"!")
    (base / "assets/logo.txt").unlink()
    (base / "stray.txt").write_text("", encoding="utf-8")
    result = run_module("model_manifest", models=[{**model, "expected": expected}])
    assert result["failed"]
    assert f"{SHARDS[0]}: has other content" in result["msg"]
    assert "assets/logo.txt: missing" in result["msg"]
    assert "stray.txt: does not belong to the model" in result["msg"]


def test_a_missing_model_is_a_finding(run_module: Run, model: dict[str, t.Any]) -> None:
    expected = manifest(run_module, model)
    elsewhere = {**model, "directory": "/nowhere/tiny", "expected": expected}
    result = run_module("model_manifest", models=[elsewhere], fail_on=[])
    assert not result["failed"]
    assert {one["problem"] for one in result["facts"]["models"]["tiny"]["bad"]} == {"missing"}


def test_check_mode_writes_no_seal(run_module: Run, model: dict[str, t.Any]) -> None:
    run_module("model_manifest", check=True, models=[model])
    assert not pathlib.Path(model["seal"]).exists()


def test_a_broken_archive_ends_with_its_reason(run_module: Run, model: dict[str, t.Any]) -> None:
    result = run_module("model_manifest", models=[{**model, "archive": "/none.tar"}])
    assert result["failed"]
    assert "/none.tar" in result["msg"]


@pytest.mark.parametrize(("others", "verdict"), [([], "not_verified"), (["old"], "not_verified")])
def test_undeclared_models_are_reported(
    run_module: Run, model: dict[str, t.Any], others: list[str], verdict: str
) -> None:
    store = pathlib.Path(model["directory"]).parent
    for name in others:
        (store / name).mkdir()
    result = run_module("model_manifest", models=[model], store=str(store))
    assert result["facts"]["undeclared"] == [str(store / name) for name in others]
    assert ("warn" in [one["verdict"] for one in result["checks"]]) == bool(others)
    assert result["verdict"] == verdict


FOUND = {
    "directory": "/m",
    "files": 3,
    "bytes": 3 << 30,
    "bad": [],
    "problems": [],
    "read_files": 0,
    "pending_files": 0,
    "pending_bytes": 0,
    "sealed_at": 1795305600,
}


@pytest.mark.parametrize(
    ("changed", "verdicts", "says"),
    [
        (
            {},
            ["pass", "pass"],
            "3 files, 3.00 GiB, hashed since 2026-11-22 00:00 UTC, sizes, mtimes and inodes unchanged",
        ),
        ({"read_files": 3}, ["pass", "pass"], "all hashed now"),
        ({"read_files": 1}, ["pass", "pass"], "1 hashed now, the others hashed since 2026-11-22"),
        ({"pending_files": 1, "pending_bytes": 1 << 30}, ["pass", "not_verified"], "2.00 of 3.00 GiB hashed"),
        ({"problems": ["config.json is missing"]}, ["fail", "pass"], "3 files"),
        ({"bad": [{"path": "x", "problem": "size"}]}, ["pass", "fail"], "x: has another size"),
    ],
)
def test_judge(changed: dict[str, t.Any], verdicts: list[str], says: str) -> None:
    checks = model_manifest.judge("tiny", {**FOUND, **changed}, compared=True)
    assert [one["verdict"] for one in checks] == verdicts
    assert says in checks[1]["observed"]
    assert all(one["remedy"] for one in checks if one["verdict"] != "pass")
