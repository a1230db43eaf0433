# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import jinja2
import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _monitoring_units
from tests.lab import paths

TEMPLATES = paths.ROOT / "roles/monitoring/templates"
IMAGE = "registry.example/dcgm-exporter@sha256:" + "0" * 64
PORTS = {
    "door": 9998,
    "node": 9100,
    "dcgm": 9400,
    "prometheus": 9090,
    "alertmanager": 9093,
    "blackbox": 9115,
    "grafana": 3000,
}
NODE = {"distribution": "Debian", "distribution_version": "12.9", "packages": {}, "units": {}, "listening": []}
WISHES: dict[str, t.Any] = {
    "state": "present",
    "is_server": False,
    "ports": PORTS,
    "dcgm": False,
    "grafana": False,
    "gpu_access": "cdi",
    "images": {"monitoring_dcgm_image": "", "monitoring_grafana_image": ""},
    "node_packages": {"exporter": "exporter.service"},
    "server_packages": {"prometheus": "prometheus.service"},
    "deployments": [],
    "slo": {"ttft_seconds": 2.5, "tpot_seconds": 0.1, "objective": 0.95},
    "deployment_slos": {},
    "receivers": [],
    "mail": {},
    "mail_can_log_in": True,
    "fleet_mistakes": [],
    "logs": "none",
    "logs_url": "",
    "logs_packages": {"shipper": "shipper.service", "shipper-http": ""},
    "logs_replaces_rsyslog": False,
}
MAIL = {"smarthost": "mail.example:587", "from": "fleet@example.com", "password_path": "/c/mail"}
RUNS = {"load": "loaded", "active": "active", "enabled": "enabled"}


def plan(node: t.Any = None, **wishes: t.Any) -> dict[str, t.Any]:
    return _monitoring_units.plan({**NODE, **(node or {})}, {**WISHES, **wishes})


def test_a_fresh_node() -> None:
    found = plan()
    assert found["units"] == ["gpufleet-node-exporter.service", "gpufleet-metrics-door.service"]
    assert found["idle"] == found["units"]
    assert (found["packages"], found["stock_units"]) == (["exporter"], ["exporter.service"])
    assert found["listeners"] == {"node": 9100}
    assert found["mistakes"] == []


def test_the_server_has_more() -> None:
    found = plan(is_server=True, grafana=True, dcgm=True)
    assert "gpufleet-prometheus.service" in found["units"]
    assert set(found["listeners"]) == {"node", "dcgm", "prometheus", "alertmanager", "blackbox", "grafana"}
    assert found["packages"] == ["exporter", "prometheus"]


def test_a_finished_node() -> None:
    units = {"gpufleet-node-exporter.service": RUNS, "gpufleet-metrics-door.service": RUNS}
    listening = [{"address": "127.0.0.1", "port": 9100}]
    found = plan({"packages": {"exporter": "1"}, "units": units, "listening": listening})
    assert (found["idle"], found["packages"], found["unwanted"], found["mistakes"]) == ([], [], [], [])


def test_what_is_no_longer_wanted() -> None:
    units = {"gpufleet-prometheus.service": RUNS, "gpufleet-grafana.service": {"load": "not-found"}}
    assert plan({"units": units})["unwanted"] == ["gpufleet-prometheus.service"]
    found = plan({"units": units}, state="absent")
    assert (found["units"], found["packages"], found["unwanted"]) == ([], [], ["gpufleet-prometheus.service"])


@pytest.mark.parametrize(
    ("node", "wishes", "said"),
    [
        ({}, {"node_packages": {}}, "Debian 12.9 carries no packages"),
        ({"listening": [{"address": "0.0.0.0", "port": 9100}]}, {}, "another service listens on 9100"),
        (
            {},
            {"images": {"monitoring_dcgm_image": "dcgm:1"}},
            "monitoring_dcgm_image: dcgm:1 must be an image by digest",
        ),
        ({}, {"is_server": True, "receivers": "x"}, "monitoring_receivers: must be a list"),
        ({}, {"is_server": True, "slo": {}}, "monitoring_slo: objective is missing"),
        ({}, {"fleet_mistakes": ["no"]}, "no"),
        (
            {"distribution": "Ubuntu", "distribution_version": "22.04"},
            {"is_server": True, "mail": {**MAIL, "username": "fleet"}, "mail_can_log_in": False},
            "monitoring_mail.username: Alertmanager of Ubuntu 22.04 reads no password from a file",
        ),
    ],
)
def test_mistakes(node: t.Any, wishes: t.Any, said: str) -> None:
    images = {**WISHES["images"], **wishes.pop("images", {})}
    found = plan(node, images=images, **wishes)["mistakes"]
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("mail", "can"), [(MAIL, True), ({**MAIL, "username": "fleet"}, True), (MAIL, False), ({}, False)]
)
def test_mail_is_refused_only_where_it_must_log_in_and_cannot(mail: dict[str, str], can: bool) -> None:
    assert plan(is_server=True, mail=mail, mail_can_log_in=can)["mistakes"] == []


