# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which packages, units and restarts monitoring needs on one node, and name every mistake.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _alertmanager,
    _docker_run,
    _monitoring_slo,
)

NODE_EXPORTER = "gpufleet-node-exporter.service"
DOOR = "gpufleet-metrics-door.service"
DCGM = "gpufleet-dcgm-exporter.service"
PROMETHEUS = "gpufleet-prometheus.service"
ALERTMANAGER = "gpufleet-alertmanager.service"
BLACKBOX = "gpufleet-blackbox-exporter.service"
GRAFANA = "gpufleet-grafana.service"
LOGS = "gpufleet-logs.service"
JOURNAL = "systemd-journald.service"

#: Which key of monitoring_ports each unit listens on.
PORTS = {
    NODE_EXPORTER: "node",
    DOOR: "door",
    DCGM: "dcgm",
    PROMETHEUS: "prometheus",
    ALERTMANAGER: "alertmanager",
    BLACKBOX: "blackbox",
    GRAFANA: "grafana",
}

#: All units of ours.
UNITS = (*PORTS, LOGS)

#: An image by its digest: what runs tomorrow is what was tried today.
DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")

#: What ends a secret in its file and is none of it: Alertmanager 0.25 and 0.26 would send it along.
LINE_END = "\r\n"

#: Path (pattern) to the unit that must read it anew; units that can do so without a restart are in RELOADS.
READERS = (
    (r".*/door\.(?:yml|crt|key)|/etc/gpufleet-monitoring/token", DOOR),
    (r".*/dcgm_counters\.csv", DCGM),
    (r".*/(?:prometheus\.yml|doors\.crt|rules/.*)", PROMETHEUS),
    (r".*/alertmanager\.yml|.*/secrets/.*", ALERTMANAGER),
    (r".*/blackbox\.yml|.*/endpoint_ca/.*", BLACKBOX),
    (r".*/grafana/.*", GRAFANA),
    (r".*/(?:logs\.conf|logs_ca\.crt|container_logs\.py)", LOGS),
    (r"/etc/systemd/journald\.conf\.d/.*", JOURNAL),
)
RELOADS = frozenset({PROMETHEUS, ALERTMANAGER, BLACKBOX})


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so on the node::

    {"units": [wanted], "loaded": [ours that are there], "unwanted": [of those, not wanted],
     "idle": [wanted, not running or not enabled], "listeners": {name: port} that must be on loopback,
     "dcgm_words", "grafana_words": words of docker, "packages": [missing],
     "stock_units": [units of missing packages, which must never start], "mistakes": [sentences]}

    ``node`` is what ``node_facts`` read. ``wishes``: state, is_server, ports, dcgm and grafana (bool), gpu_access,
    images {variable: image}, node_packages and server_packages {package: unit}, deployments, slo, deployment_slos,
    receivers, mail, mail_can_log_in, fleet_mistakes, logs, logs_url, logs_packages, logs_replaces_rsyslog.
    """
    present = wishes["state"] == "present"
    units = _wanted(wishes) if present else []
    packages = (
        {**wishes["node_packages"], **(wishes["server_packages"] if wishes["is_server"] else {})} if present else {}
    )
    if present and wishes["logs"] != "none":
        packages |= wishes["logs_packages"]
    missing = sorted(name for name in packages if name not in node["packages"])
    loaded = [name for name in UNITS if node["units"].get(name, {}).get("load") == "loaded"]
    return {
        "units": units,
        "loaded": loaded,
        "unwanted": [name for name in loaded if name not in units],
        "listeners": {
            PORTS[name]: wishes["ports"].get(PORTS[name], 0) for name in units if name in PORTS and name != DOOR
        },
        "grafana_words": grafana_words(
            wishes["images"].get("monitoring_grafana_image", ""), wishes["ports"].get("grafana", 0)
        ),
        "dcgm_words": dcgm_words(
            wishes["images"]["monitoring_dcgm_image"], wishes["gpu_access"], wishes["ports"].get("dcgm", 0)
        ),
        "idle": [name for name in units if not _runs(node, name)],
        "packages": missing,
        "stock_units": [packages[name] for name in missing if packages[name]],
        "mistakes": _mistakes(node, wishes, units) if present else [],
    }


def _wanted(wishes: t.Mapping[str, t.Any]) -> list[str]:
    units = [NODE_EXPORTER, *([DCGM] if wishes["dcgm"] else []), DOOR]
    if wishes["is_server"]:
        units += [ALERTMANAGER, BLACKBOX, PROMETHEUS, *([GRAFANA] if wishes["grafana"] else [])]
    return units + ([LOGS] if wishes["logs"] != "none" else [])


def _runs(node: t.Mapping[str, t.Any], unit: str) -> bool:
    seen = node["units"].get(unit, {})
    return (seen.get("active"), seen.get("enabled")) == ("active", "enabled")


def _mistakes(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any], units: t.Sequence[str]) -> list[str]:
    found = list(wishes["fleet_mistakes"])
    if not wishes["node_packages"]:
        found.append(
            f"monitoring_node_packages: {node['distribution']} {node['distribution_version']} carries no packages for monitoring; "
            "name packages of your own, or leave monitoring off"
        )
    taken = {one["port"] for one in node["listening"]}
    for unit in (one for one in units if one in PORTS):
        port = wishes["ports"].get(PORTS[unit])
        if port in taken and node["units"].get(unit, {}).get("active") != "active":
            found.append(
                f"monitoring_ports.{PORTS[unit]}: another service listens on {port}; set another port or stop it"
            )
    for variable, image in wishes["images"].items():
        if image and not DIGEST.fullmatch(image):
            found.append(f"{variable}: {image} must be an image by digest, name@sha256:…")
    if wishes["logs"] != "none":
        found += _logs_mistakes(node, wishes)
    if wishes["is_server"]:
        found += _monitoring_slo.mistakes(wishes["deployments"], wishes["slo"], wishes["deployment_slos"])
        found += _alertmanager.mistakes(wishes["receivers"], wishes["mail"])
        if wishes["mail"].get("username") and not wishes["mail_can_log_in"]:
            found.append(
                f"monitoring_mail.username: Alertmanager of {node['distribution']} {node['distribution_version']} reads no password "
                "from a file (0.25 does); use a mail server that lets this host in without one, or a later release"
            )
    return found


def _logs_mistakes(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    if not re.fullmatch(r"https?://[^/\s]+", wishes["logs_url"]):
        found.append(
            f"monitoring_logs_url: {wishes['logs_url']!r} must be a URL without a path, as https://loki.example:3100"
        )
    if not wishes["logs_packages"]:
        found.append("monitoring_logs_packages: this platform carries no shipper; set monitoring_logs to none")
    if "rsyslog" in node["packages"] and not wishes["logs_replaces_rsyslog"]:
        found.append(
            "monitoring_logs: the package of syslog-ng removes rsyslog, which is installed here; "
            "set monitoring_logs_replaces_rsyslog to true if it may go"
        )
    return found


def dcgm_words(image: str, gpu_access: str, port: int) -> list[str]:
    """Return the words after ``docker`` that run the exporter of cards on loopback, with the counters that the rules read.

    Not run here: there is neither a card nor the image. No capability is asked for: none of our counters is a profiling one.
    """
    counters = "/etc/dcgm-exporter/gpufleet.csv"
    return [
        *(
            "run",
            "--rm",
            "--name",
            "gpufleet-dcgm-exporter",
            "--network",
            "host",
            "--security-opt",
            "no-new-privileges",
        ),
        *_docker_run.gpu_words(gpu_access, []),
        *("--volume", f"/etc/gpufleet-monitoring/dcgm_counters.csv:{counters}:ro"),
        *("--env", f"DCGM_EXPORTER_LISTEN=127.0.0.1:{port}", "--env", f"DCGM_EXPORTER_COLLECTORS={counters}"),
        image,
    ]


def grafana_words(image: str, port: int) -> list[str]:
    """Return the words after ``docker`` that run Grafana on loopback, with its first password in a file.

    Not run here: there is no image. Its image runs as user 472 with group 0, who can read the file.
    """
    settings = {
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_SECURITY_ADMIN_PASSWORD__FILE": "/etc/gpufleet-grafana/password",
        "GF_PATHS_PROVISIONING": "/etc/gpufleet-grafana/provisioning",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    }
    return [
        *("run", "--rm", "--name", "gpufleet-grafana", "--network", "host", "--security-opt", "no-new-privileges"),
        *(
            "--volume",
            "/etc/gpufleet-monitoring/grafana:/etc/gpufleet-grafana:ro",
            "--volume",
            "gpufleet-grafana:/var/lib/grafana",
        ),
        *(word for name, value in settings.items() for word in ("--env", f"{name}={value}")),
        image,
    ]


def grafana_copies(directory: str, password_path: str) -> list[dict[str, t.Any]]:
    """Return the items of ``file_set`` for Grafana's dashboards and its first password."""
    found: list[dict[str, t.Any]] = [
        {
            "path": f"{directory}/grafana/dashboards/{name}.json",
            "template_vars": {"__monitoring_source": f"dashboards/{name}.json"},
        }
        for name in ("fleet", "node", "deployment", "slo")
    ]
    found.append(
        {
            "path": f"{directory}/grafana/password",
            "template_vars": {"__monitoring_source": password_path},
            "mode": "0640",
            "secret": True,
        }
    )
    return [_verbatim(one) for one in found]


