# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to do with a sick GPU: actions from weakest to strongest, and how to take the strongest of several.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

NONE = "none"
RESTART_APPLICATION = "restart_application"
DRAIN = "drain"
RESTART_FABRIC = "restart_fabric"
RESET = "reset"
REBOOT = "reboot"
HANDS_ON = "hands_on"
REPLACE = "replace"

#: Action → what to do, from weakest to strongest.
ACTIONS: dict[str, str] = {
    NONE: "",
    RESTART_APPLICATION: "Restart the application that ran on this GPU.",
    DRAIN: "Stop what uses this GPU; then look at its recovery action again.",
    RESTART_FABRIC: "Stop all CUDA jobs, restart nvidia-fabricmanager (on GB200 and GB300 nvidia-imex), look again.",
    RESET: "Stop what uses this GPU and reset it (nvidia-smi --gpu-reset); if that is refused, reboot the node.",
    REBOOT: "Drain and reboot the node; if the fault comes back, let the hardware be inspected.",
    HANDS_ON: "Power the node off and look at cables, power and seating of this GPU.",
    REPLACE: "Take the node out of service and let the vendor replace the part.",
}

_ORDER = tuple(ACTIONS)

#: Value of NVML field 230, and the number in the text of Xid 154 → action. nvml.h, API 13, read 2026-07-01.
#: 3 is drain P2P, 4 drain and reset, 5 IMEX, 6 a reset of the bus, 7 of the whole system.
RECOVERY_ACTIONS: dict[int, str] = {
    0: NONE,
    1: RESET,
    2: REBOOT,
    3: DRAIN,
    4: RESET,
    5: RESTART_FABRIC,
    6: REBOOT,
    7: REBOOT,
}

#: Text in brackets of Xid 154 → action; the words are looked for in this order.
_RECOVERY_WORDS: tuple[tuple[str, str], ...] = (
    ("reboot", REBOOT),
    ("bus reset", REBOOT),
    ("reset", RESET),
    ("imex", RESTART_FABRIC),
    ("drain", DRAIN),
    ("none", NONE),
)


def strongest(actions: t.Iterable[str]) -> str:
    """Return the strongest of the actions, ``none`` for no action. Raises ValueError for an unknown one."""
    found = NONE
    for action in actions:
        if action not in ACTIONS:
            raise ValueError(f"unknown action {action!r}; known: {', '.join(ACTIONS)}")
        found = max(found, action, key=_ORDER.index)
    return found


def stronger(one: str, other: str) -> bool:
    """Tell whether ``one`` is more than ``other``."""
    return strongest([one, other]) != other


def recovery_action(text: str) -> str | None:
    """Return the action that the text of Xid 154 changed to, or None when nobody knows these words.

    ``GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)``
    """
    found = re.search(r"recovery action changed .*?\bto 0x([0-9a-fA-F]+)(?: \(([^)]*)\))?", text)
    if not found:
        return None
    for word, action in _RECOVERY_WORDS:
        if word in (found[2] or "").lower():
            return action
    return RECOVERY_ACTIONS.get(int(found[1], 16))