def test_the_exporter_of_cards_gets_all_cards_and_listens_on_loopback() -> None:
    words = _monitoring_units.dcgm_words(IMAGE, "cdi", 9400)
    assert words[-1] == IMAGE
    assert "DCGM_EXPORTER_LISTEN=127.0.0.1:9400" in words
    assert words[words.index("--device") + 1] == "nvidia.com/gpu=all"
    assert "--privileged" not in words and "--cap-add" not in words


def test_grafana_listens_on_loopback_and_has_no_default_password() -> None:
    words = _monitoring_units.grafana_words(IMAGE, 3000)
    assert words[-1] == IMAGE
    assert "GF_SERVER_HTTP_ADDR=127.0.0.1" in words
    assert "GF_SECURITY_ADMIN_PASSWORD__FILE=/etc/gpufleet-grafana/password" in words
    assert not any(word.startswith("GF_SECURITY_ADMIN_PASSWORD=") for word in words)


def test_logs_are_shipped_on_wish() -> None:
    found = plan(logs="loki", logs_url="https://loki.example:3100")
    assert found["units"][-1] == "gpufleet-logs.service"
    assert found["packages"] == ["exporter", "shipper", "shipper-http"]
    assert found["stock_units"] == ["exporter.service", "shipper.service"]
    assert found["mistakes"] == []


@pytest.mark.parametrize(
    ("node", "wishes", "said"),
    [
        ({}, {"logs_url": "loki"}, "must be a URL without a path"),
        ({}, {"logs_packages": {}}, "this platform carries no shipper"),
        ({"packages": {"rsyslog": "8"}}, {}, "removes rsyslog"),
    ],
)
def test_mistakes_about_logs(node: t.Any, wishes: t.Any, said: str) -> None:
    found = plan(node, **{"logs": "loki", "logs_url": "https://loki.example", **wishes})["mistakes"]
    assert any(said in one for one in found), found


def test_rsyslog_may_go_when_that_is_said() -> None:
    wishes = {"logs": "loki", "logs_url": "https://loki.example", "logs_replaces_rsyslog": True}
    assert plan({"packages": {"rsyslog": "8"}}, **wishes)["mistakes"] == []


def test_copies() -> None:
    found = _monitoring_units.copies(
        ["host"],
        "/d",
        "prometheus",
        {"/d/secrets/a.credentials": "/c/a"},
        [{"url": "https://a"}, {"url": "https://b", "ca_path": "/c/b.crt"}],
    )
    assert [(one["path"], one["template_vars"]["__monitoring_source"], one.get("secret", False)) for one in found] == [
        ("/d/rules/host.yml", "rules/host.yml", False),
        ("/d/secrets/a.credentials", "/c/a", True),
        ("/d/endpoint_ca/1.crt", "/c/b.crt", False),
    ]
    assert {one["template"] for one in found} == {"verbatim.j2"}


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "of the controller \n\n"), (1, "of the controller "), (2, "of the controller \n\n")],
    ids=["rules", "secret", "certificate"],
)
def test_a_secret_is_handed_on_without_its_line_s_end(number: int, text: str) -> None:
    found = _monitoring_units.copies(
        ["host"],
        "/d",
        "prometheus",
        {"/d/secrets/mail.credentials": "/c/mail"},
        [{"url": "https://b", "ca_path": "/c"}],
    )[number]
    template = (TEMPLATES / found["template"]).read_text(encoding="utf-8")

    def lookup(plugin: str, path: str, rstrip: bool) -> str:
        assert (plugin, path, rstrip) == ("ansible.builtin.file", found["template_vars"]["__monitoring_source"], False)
        return "of the controller \n\n"

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    assert environment.from_string(template).render(lookup=lookup, **found["template_vars"]) == text


def test_grafana_s_password_is_handed_on_without_its_line_s_end() -> None:
    found = _monitoring_units.grafana_copies("/d", "/c/password")
    assert [one["template_vars"]["__monitoring_stripped"] for one in found] == ["", "", "", "", "\r\n"]


@pytest.mark.parametrize(
    ("idle", "changed", "actions"),
    [
        ([], [], {}),
        (["gpufleet-prometheus.service"], [], {"gpufleet-prometheus.service": "started"}),
        ([], ["/etc/gpufleet-monitoring/rules/host.yml"], {"gpufleet-prometheus.service": "reloaded"}),
        (
            ["gpufleet-prometheus.service"],
            ["/etc/gpufleet-monitoring/prometheus.yml"],
            {"gpufleet-prometheus.service": "restarted"},
        ),
        ([], ["/etc/systemd/system/gpufleet-prometheus.service"], {"gpufleet-prometheus.service": "restarted"}),
        ([], ["/etc/gpufleet-monitoring/door.key"], {"gpufleet-metrics-door.service": "restarted"}),
        ([], ["/etc/gpufleet-monitoring/token"], {"gpufleet-metrics-door.service": "restarted"}),
        ([], ["/etc/gpufleet-monitoring/secrets/ops.credentials"], {"gpufleet-alertmanager.service": "reloaded"}),
        ([], ["/etc/systemd/journald.conf.d/60-gpufleet.conf"], {"systemd-journald.service": "restarted"}),
    ],
)
def test_actions(idle: list[str], changed: list[str], actions: dict[str, str]) -> None:
    units = plan(is_server=True)["units"]
    found = _monitoring_units.actions(units, idle, changed)
    assert {one["unit"]: one["state"] for one in found} == actions
