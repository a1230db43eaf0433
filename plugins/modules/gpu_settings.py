#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_settings
short_description: Set power limit, clocks, ECC, MIG and compute mode of the cards
version_added: 0.2.0
description:
  - Sets on every card what differs from the declared settings, and nothing else. A setting that is not named stays untouched.
  - All cards are looked at first. When one cannot take a setting, none is changed.
  - Tells which settings wait for a reset of the card or a reboot; it does neither.
  - Power limit, clocks and compute mode do not survive the end of the driver. NVML does not tell locked clocks, so what was set
    is kept under C(/run).
attributes:
  check_mode:
    description: Can run in check mode and says what would be set.
    support: full
  diff_mode:
    description: Returns what was set, or would be, per card.
    support: full
  idempotent:
    description: A second run with the same options sets nothing.
    support: full
requirements:
  - nvidia-ml-py on the node, which the role C(gpufleet.inference.node_tools) brings.
author:
  - The gpufleet founders (@gpufleet)
options:
  settings:
    description:
      - C(power_limit_w), watts. C(locked_clocks_mhz), the least and the most SM clock, or an empty list to release them.
      - C(ecc) and C(mig), whether they are on. C(compute_mode), V(default), V(exclusive_process) or V(prohibited).
    type: dict
    required: true
  python:
    description: Python of the node that has nvidia-ml-py, used when the present one has not.
    type: path
    default: /usr/local/lib/gpufleet/venv/bin/python3
  timeout_seconds:
    description: Bound of all calls of the driver together.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Cap the power of every card
  gpufleet.inference.gpu_settings:
    settings:
      power_limit_w: 500
"""

RETURN = r"""
changes:
  description: What was set, or would be in check mode.
  returned: always
  type: list
  elements: dict
  sample:
    - gpu: 0
      setting: power_limit_w
      before: 700.0
      after: 500
waits_for_reset:
  description: Number of the GPU, as text, to the settings that wait for a reset of the card or a reboot.
  returned: always
  type: dict
  sample: {"0": [ecc]}
"""

import json
import os
import select
import signal
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.respawn import has_respawned, respawn_module

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_settings as core

Answer = dict[str, t.Any]


def has_library() -> bool:
    """Tell whether this Python has nvidia-ml-py."""
    try:
        import pynvml
    except ImportError:
        return False
    return bool(pynvml)


def look(nvml: t.Any, index: int, clocks: t.Mapping[str, list[int]]) -> dict[str, t.Any]:
    """Return a card as plain data, shape of ``_gpu_settings``."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)

    def ask(function: str, *arguments: t.Any) -> t.Any:
        try:
            return getattr(nvml, function)(handle, *arguments)
        except nvml.NVMLError_NotSupported:
            return None

    uuid = nvml.nvmlDeviceGetUUID(handle)
    return {
        "index": index,
        "uuid": uuid,
        "power_limit_mw": ask("nvmlDeviceGetPowerManagementLimit"),
        "power_constraints_mw": ask("nvmlDeviceGetPowerManagementLimitConstraints"),
        "ecc": ask("nvmlDeviceGetEccMode"),
        "mig": ask("nvmlDeviceGetMigMode"),
        "compute_mode": ask("nvmlDeviceGetComputeMode"),
        "max_clock_sm_mhz": ask("nvmlDeviceGetMaxClockInfo", nvml.NVML_CLOCK_SM),
        "locked_clocks_mhz": clocks.get(uuid),
    }


def set_one(nvml: t.Any, change: core.Change) -> None:
    """Set one thing on one card."""
    handle, value = nvml.nvmlDeviceGetHandleByIndex(change["gpu"]), change["after"]
    if change["setting"] == "ecc":
        nvml.nvmlDeviceSetEccMode(handle, int(value))
    elif change["setting"] == "mig":
        nvml.nvmlDeviceSetMigMode(handle, int(value))
    elif change["setting"] == "compute_mode":
        nvml.nvmlDeviceSetComputeMode(handle, core.COMPUTE_MODES[value])
    elif change["setting"] == "power_limit_w":
        nvml.nvmlDeviceSetPowerManagementLimit(handle, int(value * 1000))
    elif value:
        nvml.nvmlDeviceSetGpuLockedClocks(handle, *value)
    else:
        nvml.nvmlDeviceResetGpuLockedClocks(handle)


def work(settings: dict[str, t.Any], check: bool) -> Answer:
    """Return {"changes", "waits_for_reset"}, or {"msg"} when it cannot be done."""
    import pynvml as nvml

    done: list[core.Change] = []
    try:
        nvml.nvmlInit()
        clocks = core.recorded()
        cards = [look(nvml, index, clocks) for index in range(nvml.nvmlDeviceGetCount())]
        wrong = core.mistakes(settings, cards)
        if wrong:
            return {"msg": " ".join(wrong)}
        wanted = [change for card in cards for change in core.changes(settings, card)]
        for change in [] if check else wanted:
            set_one(nvml, change)
            done.append(change)
            if change["setting"] == "locked_clocks_mhz":
                clocks[cards[change["gpu"]]["uuid"]] = change["after"]
                core.remember(clocks)
        after = [look(nvml, card["index"], clocks) for card in cards]
    except nvml.NVMLError as error:
        told = "; ".join(f"GPU {one['gpu']} {one['setting']}" for one in done) or "nothing"
        return {"msg": f"NVML says: {error} ({type(error).__name__}). Set until then: {told}. Setting needs root."}
    waits = {str(card["index"]): core.pending(card) for card in after if core.pending(card)}
    return {"changes": wanted, "waits_for_reset": waits}


def bounded_work(settings: dict[str, t.Any], check: bool, timeout_seconds: int) -> Answer:
    """Return what ``work`` does in a child process: a driver that hangs must not hang the module."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            json.dump(work(settings, check), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "r", encoding="utf-8") as pipe:
        ready, _w, _x = select.select([pipe], [], [], timeout_seconds)
        text = pipe.read() if ready else ""
    if not ready:
        # A process that the driver holds cannot be waited for.
        os.kill(pid, signal.SIGKILL)
        return {
            "msg": f"The driver did not answer within {timeout_seconds} s. Look at `journalctl -k -g NVRM`; reboot the node."
        }
    os.waitpid(pid, 0)
    if not text:
        return {"msg": "The process that asked the driver died. Look at `journalctl -k -g NVRM`."}
    return dict(json.loads(text))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "settings": {"type": "dict", "required": True},
            "python": {"type": "path", "default": "/usr/local/lib/gpufleet/venv/bin/python3"},
            "timeout_seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    if not has_library():
        if not has_respawned() and os.access(module.params["python"], os.X_OK):
            respawn_module(module.params["python"])
        module.fail_json(msg="nvidia-ml-py is not on this node. Run the role node_tools first, or give O(python).")
    answer = bounded_work(module.params["settings"], module.check_mode, module.params["timeout_seconds"])
    if "msg" in answer:
        module.fail_json(**answer)
    told = {
        key: "".join(f"GPU {one['gpu']} {one['setting']}: {one[key]}\n" for one in answer["changes"])
        for key in ("before", "after")
    }
    module.exit_json(changed=bool(answer["changes"]), diff=told, **answer)


if __name__ == "__main__":
    main()
