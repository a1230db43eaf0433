# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role writes for Prometheus, and what its playbook leaves to the user; all of it runs in the scenario ``monitoring``."""

from __future__ import annotations

import json
import typing as t

import jinja2
import pytest
import yaml

from tests.lab import paths

ROLE = paths.ROOT / "roles/monitoring"
GATEWAY = {"url": "https://g/health", "ca_path": "/c/g.crt", "node": "n1", "metrics_port": 8404}
USERS = {"url": "https://u/health"}


def load(path: str) -> t.Any:
    return yaml.safe_load((paths.ROOT / path).read_text(encoding="utf-8"))


def render(template: str) -> str:
    """Return the template's text for the gateway and one URL of the user's; ``__monitoring_asked`` as the role makes it."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = json.dumps
    asked = load("roles/monitoring/vars/main.yml")["__monitoring_asked"].strip("{} ")
    known = {"monitoring_gateways": [GATEWAY], "monitoring_endpoints": [USERS, {"url": GATEWAY["url"]}]}
    values = {
        **load("roles/monitoring/defaults/main.yml"),
        "monitoring_fleet": {"targets": {}},
        "inventory_hostname": "n1",
        "__monitoring_asked": environment.compile_expression(asked)(**known),
        "__monitoring_directory": "/d",
        "__monitoring_data": "/v",
        "__monitoring_user": "prometheus",
    }
    return environment.from_string((ROLE / "templates" / template).read_text(encoding="utf-8")).render(values)


def test_the_gateway_is_asked_beside_the_user_s_urls_each_once() -> None:
    jobs = {one["job_name"]: one for one in yaml.safe_load(render("prometheus.yml.j2"))["scrape_configs"]}
    found = [one["labels"] for one in jobs["endpoint"]["static_configs"]]
    assert [(one["__param_module"], one["instance"]) for one in found] == [
        ("endpoint_0", "https://g/health"),
        ("endpoint_1", "https://u/health"),
    ]
    modules = yaml.safe_load(render("blackbox.yml.j2"))["modules"]
    assert modules["endpoint_0"]["http"]["tls_config"] == {"ca_file": "/d/endpoint_ca/0.crt"}
    assert "tls_config" not in modules["endpoint_1"]["http"]


@pytest.mark.parametrize("playbook", ["monitor", "verify"])
def test_a_playbook_overrides_none_of_the_user_s_variables(playbook: str) -> None:
    tasks = [task for play in load(f"playbooks/{playbook}.yml") for task in play.get("tasks", [])]
    (given,) = [
        task["vars"]
        for task in tasks
        if task.get("ansible.builtin.import_role", {}).get("name") == "gpufleet.inference.monitoring"
    ]
    ours = {"monitoring_is_server", "monitoring_gpu_access", "monitoring_gateways", "monitoring_fleet"}
    assert set(given) - ours == set()


def test_the_check_before_the_start_has_no_words_that_old_releases_lack() -> None:
    lines = [line for line in render("prometheus.service.j2").splitlines() if "promtool" in line]
    assert [line.partition("=")[2] for line in lines] == ["/usr/bin/promtool check config /d/prometheus.yml"] * 2


def test_verdicts_are_not_written_where_monitoring_was_removed() -> None:
    (task,) = load("roles/monitoring/tasks/verdicts.yml")
    assert task["when"] == "monitoring_state == 'present'"
