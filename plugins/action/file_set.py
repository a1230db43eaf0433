# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leave the node alone when its facts show that all files are as wanted; else run the module of the same name."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _known_files


class ActionModule(ActionBase):
    """Takes the module's options; ``known`` stays on the controller."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        known = options.pop("known", None) or {}
        directories, files = options.get("directories") or [], options.get("files") or []
        if known and not _known_files.differing(directories, files, known):
            return dict(result, changed=False, changed_paths=[], reasons={}, kept_paths=[])
        return dict(result, **self._execute_module(module_args=options, task_vars=task_vars))
