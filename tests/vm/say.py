# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress lines of the virtual machines, and what is proven."""

from __future__ import annotations

from tests.lab.shell import LabError


def say(text: str) -> None:
    """Print one progress line at once."""
    print(f"vm: {text}", flush=True)


def must(true: bool, what: str) -> None:
    """Print what is proven, or raise."""
    if not true:
        raise LabError(f"not so: {what}")
    say(f"proven: {what}")
