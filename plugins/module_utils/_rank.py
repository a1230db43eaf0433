# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judge a rank by its unit, its container and the last words of its log.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _diagnosis
from ansible_collections.gpufleet.inference.plugins.module_utils._signature import NOTE, ROOT
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures import LASTING
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import (
    FAIL,
    NOT_VERIFIED,
    PASS,
    Check,
    check,
    not_verified,
)

#: What Ray and the supervisor say when a member cannot join → cause and remedy. First match wins: wrong token and wrong
#: version come with connection errors after them. Texts are those of Ray 2.60.
RAY_SIGNATURES: dict[str, str] = {
    r"InvalidAuthToken|AuthenticationError|Authentication token is missing": (
        "the token differs from the head's: run the ray_cluster role on all members again"
    ),
    r"Version mismatch: The cluster was started with": (
        "Ray or Python differ from the head's: give ray_cluster_image one image, with a digest, on all members"
    ),
    r"Ray is trying to start at (\S+), but is already running": "another Ray runs on this node: stop it",
    r"Address already in use|address already in use": "a port of ray_cluster_ports is taken on this node: change it",
    r"(\S+:\d+) does not accept.*refused": "the head is not up, or ray_cluster_ports.gcs differs; look at the head",
    r"(\S+:\d+) does not accept": (
        "the head's address is not reachable from here: check ray_cluster_interface, routes and firewalls between nodes"
    ),
    r"Failed to connect to GCS at address (\S+)": "the head does not answer there: check address, port and firewall",
    r"Unable to find image|No such image": "the image is not on this node: run serve.yml, which loads it",
}


def cause(text: str) -> str:
    """Return "matched text: remedy" of the first signature of Ray found in the text; empty when none is."""
    for pattern, remedy in RAY_SIGNATURES.items():
        found = re.search(pattern, text)
        if found:
            return f"{found[0]}: {remedy}"
    return ""


def _known(text: str) -> str:
    """Return "cause: what to do" of the best line that is known; empty when none is."""
    found = [one for one in _diagnosis.findings({"engine": "", "log": text}) if one["kind"] != NOTE]
    named = "{cause}: {fix}".format(**found[0]) if found else ""
    # What Ray says of a connection often comes after the cause; the supervisor's own words are only in this table.
    return named if found and found[0]["kind"] == ROOT else cause(text) or named


def lasts(status: str, log: str) -> bool:
    """Tell whether a rank, or the one that it waits for, has failed for a reason that another start does not mend."""
    if "failed" not in status:
        return False
    found = _diagnosis.findings({"engine": "", "log": f"{log}\n{status}"})
    return bool(found) and found[0]["name"] in LASTING


def judge(
    unit: str,
    shown: t.Mapping[str, str] | None,
    container: t.Mapping[str, t.Any] | None,
    log: str,
    docker_problem: str = "",
) -> list[Check]:
    """Return the checks of one rank.

    ``shown``: systemd's LoadState, ActiveState, UnitFileState, StatusText; None when systemd could not be asked.
    ``container``: Docker's State of it; None when there is none. ``log``: its last lines.
    ``docker_problem``: why Docker could not be asked; a rank that says it is ready is ``not_verified`` then.
    """
    name = f"rank {unit}"
    if shown is None:
        return [not_verified(name, "systemd did not answer", "ready", source=f"systemctl show {unit}")]
    if shown.get("LoadState") == "not-found":
        return [check(name, FAIL, "there is no such unit", "ready", "run serve.yml", f"systemctl show {unit}")]
    status = shown.get("StatusText", "")
    ready = shown.get("ActiveState") == "active" and status.startswith("ready")
    running = bool(container and container.get("Running"))
    why = "" if ready else _known(f"{log}\n{status}")
    last = " | ".join([line.strip() for line in log.splitlines() if line.strip()][-2:])[-300:]
    observed = f"{shown.get('ActiveState')}: {status or 'no status'}"
    verdict = PASS if ready and running else FAIL
    if ready and docker_problem:
        verdict = NOT_VERIFIED
        observed += f"; but its container could not be looked at: {docker_problem}"
    elif ready and not running:
        observed += "; but its container does not run"
    checks = [
        check(
            name,
            verdict,
            observed,
            "ready",
            why or f"see journalctl -u {unit}. Last words: {last or 'none'}",
            f"systemctl show {unit}; docker inspect",
        )
    ]
    enabled = shown.get("UnitFileState") == "enabled"
    checks.append(
        check(
            f"{name} after a reboot",
            PASS if enabled else FAIL,
            shown.get("UnitFileState"),
            "enabled",
            f"systemctl enable {unit}",
            f"systemctl show {unit}",
        )
    )
    return checks
