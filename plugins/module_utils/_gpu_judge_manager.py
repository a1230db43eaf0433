# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges of who runs the fabric on this node: Fabric Manager, NVSwitches, nvlsm, IMEX.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_action import HANDS_ON, RESTART_FABRIC
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_judge_common import Finding, Judged, Node, Skip
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import FAIL, NOT_VERIFIED, PASS, WARN

_UNIT = "nvidia-fabricmanager.service"
_DAEMON = "nv-fabricmanager"
_ROLE = "Run the role gpufleet.inference.nvidia_driver here."

#: Lines of Fabric Manager's log: pattern, verdict. The texts are NVIDIA's own (gpu-operator issue 544, gpud 4a8de33).
_LOG_LINES: tuple[tuple[t.Pattern[str], str, str], ...] = (
    (re.compile(r"don't match with driver version"), FAIL, "its version is not the driver's"),
    (re.compile(r"NVSwitches don't match with any supported system topology"), FAIL, "NVSwitches are missing"),
    (re.compile(r"(?i)\bnon-?fatal\b"), WARN, "NVSwitch error that is not fatal"),
    (re.compile(r"(?i)\bfatal\b"), FAIL, "fatal NVSwitch error"),
    (re.compile(r"NV_WARN_NOTHING_TO_DO"), WARN, "it found no NVSwitch"),
)


def needed(node: Node) -> bool | None:
    """Tell whether Fabric Manager must run here; None when nobody can say.

    It belongs where the NVSwitches are visible. A guest that sees none has a host that runs it; in a rack it runs on the
    switch trays; on NVLink 5 boards the switches hide behind ConnectX functions.
    """
    wished = node.profile.fabric_manager
    if wished != "auto":
        return wished == "required"
    if node.profile.nvswitches == 0:
        return False
    if node.host["nvswitches"]:
        return True
    if "nvswitch5" in node.fabrics and not node.guest:
        return True if node.guest is False else None
    if node.host["nvswitches"] is None and ("nvswitch" in node.fabrics or not node.cards):
        return None
    if not node.cards:
        return None
    # A full board on bare metal shows its switches: `NVSwitches` fails there, and the manager is as needed.
    return "nvswitch" in node.fabrics and node.guest is False and len(node.cards) == FULL_BOARD


#: GPUs of a board with NVSwitches; boards of four GPUs have direct links.
FULL_BOARD = 8


def switches(node: Node) -> Judged:
    found, source = node.host["nvswitches"], "/sys/bus/pci, class 0680"
    wished = node.profile.nvswitches
    if wished is None:
        if node.guest:
            return Skip("switches belong to the machine around this guest")
        if node.cards and "nvswitch" not in node.fabrics and all(node.cards):
            return Skip("these cards have no NVSwitch on PCI")
        if node.cards and len(node.cards) < FULL_BOARD and not found:
            return Skip(f"a board of fewer than {FULL_BOARD} GPUs has no NVSwitch: say nvswitches in expect")
        cards = [card for card in node.cards if card and card.fabric == "nvswitch"]
        wished = cards[0].nvswitches if cards else None
    if found is None:
        return Finding(NOT_VERIFIED, "/sys could not be read", wished, "Look at lspci -d 10de: by hand.", source)
    fallen = [one["pci"] for one in found if one["revision"] == "ff"]
    if fallen:
        remedy = "It fell off the bus: reboot; if it does so again, let the board be replaced."
        return Finding(FAIL, f"{', '.join(fallen)}: revision ff", wished, remedy, source, HANDS_ON)
    if wished is None:
        remedy = "Set nvswitches in expect."
        return Finding(NOT_VERIFIED, len(found), "the catalogue does not say", remedy, source)
    remedy = "A switch is missing: power the node off and on, then let the board be replaced. Or correct nvswitches in expect."
    return Finding(PASS if len(found) == wished else FAIL, len(found), wished, remedy, source, HANDS_ON)


def _not_needed(node: Node) -> Skip:
    if node.profile.fabric_manager == "absent":
        return Skip("expect.fabric_manager is absent")
    return Skip("no NVSwitch of this node is its own to run")


def manager_runs(node: Node) -> Judged:
    """The process counts, not an open port: a wedged manager still listens, a containerised one has no unit."""
    wanted, units = needed(node), node.host["units"]
    unit = None if units is None else units.get(_UNIT)
    running = node.host["processes"].get(_DAEMON)
    source = f"systemctl show {_UNIT}, /proc"
    if wanted is None:
        remedy = "Set fabric_manager in expect."
        return Finding(NOT_VERIFIED, "nobody knows whether it is needed", "", remedy, source)
    if not wanted:
        if node.profile.fabric_manager == "absent" and unit and unit["active"] == "active":
            return Finding(WARN, "active", "absent", "Stop and disable it, or correct expect.", source)
        return _not_needed(node)
    if unit is None or unit["load"] == "not-found":
        if running:
            return Finding(PASS, f"process {running[0]}, without a unit", "runs", source=source)
        if unit is None:
            why = node.host["units_problem"] or "systemd could not be asked"
            return Finding(NOT_VERIFIED, why, "runs", "Look for the process nv-fabricmanager.", source)
        return Finding(FAIL, "not installed", "runs", f"Install it in the driver's own version. {_ROLE}", source)
    if unit["active"] != "active":
        remedy = f"Look at journalctl -u {_UNIT}; its version must be the driver's."
        observed = f"{unit['active']} ({unit['result'] or unit['sub']})"
        return Finding(FAIL, observed, "runs", remedy, source, RESTART_FABRIC)
    if running is not None and not running:
        return Finding(FAIL, "active, but there is no process", "runs", "", source, RESTART_FABRIC)
    most = node.profile.threshold("fabric_manager_restarts")
    if unit["restarts"] >= most:
        remedy = f"It keeps failing: look at journalctl -u {_UNIT}."
        return Finding(FAIL, f"restarted {unit['restarts']} times", f"fewer than {most:.0f}", remedy, source)
    return Finding(PASS, "runs", "runs", source=source)


