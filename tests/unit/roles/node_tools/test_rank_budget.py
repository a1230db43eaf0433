# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a start may take: the parts of a plan, a disk, and a cache of kernels that is warm or not."""

from __future__ import annotations

import importlib
import pathlib
import threading
import types
import typing as t

import pytest

PARTS: dict[str, t.Any] = {
    "begin_seconds": 900,
    "compile_seconds": 1800,
    "read_bytes": 600_000_000_000,
    "directory": "/models/r1",
    "read_gbs": 0.0,
    "assumed_gbs": 0.2,
    "unseen": [],
}
RUN = ["engine:1", "serve", "/models/r1"]


@pytest.fixture(scope="session")
def budget() -> types.ModuleType:
    return importlib.import_module("rank_budget")


@pytest.fixture
def cache(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with compiled kernels."""
    (tmp_path / "cache" / "triton").mkdir(parents=True)
    return tmp_path / "cache"


def spec(cache: pathlib.Path | None = None, run: list[str] = RUN, **changed: t.Any) -> dict[str, t.Any]:
    found = {"ready_budget_seconds": 5700, "container": {"run": run}, "budget": {**PARTS, **changed}}
    return {**found, "cache": {"directory": str(cache), "name": "r1"}} if cache else found


CASES: list[tuple[dict[str, t.Any], float | None, int, str]] = [
    ({}, None, 5700, "900 s to begin, 1800 s for kernels, 3000 s for 600.0 GB at 0.2 GB/s (assumed: no disk)"),
    ({}, 2.0, 3300, "600 s for 600.0 GB at half of 2 GB/s (measured)"),
    ({"read_gbs": 6.0}, 2.0, 2900, "200 s for 600.0 GB at half of 6 GB/s (declared)"),
    ({"unseen": ["two"]}, 2.0, 5700, "0.2 GB/s (assumed: the disks of two cannot be seen from here)"),
    ({"unseen": ["two"], "read_gbs": 6.0}, 2.0, 2900, "at half of 6 GB/s (declared)"),
    ({"read_bytes": 400_000_000}, 2.0, 2702, "2 s for 0.4 GB at 0.2 GB/s (assumed)"),
    ({}, 0.1, 5700, "12000 s for 600.0 GB at half of 0.1 GB/s (measured); no more is planned"),
]


@pytest.mark.parametrize(("changed", "measured", "seconds", "made_of"), CASES)
def test_a_budget_says_what_it_is_made_of(
    budget: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, t.Any],
    measured: float | None,
    seconds: int,
    made_of: str,
) -> None:
    monkeypatch.setattr(budget, "sample", lambda _directory: (measured, "no disk"))
    found = budget.allowance(spec(**changed))
    assert found.seconds == seconds
    assert made_of in str(found) and str(found).startswith(f"{seconds} s: 900 s to begin")


def test_without_parts_the_plan_alone_decides(budget: types.ModuleType) -> None:
    found = budget.allowance({"ready_budget_seconds": 180, "container": {"run": RUN}})
    assert (found.seconds, str(found)) == (180, "180 s")


# --- kernels ----------------------------------------------------------------------------------------------------------


def test_kernels_are_there_after_a_start_that_became_ready(budget: types.ModuleType, cache: pathlib.Path) -> None:
    one = spec(cache, read_gbs=6.0)
    assert not budget.is_warm(one), "what a start left that never became ready counts for nothing"
    budget.keep(one)
    assert budget.is_warm(one)
    assert str(budget.allowance(one)) == (
        "1100 s: 900 s to begin, kernels are there, 200 s for 600.0 GB at half of 6 GB/s (declared)"
    )


@pytest.mark.parametrize("changed", ["command", "deployment", "emptied", "gone"])
def test_kernels_that_may_not_be_there(budget: types.ModuleType, cache: pathlib.Path, changed: str) -> None:
    one = spec(cache)
    budget.keep(one)
    if changed == "command":
        one = spec(cache, run=[*RUN, "--tensor-parallel-size", "8"])
    elif changed == "deployment":
        one["cache"]["name"] = "other"
    else:
        (cache / "triton").rmdir()
        if changed == "gone":
            (cache / f"{budget.MARK}r1").unlink()
            cache.rmdir()
    assert not budget.is_warm(one)


def test_a_cache_that_cannot_be_written_to_is_no_failure(budget: types.ModuleType, tmp_path: pathlib.Path) -> None:
    one = spec(tmp_path / "none")
    budget.keep(one)
    budget.keep(spec())
    assert not budget.is_warm(one) and not budget.is_warm(spec())


# --- the disk ---------------------------------------------------------------------------------------------------------


def model(folder: pathlib.Path, budget: types.ModuleType, pieces: int) -> str:
    (folder / "config.json").write_text("{}")
    with (folder / "model.safetensors").open("wb") as stream:
        stream.truncate(pieces * budget.PIECE)
    return str(folder)


def test_a_sample_of_a_real_file_has_a_speed(budget: types.ModuleType, tmp_path: pathlib.Path) -> None:
    speed, why = budget.sample(model(tmp_path, budget, 4))
    # Some file systems, such as tmpfs of old kernels, read nothing past the page cache: then that is said.
    assert (speed is not None and speed > 0) if not why else "no sample could be read: " in why


def test_a_sample_ends_in_time(
    budget: types.ModuleType, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def read(_channel: int, memory: list[t.Any], at: int) -> int:
        asked.append(at)
        return len(memory[0])

    clock = iter([0.0, 0.4, 0.8, 1.2, 1.6])
    monkeypatch.setattr(budget.os, "preadv", read)
    monkeypatch.setattr(budget, "time", types.SimpleNamespace(monotonic=lambda: next(clock)))
    speed, _why = budget._read(0, 2, 100)
    assert asked == [2 * budget.PIECE, 3 * budget.PIECE, 4 * budget.PIECE]
    assert speed == pytest.approx(3 * budget.PIECE / 1.6 / 1e9)


@pytest.mark.parametrize(("pieces", "why"), [(3, "its files are too small for a sample"), (None, "no sample could be")])
def test_what_cannot_be_read_is_told(
    budget: types.ModuleType, tmp_path: pathlib.Path, pieces: int | None, why: str
) -> None:
    directory = str(tmp_path / "none") if pieces is None else model(tmp_path, budget, pieces)
    speed, said = budget.sample(directory)
    assert speed is None and why in said


def test_a_disk_that_fails_while_it_is_read_is_told(
    budget: types.ModuleType, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_whatever: t.Any) -> t.NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(budget, "_read", broken)
    speed, said = budget.sample(model(tmp_path, budget, 4))
    assert (speed, said[:25]) == (None, "no sample could be read: ")


def test_a_dead_disk_is_not_waited_for(budget: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    end = threading.Event()
    monkeypatch.setattr(budget, "_sample", lambda _directory: end.wait(60))
    monkeypatch.setattr(budget, "PATIENCE_SECONDS", 0.01)
    assert budget.sample("/dead") == (None, "a sample did not end within 0.01 s")
    end.set()