def copies(
    rules: t.Iterable[str],
    directory: str,
    group: str,
    secrets: t.Mapping[str, str],
    endpoints: t.Sequence[t.Mapping[str, t.Any]],
) -> list[dict[str, t.Any]]:
    """Return the items of ``file_set`` for files that are handed on as they are.

    Rule files of the role by name, ``secrets`` {path on the node: file on the controller}, and what endpoints trust.
    """
    found: list[dict[str, t.Any]] = [
        {"path": f"{directory}/rules/{name}.yml", "template_vars": {"__monitoring_source": f"rules/{name}.yml"}}
        for name in rules
    ]
    hidden: dict[str, t.Any] = {"group": group, "mode": "0640", "secret": True}
    found += [
        {"path": path, "template_vars": {"__monitoring_source": source}, **hidden} for path, source in secrets.items()
    ]
    found += [
        {"path": f"{directory}/endpoint_ca/{number}.crt", "template_vars": {"__monitoring_source": one["ca_path"]}}
        for number, one in enumerate(endpoints)
        if one.get("ca_path")
    ]
    return [_verbatim(one) for one in found]


def _verbatim(item: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return an item of ``file_set`` that hands on a file of the controller: as it is, a secret without its line's end."""
    stripped = LINE_END if item.get("secret") else ""
    return {
        "template": "verbatim.j2",
        **item,
        "template_vars": {**item["template_vars"], "__monitoring_stripped": stripped},
    }


def actions(units: t.Iterable[str], idle: t.Iterable[str], changed_paths: t.Iterable[str]) -> list[dict[str, str]]:
    """Return ``[{"unit", "state": started | reloaded | restarted}]`` that brings into effect what was written."""
    waiting, changed = list(idle), list(changed_paths)
    found = []
    for unit in [*units, JOURNAL]:
        if f"/etc/systemd/system/{unit}" in changed:
            found.append({"unit": unit, "state": "restarted"})
        elif any(re.fullmatch(pattern, path) for pattern, reader in READERS for path in changed if reader == unit):
            found.append(
                {"unit": unit, "state": "reloaded" if unit in RELOADS and unit not in waiting else "restarted"}
            )
        elif unit in waiting:
            found.append({"unit": unit, "state": "started"})
    return found
