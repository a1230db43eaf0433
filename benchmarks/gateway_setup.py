# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configurations for the gateway's benchmark: the role's own HAProxy, and the nginx that it ran before."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import typing as t

import jinja2
import yaml

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROLE = ROOT / "roles" / "gateway"
KEY = "benchmarkbenchmarkbenchmark"

#: As in the role's unit.
_UNIT = (ROLE / "templates/gateway.service.j2").read_text(encoding="utf-8")
ENVIRONMENT = dict(word.split("=") for word in re.findall(r"^Environment=(.*)$", _UNIT, re.MULTILINE)[0].split())

#: What matters of the nginx that the role ran until November 2026; it neither chose by model nor spread conversations.
NGINX = """
daemon off;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log warn;
events {{ worker_connections 8192; }}
http {{
    client_max_body_size 64m;
    proxy_request_buffering off;
    access_log {directory}/access.log;
    ssl_certificate certificates/gateway.pem;
    ssl_certificate_key certificates/gateway.pem.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    map $http_authorization $key_name {{ default ""; "~^(?i:bearer) +{key}$" "default"; }}
    proxy_buffering off;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 3600s;
    upstream engine {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_timeout 3s; }}
    server {{
        listen {port} ssl http2;
        location /v1/ {{
            if ($key_name = "") {{ return 401; }}
            proxy_pass http://engine/v1/;
        }}
    }}
}}
"""


def certificate(directory: pathlib.Path) -> pathlib.Path:
    """Make a certificate as the role does, and return its path."""
    (directory / "certificates").mkdir(parents=True, exist_ok=True)
    path = directory / "certificates" / "gateway.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    words += ["-keyout", f"{path}.key", "-out", str(path), "-subj", "/CN=gpufleet gateway"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return path


def nginx(directory: pathlib.Path, port: int, upstream: int) -> None:
    """Write ``nginx.conf``."""
    text = NGINX.format(directory=directory, port=port, upstream=upstream, key=KEY)
    (directory / "nginx.conf").write_text(text, encoding="utf-8")


def haproxy(directory: pathlib.Path, deployments: list[dict[str, t.Any]], port: int, **wishes: t.Any) -> None:
    """Render the role's templates; only what a service's own user and directories need is left out."""
    keys_text = wishes.pop("keys_text", KEY)
    plan_wishes: dict[str, t.Any] = {
        name: wishes.pop(name) for name in ("limits", "pages", "acme_names") if name in wishes
    }
    values = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    node = {"cpus": os.cpu_count(), "memory_bytes": memory}
    values |= {"gateway_node": node, "gateway_user": "root", "gateway_metrics_port": port + 1, **wishes}
    same = ("metrics_port", "replica_requests", "queue_requests", "body_limit_mib")
    plan_wishes |= {name: values[f"gateway_{name}"] for name in same}
    plan = _gateway.plan(deployments, port, keys_text, **plan_wishes)
    if plan["mistakes"]:
        raise ValueError("; ".join(plan["mistakes"]))
    values["__gateway_plan"] = plan
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    environment.filters["to_json"] = json.dumps
    environment.filters["regex_escape"] = lambda text: text.replace(".", r"\.")
    for name in ("haproxy.cfg", "gateway.lua", "keys.map", "limits.map", "models.map"):
        template = environment.from_string((ROLE / "templates" / f"{name}.j2").read_text(encoding="utf-8"))
        text = template.render(values).replace("    chroot /var/lib/haproxy\n", "")
        text = text.replace("/run/gpufleet-gateway/admin.sock", f"{directory}/admin.sock")
        (directory / name).write_text(text, encoding="utf-8")
