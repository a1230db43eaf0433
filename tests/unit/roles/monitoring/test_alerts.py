# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every alert fires by its fault and is silent without, has a runbook, and says what it means (promtool)."""

from __future__ import annotations

import pathlib
import re
import subprocess
import typing as t

import pytest
import yaml

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_slo
from tests.lab import paths, promtool

RULES = paths.ROOT / "roles/monitoring/files/rules"
CASES = pathlib.Path(__file__).parent / "cases"
RUNBOOKS = paths.ROOT / "docs/runbooks"
RUNBOOK_URL = "https://github.com/gpufleet/gpufleet.inference/blob/main/docs/runbooks/{}.md"


def load(path: pathlib.Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, t.Any]]:
    return [rule for path in sorted(RULES.glob("*.yml")) for group in load(path)["groups"] for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]
ALL_CASES = [(path.stem, case) for path in sorted(CASES.glob("*.yml")) for case in load(path)]


def one_test(case: dict[str, t.Any], series: dict[str, str], firing: bool) -> dict[str, t.Any]:
    name = case["alert"]
    return {
        "name": f"{name} {'fires' if firing else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) > bool 0',
                "eval_time": case["at"],
                "exp_samples": [{"value": 1, "labels": "{}"}] if firing else [],
            }
        ],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a folder with all rules and, for a deployment r1 on vLLM, those of its SLO."""
    made = tmp_path_factory.mktemp("rules")
    for path in RULES.glob("*.yml"):
        (made / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    slo = {"ttft_seconds": 2.5, "tpot_seconds": 0.1, "objective": 0.95}
    content = _monitoring_slo.rules([{"name": "r1", "engine": "vllm"}], slo, {})
    (made / "slo_recording.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return made


def run(folder: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [promtool.program("promtool"), *words]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=300)


def test_promtool_takes_all_rules(folder: pathlib.Path) -> None:
    done = run(folder, "check", "rules", *sorted(path.name for path in folder.glob("*.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("stem", sorted({stem for stem, _case in ALL_CASES}))
def test_alerts_fire_by_their_fault_and_only_then(folder: pathlib.Path, stem: str) -> None:
    cases = [case for found, case in ALL_CASES if found == stem]
    tests = [one_test(case, case[kind], kind == "fires") for case in cases for kind in ("fires", "silent")]
    names = ["recording.yml", "slo_recording.yml", f"{stem}.yml"]
    path = folder / f"{stem}.test"
    text = {"rule_files": names, "evaluation_interval": "1m", "tests": tests}
    path.write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    done = run(folder, "test", "rules", path.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case() -> None:
    assert {rule["alert"] for rule in ALERTS} == {case["alert"] for _stem, case in ALL_CASES}


def test_no_name_is_used_twice() -> None:
    names = [rule["alert"] for rule in ALERTS]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alerts_say_what_to_do(rule: dict[str, t.Any]) -> None:
    said = rule["annotations"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert said["summary"] and re.search(r"\$value|[0-9]+ minutes|a minute|an hour", said["description"]), said
    assert said["runbook_url"] == RUNBOOK_URL.format(rule["alert"])
    page = (RUNBOOKS / f"{rule['alert']}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {rule['alert']}\n")
    assert [word for word in ("## Means", "## Look here", "## Do this") if word not in page] == []


def test_no_runbook_without_an_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages - {rule["alert"] for rule in ALERTS} == set()


def test_the_table_of_the_docs_names_every_alert() -> None:
    text = (paths.ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    missing = [rule["alert"] for rule in ALERTS if f"[{rule['alert']}](runbooks/{rule['alert']}.md)" not in text]
    assert missing == []


def test_the_proof_expects_every_group() -> None:
    expected = yaml.safe_load((paths.ROOT / "roles/monitoring/vars/main.yml").read_text(encoding="utf-8"))
    groups = {group["name"] for path in RULES.glob("*.yml") for group in load(path)["groups"]} | {"slo_recording"}
    assert set(expected["__monitoring_rule_groups"]) == groups
    assert set(expected["__monitoring_rule_names"]) == {path.stem for path in RULES.glob("*.yml")}