def manager_version(node: Node) -> Judged:
    """All three numbers: Fabric Manager refuses to work with any other driver."""
    read, driver = node.host["fabric_manager"], node.driver_version
    source = "nv-fabricmanager --version, package database"
    wanted = needed(node)
    if not wanted:
        return (
            _not_needed(node) if wanted is False else Finding(NOT_VERIFIED, "see `Fabric Manager`", driver, "", source)
        )
    if not read["installed"]:
        return Finding(FAIL, "not installed", driver, _ROLE, source)
    if not read["version"] or not driver:
        why = read["problem"] or "a version could not be read"
        return Finding(NOT_VERIFIED, why, driver, "Compare nv-fabricmanager --version with the driver.", source)
    remedy = f"Install exactly {driver} of it and hold both. {_ROLE}"
    return Finding(PASS if read["version"] == driver else FAIL, read["version"], driver, remedy, source, RESTART_FABRIC)


def manager_log(node: Node) -> Judged:
    log, source = node.host["fabric_manager"]["log"], "journal of nvidia-fabricmanager, its log file"
    wanted = needed(node)
    if not wanted and not log["lines"]:
        return _not_needed(node)
    if not log["source"]:
        why = log["problem"] or "there is none"
        return Finding(NOT_VERIFIED, why, "no fault", f"Look at journalctl -u {_UNIT}.", source)
    found: list[tuple[str, str, str]] = []
    for line in log["lines"]:
        known = next(((verdict, name) for one, verdict, name in _LOG_LINES if one.search(line["text"])), None)
        if known:
            found.append((*known, line["text"]))
    if not found:
        if not log["complete"]:
            return Finding(NOT_VERIFIED, "lines of this boot were lost", "no fault", "Keep the journal.", source)
        return Finding(PASS, "no fault", "no fault", source=source)
    failed = any(verdict == FAIL for verdict, name, text in found)
    observed = sorted({name for verdict, name, text in found})
    remedy = f"Its own words: {found[-1][2].strip()[:200]}"
    return Finding(FAIL if failed else WARN, observed, "no fault", remedy, source, RESTART_FABRIC)


def subnet_manager(node: Node) -> Judged:
    """NVLink 5 boards (HGX B200, B300): Fabric Manager works through nvlsm, which speaks MAD to ConnectX functions."""
    if "nvswitch5" not in node.fabrics or node.guest or node.profile.fabric_manager == "absent":
        return Skip("no NVLink 5 switches of this node are its own to run")
    bridges, source = node.host["nvlink5_bridges"], "/sys/module/ib_umad, /proc, VPD of ConnectX functions"
    expected = "bridges seen, ib_umad loaded, nvlsm runs"
    if bridges["problem"] and not bridges["pci"]:
        return Finding(NOT_VERIFIED, bridges["problem"], expected, "Look at lspci -vv of ConnectX functions.", source)
    faults = []
    if not bridges["pci"]:
        faults.append("no bridge function on PCI")
    if not node.host["modules"]["ib_umad"]["loaded"]:
        faults.append("ib_umad is not loaded")
    if not node.host["processes"].get("nvlsm"):
        faults.append("nvlsm does not run")
    if faults:
        remedy = "Install nvlsm, load ib_umad at boot (/etc/modules-load.d), then restart nvidia-fabricmanager."
        return Finding(FAIL, faults, expected, remedy, source, RESTART_FABRIC)
    return Finding(PASS, f"{len(bridges['pci'])} bridges", expected, source=source)


def imex(node: Node) -> Judged:
    """A rack's GPUs reach each other's memory through channels that nvidia-imex hands out."""
    if "rack" not in node.fabrics:
        return Skip("this is no rack")
    units, source = node.host["units"], "systemctl show nvidia-imex, nodes_config.cfg, /dev/nvidia-caps-imex-channels"
    expected = "runs, knows its nodes, has channels"
    if units is None or node.host["imex"]["nodes"] is None:
        why = node.host["units_problem"] or "nodes_config.cfg could not be read"
        return Finding(NOT_VERIFIED, why, expected, "Look at systemctl status nvidia-imex.", source)
    faults = []
    if units["nvidia-imex.service"]["active"] != "active":
        faults.append("nvidia-imex is not active")
    if not node.host["imex"]["nodes"]:
        faults.append("nodes_config.cfg names no node")
    if not node.host["capability_nodes"].get("nvidia-caps-imex-channels"):
        faults.append("no channel in /dev")
    if faults:
        remedy = "Write all nodes of the rack into /etc/nvidia-imex/nodes_config.cfg, start nvidia-imex, make channels."
        return Finding(FAIL, faults, expected, remedy, source)
    return Finding(PASS, f"{len(node.host['imex']['nodes'])} nodes", expected, source=source)


JUDGES: dict[str, t.Callable[[Node], Judged]] = {
    "NVSwitches": switches,
    "Fabric Manager": manager_runs,
    "Fabric Manager's version": manager_version,
    "Fabric Manager's log": manager_log,
    "NVLink subnet manager": subnet_manager,
    "IMEX": imex,
}
