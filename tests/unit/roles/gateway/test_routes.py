# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which paths pass, by the expressions of the gateway's own configuration."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROLE = pathlib.Path(__file__).parents[4] / "roles/gateway"
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))

#: What each engine answers beside a key, or to anybody who has one.
OPEN = {
    "vLLM": [
        "/metrics",
        "/version",
        "/load",
        "/docs",
        "/openapi.json",
        "/tokenize",
        "/detokenize",
        "/ping",
        "/invocations",
    ],
    "SGLang": [
        "/health_generate",
        "/ready",
        "/metrics",
        "/server_info",
        "/get_server_info",
        "/model_info",
        "/v1/loads",
    ],
    "TensorRT-LLM": ["/version", "/health_generate", "/server_info", "/perf_metrics", "/prometheus/metrics"],
}


def expression(name: str) -> re.Pattern[str]:
    text = (ROLE / "templates/haproxy.cfg.j2").read_text(encoding="utf-8")
    [found] = re.findall(rf"acl {name} var\(txn\.path\) -m reg (\S.*)$", text, re.MULTILINE)
    refused = "|".join(re.escape(route) for route in DEFAULTS["gateway_refused_routes"])
    return re.compile(re.sub(r"\{\{.*?\}\}", lambda _match: refused, found))


def passes(path: str) -> bool:
    if not expression("is_plain").search(path) or expression("is_dotted").search(path):
        return False
    return not expression("is_refused").search(path)


@pytest.mark.parametrize(
    "path",
    ["/v1/models", "/v1/models/org/a.b-1", "/v1/chat/completions", "/v1/responses/resp_1/cancel", "/v1/loadstone"],
)
def test_what_clients_need_passes(path: str) -> None:
    assert passes(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v12/models",
        "/metrics",
        "/v1/../metrics",
        "/metrics/../v1/models",
        "/v1/..",
        "/v1/./models",
    ],
)
def test_other_paths_do_not(path: str) -> None:
    assert not passes(path)


@pytest.mark.parametrize(
    "path",
    ["/v1//models", "/v1/%2e%2e/metrics", "/v1/a\\b", "/v1/a;b", "/v1/%6coad_lora_adapter", "/v1/load_lora_adapter/x"],
)
def test_other_spellings_do_not(path: str) -> None:
    assert not passes(path)


@pytest.mark.parametrize("engine", OPEN)
def test_open_routes_of_the_engines_are_closed_and_asked_for(engine: str) -> None:
    assert set(OPEN[engine]) <= set(DEFAULTS["gateway_forbidden_routes"])
    assert not [route for route in OPEN[engine] if passes(route)]


def test_no_forbidden_route_passes() -> None:
    assert not [route for route in DEFAULTS["gateway_forbidden_routes"] if passes(route)]
