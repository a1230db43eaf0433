# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizing of all deployments at once: results, the table of ``plan.yml``, and what a start must be refused for.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import (
    _sizing,
    _sizing_advice,
    _sizing_text,
    _sizing_wish,
)
from ansible_collections.gpufleet.inference.plugins.plugin_utils._model_shape import ShapeError

GIB = _sizing.GIB


def account(
    deployment: t.Mapping[str, t.Any],
    info: t.Mapping[str, t.Any],
    nodes: t.Sequence[t.Mapping[str, t.Any]],
    concurrency: int = 0,
) -> dict[str, t.Any]:
    """Return the account of one deployment: what ``_sizing.size`` gives, and ``sentences`` and ``nearest`` with it.

    deployment   an item of engine_deployments; ``concurrency`` is asked for where the item asks for none itself
    info         {config, tensors, bytes} of ``model_info``
    nodes        {name, gpus, gpu_gib, gpu_kind, gpu_gbs, read_gbs, warm} of the nodes of the deployment

    ``fits`` is None and ``problem`` says why, when it could not be looked at.
    """
    wish = _sizing_wish.of_deployment(deployment, concurrency)
    try:
        model, fleet = _sizing.model(info, str(deployment.get("model", ""))), _sizing.fleet(nodes)
    except ShapeError as error:
        return {"fits": None, "problem": str(error), "mistakes": [], "nearest": [], "sentences": [], "parallel": "-"}
    result = _sizing.size(model, wish, fleet)
    return {
        **result,
        "problem": result.get("unsized", ""),
        "sentences": _sizing_text.sentences(model, wish, fleet, result),
        "nearest": [] if result["fits"] is not False else _sizing_advice.nearest(model, wish, fleet),
    }


def proposals(
    deployment: t.Mapping[str, t.Any],
    info: t.Mapping[str, t.Any],
    nodes: t.Sequence[t.Mapping[str, t.Any]],
    concurrency: int = 0,
) -> dict[str, t.Any]:
    """Return {smallest, fastest, problem} of a deployment whose sizes are still open; see ``_sizing_advice.proposals``."""
    wish = _sizing_wish.of_deployment(deployment, concurrency)
    try:
        model, fleet = _sizing.model(info, str(deployment.get("model", ""))), _sizing.fleet(nodes)
    except ShapeError as error:
        return {"smallest": None, "fastest": None, "problem": str(error)}
    return {**_sizing_advice.proposals(model, wish, fleet), "problem": model.shape.unsized}


def refusals(name: str, found: t.Mapping[str, t.Any], force: bool = False) -> list[str]:
    """Return why a deployment must not be started, with the number and the nearest changes; empty when it may.

    What could not be looked at is no reason to refuse. ``force`` lets through what
    lacks memory by this account, never a split that no engine accepts.
    """
    if found["fits"] is not False:
        return []
    changes = "; ".join(f"({at}) {change}" for at, change in enumerate(found["nearest"], 1))
    help_text = f" It would fit with {changes}." if changes else ""
    if found["mistakes"]:
        return [f"deployment {name}: {found['parallel']} is not possible: {'; '.join(found['mistakes'])}.{help_text}"]
    if force:
        return []
    return [
        f"deployment {name}: does not fit, each GPU lacks {-found['spare_gib']:.1f} GiB for one request of "
        f"{found['context']:,} tokens (weights {found['weights_gib']:.1f} GiB, {found['kv_gib']:.1f} GiB left for the "
        f"KV cache).{help_text} force: true starts it all the same."
    ]


def overview(
    deployments: t.Sequence[t.Mapping[str, t.Any]],
    models: t.Mapping[str, t.Mapping[str, t.Any]],
    nodes: t.Mapping[str, t.Mapping[str, t.Any]],
    concurrency: int = 0,
) -> dict[str, t.Any]:
    """Return {deployments: {name: account}, table: lines, mistakes: sentences} of all deployments.

    models  {name: {config, tensors, bytes}}
    nodes   {name: {gpus, gpu_gib, …}}; a deployment without ``nodes`` has them all
    """
    accounts: dict[str, dict[str, t.Any]] = {}
    rows, mistakes = [], []
    for one in deployments:
        names = list(one.get("nodes") or nodes)
        own = [{"name": name, **nodes.get(name, {})} for name in names]
        found = account(one, models.get(str(one.get("model")), {}), own, concurrency)
        accounts[str(one["name"])] = found
        rows.append({"title": f"{one['name']} × {len(names)}", "result": found})
        mistakes += refusals(str(one["name"]), found, bool(one.get("force")))
    return {"deployments": accounts, "table": _sizing_text.table(rows), "mistakes": mistakes}
