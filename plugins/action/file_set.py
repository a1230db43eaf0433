# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render templates, and leave the node alone when its facts show that all files are as wanted; else run the module."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _known_files


class ActionModule(ActionBase):
    """Takes the module's options; ``known`` stays on the controller."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        known = options.pop("known", None) or {}
        directories = options.get("directories") or []
        files = [self._rendered(item, task_vars or {}) for item in options.get("files") or []]
        if files:
            options["files"] = files
        if known and not _known_files.differing(directories, files, known):
            return dict(result, changed=False, changed_paths=[], reasons={}, kept_paths=[])
        return dict(result, **self._execute_module(module_args=options, task_vars=task_vars))

    def _rendered(self, item: t.Mapping[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return a file with its template's text as content.

        The lookup of the same purpose copies all variables for each file, which costs more than everything else here.
        """
        file = {key: value for key, value in item.items() if key not in ("template", "template_vars")}
        if not item.get("template") or item.get("state") == "absent":
            return file
        if "content" in item:
            raise AnsibleError(f"{item.get('path')}: content and template exclude each other")
        source = self._find_needle("templates", item["template"])
        text = trust_as_template(self._loader.get_text_file_contents(source))
        templar = self._templar.copy_with_new_env(available_variables=task_vars | (item.get("template_vars") or {}))
        return {**file, "content": templar.template(text, escape_backslashes=False) or ""}
