#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: kernel_caches
short_description: Remove compiled kernels that no deployment needs any more
version_added: 0.3.0
description:
  - Engines keep what they compile in one folder for each image and kind of GPU. A new image begins a new folder, and the old one
    stays.
  - Removes folders that are neither in O(used) nor mounted by a container that has not ended, but keeps the newest
    O(keep) of them for each deployment that became ready with them.
  - Removes nothing when Docker cannot be asked.
attributes:
  check_mode:
    description: Can run in check mode and says what would change.
    support: full
  diff_mode:
    description: Returns what changed, or would change.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
author:
  - The gpufleet founders (@gpufleet)
options:
  directory:
    description: Where the folders lie.
    type: path
    required: true
  used:
    description: Paths of folders that are planned to be used; they stay.
    type: list
    elements: path
    default: []
  keep:
    description: How many folders that are not used any more each deployment keeps, for the way back.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Give back what no deployment needs
  gpufleet.inference.kernel_caches:
    directory: /var/cache/gpufleet/engine
    used: [/var/cache/gpufleet/engine/0f1e2d3c4b5a-h200]
    keep: 1
"""

RETURN = r"""
removed:
  description: Folders that were removed, or would be, each with C(path), C(bytes) and C(ready), time by deployment.
  returned: always
  type: list
  elements: dict
kept:
  description: All other folders, in the same form.
  returned: always
  type: list
  elements: dict
freed_gib:
  description: What it gives back.
  returned: always
  type: float
"""

import os
import shutil
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _docker_socket, _kernel_folders


def plan(directory: str, used: t.Sequence[str], keep: int) -> dict[str, t.Any]:
    """Return {changed, removed, kept, freed_gib, diff} of what is to go.

    Raises OSError, and DockerUnreachableError when nobody can say which folders containers use.
    """
    folders = _kernel_folders.look(directory)
    if not folders:
        return {"changed": False, "removed": [], "kept": [], "freed_gib": 0.0}
    status, containers = _docker_socket.get("/containers/json?all=true")
    if status != 200:
        raise _docker_socket.DockerUnreachableError(f"Docker answered {status}: {containers}")
    held = {*(os.path.normpath(one) for one in used), *_kernel_folders.mounted(containers)}
    removed = _kernel_folders.choose(folders, held, keep)
    gone = {one["path"] for one in removed}
    text = "".join(f"{_kernel_folders.line(one)}\n" for one in removed)
    return {
        "changed": bool(removed),
        "removed": removed,
        "kept": [one for one in folders if one["path"] not in gone],
        "freed_gib": round(sum(one["bytes"] for one in removed) / (1 << 30), 2),
        "diff": {"before_header": directory, "after_header": directory, "before": text, "after": ""},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "directory": {"type": "path", "required": True},
            "used": {"type": "list", "elements": "path", "default": []},
            "keep": {"type": "int", "default": 1},
        },
        supports_check_mode=True,
    )
    if module.params["keep"] < 0:
        module.fail_json(msg=f"keep: {module.params['keep']} is less than none; write 0 or more")
    try:
        result = plan(**module.params)
        for folder in [] if module.check_mode else result["removed"]:
            shutil.rmtree(folder["path"])
    except _docker_socket.DockerUnreachableError as error:
        module.fail_json(msg=f"nothing was removed, as it is not known which folders containers use: {error}")
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}; look at that path and run again")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
