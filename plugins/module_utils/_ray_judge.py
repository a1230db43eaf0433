# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a Ray cluster by what its dashboard answers, and its ports by who may connect.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    PASS,
    Check,
    check,
    not_verified,
)


def judge_nodes(
    nodes: list[dict[str, t.Any]] | None, why: str, addresses: list[str], gpus: float | None
) -> list[Check]:
    """Return the checks of membership. ``nodes`` as /api/v0/nodes gives them, None with the reason ``why``."""
    source = "GET /api/v0/nodes"
    if nodes is None:
        return [not_verified("Ray members", why, addresses, "see the head's rank: journalctl -u gpufleet-ray", source)]
    alive = {node.get("node_ip"): node for node in nodes if node.get("state") == "ALIVE"}
    absent = sorted(set(addresses) - set(alive))
    strangers = sorted(str(one) for one in set(alive) - set(addresses))
    checks = [
        check(
            "Ray members",
            FAIL if absent else PASS,
            f"{len(alive)} alive" + (f", missing {', '.join(absent)}" if absent else ""),
            f"{len(addresses)} alive",
            "look at gpufleet-ray.service of the missing ones; rank_health there names the reason",
            source,
        ),
        check(
            "Ray members that nobody declared",
            FAIL if strangers else PASS,
            ", ".join(strangers) or "none",
            "none",
            "a stranger holds the token: take it out, then give ray_cluster_token a new value",
            source,
        ),
    ]
    if gpus is not None:
        have = sum(float((one.get("resources_total") or {}).get("GPU", 0)) for one in alive.values())
        checks.append(
            check(
                "Ray GPUs", PASS if have == gpus else FAIL, have, gpus, "compare the members' GPUs with Ray's", source
            )
        )
    return checks


def judge_authentication(without: int | None, wrong: int | None, why: str) -> Check:
    """Return the check that Ray refuses who has no token or a wrong one; statuses of /api/v0/nodes."""
    expected, source = "401 without a token, 401 or 403 with a wrong one", "GET /api/v0/nodes"
    if without is None or wrong is None:
        return not_verified("Ray token authentication", why, expected, source=source)
    good = without == 401 and wrong in (401, 403)
    return check(
        "Ray token authentication",
        PASS if good else FAIL,
        f"{without} without a token, {wrong} with a wrong one",
        expected,
        "set RAY_AUTH_MODE=token on every member: run the ray_cluster role again",
        source,
    )


def judge_closed(what: str, where: str, outcome: str, from_member: bool) -> Check:
    """Return the check that a port is closed to outsiders.

    ``outcome``: refused, timeout, unreachable or accepted.
    """
    name, expected, source = f"closed to outsiders: {what}", "refused or filtered", f"connect to {where}"
    if from_member:
        return not_verified(name, "tried from a member, which may connect", expected, source=source)
    return check(
        name,
        FAIL if outcome == "accepted" else PASS,
        f"{where} {outcome}",
        expected,
        "set ray_cluster_firewall_enabled, or close it in your own firewall: who reaches it may run code as root",
        source,
    )
