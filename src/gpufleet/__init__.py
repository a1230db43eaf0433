# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the playbooks of the Ansible collection ``gpufleet.inference`` from Python."""

from __future__ import annotations

from gpufleet._data import Check, Endpoint, Event, NotRunnableError, Playbook, Run, TaskFailure
from gpufleet._run import run

__all__ = ["Check", "Endpoint", "Event", "NotRunnableError", "Playbook", "Run", "TaskFailure", "run"]
