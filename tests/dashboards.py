# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grafana's dashboards as a table. ``python -m tests.dashboards`` writes roles/monitoring/files/dashboards/*.json anew."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "roles/monitoring/files/dashboards"

#: What a panel without data needs; such panels are empty where there is none of it, as in the lab.
GPU, FABRIC, GATEWAY, RAY, LOAD = "cards", "InfiniBand", "HAProxy", "Ray", "finished requests"


@dataclasses.dataclass(frozen=True)
class Panel:
    """One panel. ``queries``: legend → PromQL. ``needs``: what must be there for data, empty: any fleet has it."""

    title: str
    queries: t.Mapping[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    needs: str = ""
    width: int = 8


def quantiles(name: str) -> dict[str, str]:
    """Return the queries of p50, p95 and p99 of one of our recorded histograms."""
    return {
        f"p{figure}": f"histogram_quantile(0.{figure}, sum by (le) (gpufleet:{name}_seconds_bucket:rate5m{{deployment=~"
        + '"$deployment"}))'
        for figure in (50, 95, 99)
    }


D, N = '{deployment=~"$deployment"}', '{node=~"$node"}'
FLEET = (
    Panel(
        "Alerts that fire",
        {"{{alertname}} {{node}}{{deployment}}": 'ALERTS{alertstate="firing"}'},
        kind="table",
        width=12,
        needs="a fault",
    ),
    Panel("Targets that do not answer", {"{{job}} {{instance}}": "count(up == 0) or vector(0)"}, kind="stat", width=6),
    Panel("Nodes", {"nodes": 'count(up{job="node"} == 1)'}, kind="stat", width=6),
    Panel("Tokens per second", {"{{deployment}}": "gpufleet:generation_tokens:rate2m"}),
    Panel("Requests running", {"{{deployment}}": "gpufleet:requests_running"}),
    Panel("Requests waiting", {"{{deployment}}": "gpufleet:requests_waiting"}),
    Panel("GPU utilization", {"{{node}}": "avg by (node) (DCGM_FI_DEV_GPU_UTIL)"}, "percent", needs=GPU),
    Panel("Power", {"{{node}}": "sum by (node) (DCGM_FI_DEV_POWER_USAGE)"}, "watt", needs=GPU),
    Panel(
        "Requests through the gateway",
        {"{{code}}": "sum by (code) (rate(haproxy_frontend_http_responses_total[5m]))"},
        "reqps",
        needs=GATEWAY,
    ),
    Panel(
        "Failed checks",
        {
            "{{node}} {{proof}}": 'gpufleet_checks{verdict="fail"} > 0 or sum by (node) (gpufleet_checks{verdict="fail"})'
        },
    ),
    Panel("Since the last proof", {"{{node}}": "time() - max by (node) (gpufleet_proof_timestamp_seconds)"}, "s"),
    Panel("Certificate", {"{{instance}}": "(probe_ssl_earliest_cert_expiry - time()) / 86400"}, "d", kind="stat"),
)
NODE = (
    Panel(
        "CPU in use",
        {"{{node}}": '1 - avg by (node) (rate(node_cpu_seconds_total{mode="idle",node=~"$node"}[5m]))'},
        "percentunit",
    ),
    Panel("Memory available", {"{{node}}": f"node_memory_MemAvailable_bytes{N}"}, "bytes"),
    Panel(
        "Disk free",
        {"{{node}} {{mountpoint}}": 'node_filesystem_avail_bytes{fstype=~"ext.|xfs|btrfs|zfs|overlay",node=~"$node"}'},
        "bytes",
    ),
    Panel(
        "Network received",
        {"{{node}} {{device}}": 'rate(node_network_receive_bytes_total{device!~"lo|veth.*",node=~"$node"}[5m])'},
        "Bps",
    ),
    Panel(
        "Network sent",
        {"{{node}} {{device}}": 'rate(node_network_transmit_bytes_total{device!~"lo|veth.*",node=~"$node"}[5m])'},
        "Bps",
    ),
    Panel("Clock offset", {"{{node}}": f"node_timex_offset_seconds{N}"}, "s"),
    Panel(
        "InfiniBand received",
        {"{{node}} {{device}}": f"rate(node_infiniband_port_data_received_bytes_total{N}[5m])"},
        "Bps",
        needs=FABRIC,
    ),
    Panel(
        "InfiniBand sent",
        {"{{node}} {{device}}": f"rate(node_infiniband_port_data_transmitted_bytes_total{N}[5m])"},
        "Bps",
        needs=FABRIC,
    ),
    Panel(
        "InfiniBand link downed",
        {"{{node}} {{device}}": f"increase(node_infiniband_link_downed_total{N}[1h])"},
        needs=FABRIC,
    ),
    Panel("GPU temperature", {"{{node}} {{gpu}}": f"DCGM_FI_DEV_GPU_TEMP{N}"}, "celsius", needs=GPU),
    Panel("GPU memory used", {"{{node}} {{gpu}}": f"DCGM_FI_DEV_FB_USED{N} * 1048576"}, "bytes", needs=GPU),
    Panel("GPU clock", {"{{node}} {{gpu}}": f"DCGM_FI_DEV_SM_CLOCK{N}"}, "MHz", needs=GPU),
    Panel(
        "GPU slowed down by heat",
        {"{{node}} {{gpu}}": f"rate(DCGM_FI_DEV_THERMAL_VIOLATION{N}[5m]) / 1e9"},
        "percentunit",
        needs=GPU,
    ),
    Panel("NVLink", {"{{node}} {{gpu}}": f"rate(DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL{N}[5m])"}, "Bps", needs=GPU),
    Panel("Corrected ECC errors", {"{{node}} {{gpu}}": f"increase(DCGM_FI_DEV_ECC_SBE_VOL_TOTAL{N}[1h])"}, needs=GPU),
    Panel("Ray: its agent answers", {"{{node}}": 'up{job="ray",node=~"$node"}'}, needs=RAY),
)
DEPLOYMENT = (
    Panel("Tokens made per second", {"{{deployment}}": f"gpufleet:generation_tokens:rate2m{D}"}),
    Panel("Prompt tokens per second", {"{{deployment}}": f"gpufleet:prompt_tokens:rate2m{D}"}),
    Panel("Requests finished per second", {"{{deployment}}": f"gpufleet:requests_finished:rate5m{D}"}, "reqps"),
    Panel("Requests running", {"{{deployment}}": f"gpufleet:requests_running{D}"}),
    Panel("Requests waiting", {"{{deployment}}": f"gpufleet:requests_waiting{D}"}),
    Panel("KV cache in use", {"{{deployment}}": f"gpufleet:kv_cache_usage{D}"}, "percentunit"),
    Panel("Preemptions per second", {"{{deployment}}": f"gpufleet:preemptions:rate5m{D}"}),
    Panel(
        "Prefix cache hits", {"{{deployment}}": f"gpufleet:prefix_cache_hit_ratio:rate5m{D}"}, "percentunit", needs=LOAD
    ),
    Panel("Time to first token", quantiles("ttft"), "s", needs=LOAD),
    Panel("Time per output token", quantiles("tpot"), "s", needs=LOAD),
    Panel("Whole requests", quantiles("e2e"), "s", needs=LOAD),
)
SLO = (
    Panel(
        "Slow requests, share within an hour",
        {"{{deployment}} {{slo}}": f"gpufleet:slo_bad_ratio:rate1h{D}"},
        "percentunit",
        needs=LOAD,
        width=12,
    ),
    Panel("Budget", {"{{deployment}} {{slo}}": f"gpufleet:slo_budget{D}"}, "percentunit", width=12),
    Panel(
        "Burn rate, 5 minutes",
        {"{{deployment}} {{slo}}": f"gpufleet:slo_bad_ratio:rate5m{D} / on (deployment, slo) gpufleet:slo_budget{D}"},
        needs=LOAD,
        width=12,
    ),
    Panel(
        "Burn rate, 6 hours",
        {"{{deployment}} {{slo}}": f"gpufleet:slo_bad_ratio:rate6h{D} / on (deployment, slo) gpufleet:slo_budget{D}"},
        needs=LOAD,
        width=12,
    ),
    Panel(
        "The endpoint answers",
        {"{{instance}}": 'avg_over_time(probe_success{job="endpoint"}[1h])'},
        "percentunit",
        width=12,
    ),
    Panel("Time of the probe", {"{{instance}}": 'probe_duration_seconds{job="endpoint"}'}, "s", width=12),
)
DASHBOARDS = {"fleet": FLEET, "node": NODE, "deployment": DEPLOYMENT, "slo": SLO}

#: Variable of a dashboard to the query of its values.
VARIABLES = {"node": 'label_values(up{job="node"}, node)', "deployment": 'label_values(up{job="engine"}, deployment)'}


def query(expression: str) -> str:
    """Return a panel's query as Prometheus is asked it, with all values of Grafana's variables."""
    return expression.replace("$node", ".+").replace("$deployment", ".+")


def dashboard(name: str, panels: t.Sequence[Panel]) -> dict[str, t.Any]:
    """Return the JSON model of one dashboard: panels from left to right, in rows of 24."""
    placed, left, top = [], 0, 0
    for number, panel in enumerate(panels, 1):
        if left + panel.width > 24:
            left, top = 0, top + 8
        placed.append(_panel(number, panel, {"x": left, "y": top, "w": panel.width, "h": 8}))
        left += panel.width
    used = [one for one in VARIABLES if any(f"${one}" in text for panel in panels for text in panel.queries.values())]
    return {
        "uid": f"gpufleet-{name}",
        "title": f"gpufleet: {name}",
        "tags": ["gpufleet"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_variable(one) for one in used]},
        "panels": placed,
    }


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, t.Any]:
    source = {"type": "prometheus", "uid": "gpufleet"}
    targets = [
        {
            "refId": chr(65 + at),
            "datasource": source,
            "expr": text,
            "legendFormat": legend,
            "instant": panel.kind != "timeseries",
        }
        for at, (legend, text) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": f"Needs {panel.needs}." if panel.needs else "",
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }


def _variable(name: str) -> dict[str, t.Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "gpufleet"},
        "query": VARIABLES[name],
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": "All", "value": "$__all"},
    }


def files() -> dict[str, str]:
    """Return the text of each dashboard by the name of its file."""
    return {f"{name}.json": json.dumps(dashboard(name, panels), indent=1) + "\n" for name, panels in DASHBOARDS.items()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
