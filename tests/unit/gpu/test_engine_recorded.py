# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The planner beside what real engines logged on real cards, recorded by ``tests.gpu.engine``. ``pytest -s -k table``."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.gpu import engine_log, engine_planned

FOLDER = engine_planned.ROOT / "tests/gpu/recorded/engine"
BENCHMARKS = engine_planned.ROOT / "benchmarks/gpu.md"

#: PCI device of the cards of a record.
DEVICES = {"NVIDIA H200": "2335"}

Run = dict[str, t.Any]


def runs() -> list[Run]:
    """Return all recorded runs, each with the cards it had."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        gpus = [{"pci": f"0000:0{at}:00.0", "device": DEVICES[name]} for at, name in enumerate(record["gpus"])]
        found += [
            {**run, "gpus": gpus, "title": f"{run['deployment']['name']}{at}"} for at, run in enumerate(record["runs"])
        ]
    return found


RUNS = runs()
READY = [run for run in RUNS if not run["problem"]]


def title(run: Run) -> str:
    return str(run["title"])


def planned(run: Run) -> dict[str, t.Any]:
    """Return what the planner of today gives for the same deployment."""
    directory = pathlib.PurePath(run["argv"][2])
    return engine_planned.planned(run["deployment"], str(directory), run["gpus"])


def error(run: Run, figure: str) -> float:
    """Return by how many percent the planner is above or below the log, in which each replica counts its own tokens."""
    replicas = run["deployment"].get("data_parallel", 1) if figure == "kv_tokens" else 1
    return float((planned(run)["sizing"][figure] / (run["measured"][figure] * replicas) - 1) * 100)


def test_something_was_recorded() -> None:
    assert len(READY) >= 4 and len(RUNS) > len(READY)


@pytest.mark.parametrize("run", RUNS, ids=title)
def test_what_ran_is_what_we_plan(run: Run) -> None:
    plan = planned(run)
    assert plan["argv"] == run["argv"] and plan["env"] == run["env"]


@pytest.mark.parametrize("run", RUNS, ids=title)
def test_weights(run: Run) -> None:
    assert abs(error(run, "weights_gib")) < 0.5


@pytest.mark.parametrize("run", RUNS, ids=title)
def test_tokens(run: Run) -> None:
    """Never more than a little above: what a plan promises must be there."""
    assert -3 < error(run, "kv_tokens") < 1.5


@pytest.mark.parametrize("run", READY, ids=title)
def test_parts_of_the_account(run: Run) -> None:
    """The second model runner of 0.26 (dense models, DeepSeek-V2) takes less for sampling, and leaves graphs out."""
    parts, measured = planned(run)["sizing"]["reserve"], run["measured"]
    assert parts["requested_gib"] == measured["requested_gib"]
    assert parts["non_torch_gib"] == pytest.approx(measured["non_torch_gib"], abs=0.06)
    assert -1.1 < parts["activation_gib"] - measured["activation_gib"] < 0.9
    graphs = measured.get("graphs_estimated_gib", measured.get("graphs_gib", 0))
    # Experts dealt out over replicas: the graphs hold what they exchange, too (0.9 GiB, once measured).
    assert parts["graphs_gib"] == pytest.approx(graphs, abs=0.95 if "data_parallel" in run["deployment"] else 0.15)


@pytest.mark.parametrize("run", READY, ids=title)
def test_the_supervisor_sees_the_engine(run: Run) -> None:
    seen = run["heartbeats"]
    assert seen["moved"] is True and seen["counter_after"] - seen["counter_before"] == 32
    assert (seen["running"], seen["running_after"]) == (1, 0)
    assert run["ready_seconds"]["completion"] < planned(run)["spec"]["ready_budget_seconds"]
    assert run["stop"]["polite"] and run["stop"]["status"] == 0


@pytest.mark.parametrize("run", RUNS, ids=title)
def test_figures_are_read_from_the_lines_that_are_kept(run: Run) -> None:
    assert engine_log.figures("\n".join(run["log"])) == run["measured"]


def rows() -> list[str]:
    """Return the rows of the table in benchmarks/gpu.md: logged / planned; graphs as estimated, and as captured later."""
    found = []
    for run in RUNS:
        sizing, measured = planned(run)["sizing"], run["measured"]
        reserve = sizing["reserve"]
        name = run["deployment"]["name"] + (", no DeepGEMM" if run["env"].get("VLLM_USE_DEEP_GEMM") == "0" else "")
        graphs = ", ".join(gib(measured.get(f"graphs_{kind}gib")) for kind in ("estimated_", ""))
        ready = run.get("ready_seconds", {}).get("completion")
        cells = [
            f"{gib(measured['weights_gib'])} / {gib(sizing['weights_gib'])}",
            f"{gib(measured.get('non_torch_gib'))} / {gib(reserve['non_torch_gib'])}",
            f"{gib(measured.get('activation_gib'))} / {gib(reserve['activation_gib'])}",
            f"{graphs} / {gib(reserve['graphs_gib'])}",
            f"{gib(measured['kv_gib'])} / {gib(sizing['kv_gib'])}",
            f"{measured['kv_tokens'] * run['deployment'].get('data_parallel', 1):,.0f} / {sizing['kv_tokens']:,}",
            f"{error(run, 'kv_tokens'):+.1f} %",
            f"{run['errors_percent']['kv_tokens']:+.1f} %",
            f"{ready:.0f} s" if ready else "not within 370 s",
        ]
        found.append("| " + " | ".join([name, *cells]) + " |")
    return found


def gib(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def test_table() -> None:
    print("\n".join(rows()))
    documented = BENCHMARKS.read_text(encoding="utf-8").splitlines()
    stale = [row for row in rows() if row not in documented]
    assert not stale, "write these rows into benchmarks/gpu.md:\n" + "\n".join(stale)
