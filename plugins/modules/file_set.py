#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: file_set
short_description: Write all files of a role in one round trip
version_added: 0.1.0
description:
  - Makes a list of directories and files on the node as wanted - content, mode, owner - and removes those wanted absent.
  - Files are replaced atomically. The first foreign version of a file under C(/etc) is kept beside it with the suffix
    C(.before-gpufleet).
  - An action plugin on the controller renders templates, and leaves the node alone when O(known) shows that everything is as
    wanted.
attributes:
  check_mode:
    description: Can run in check mode and says what would change.
    support: full
  diff_mode:
    description: Returns what changed, or would change, per path.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
author:
  - The gpufleet founders (@gpufleet)
options:
  directories:
    description: Directories that must exist; made before the files, parents included.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      mode:
        description: Mode as an octal string.
        type: str
        default: "0755"
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      state:
        description: Whether the directory is wanted; V(absent) removes it with all that is in it.
        type: str
        choices: [present, absent]
        default: present
  files:
    description: Files that must exist, or be absent.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      content:
        description: The whole text of the file. This or O(files[].template) is needed when O(files[].state=present).
        type: str
      template:
        description: A template on the controller, found as M(ansible.builtin.template) finds it, which gives the content.
        type: str
      template_vars:
        description: Variables of the template beside those of the task.
        type: dict
      mode:
        description: Mode as an octal string.
        type: str
        default: "0644"
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      state:
        description: Whether the file is wanted.
        type: str
        choices: [present, absent]
        default: present
      secret:
        description: Whether the content must not be shown in a diff. Such a file is always compared on the node.
        type: bool
        default: false
      shared:
        description:
          - Whether others write files of this name, too. When it is made absent, M(gpufleet.inference.node_facts) forgets it, so
            that what somebody writes there afterwards is not taken for ours.
        type: bool
        default: false
  known:
    description:
      - What M(gpufleet.inference.node_facts) said of C(paths) in this run. It is only as good as it is fresh - leave it out,
        or read the node again, where a run changes a path twice.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Write two files at once
  gpufleet.inference.file_set:
    directories:
      - path: /etc/gpufleet
        mode: "0750"
    files:
      - path: /etc/sysctl.d/90-gpufleet.conf
        content: |
          net.core.somaxconn = 65535
      - path: /etc/gpufleet/ray_token
        content: "{{ ray_cluster_token }}"
        mode: "0600"
        secret: true
  no_log: true
"""

RETURN = r"""
changed_paths:
  description: The paths that were changed, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [/etc/sysctl.d/90-gpufleet.conf]
reasons:
  description: Path to the reason why it had to change.
  returned: always
  type: dict
  sample: {/etc/sysctl.d/90-gpufleet.conf: has other content}
kept_paths:
  description: Where foreign files that were replaced are kept.
  returned: always
  type: list
  elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils._files import (
    Wish,
    apply,
    difference,
    look,
    reason,
    register,
)


def wishes(params: dict[str, t.Any]) -> list[Wish]:
    """Return the wanted paths, directories first. Raises ValueError with every mistake of the options."""
    mistakes: list[str] = []
    wanted: list[Wish] = []
    for kind in ("directories", "files"):
        for item in params[kind]:
            directory, present = kind == "directories", item["state"] == "present"
            if not item["path"].startswith("/"):
                mistakes.append(f"{item['path']}: the path must be absolute")
            if present and not directory and item["content"] is None:
                mistakes.append(f"{item['path']}: content is needed")
            try:
                mode = int(item["mode"], 8)
            except ValueError:
                mistakes.append(f'{item["path"]}: mode {item["mode"]!r} is not an octal string such as "0644"')
                mode = 0
            wanted.append(
                Wish(
                    path=item["path"],
                    content=None if directory else item["content"],
                    mode=mode,
                    owner=item["owner"],
                    group=item["group"],
                    present=present,
                    directory=directory,
                    secret=bool(item.get("secret")),
                    shared=bool(item.get("shared")),
                )
            )
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return wanted


def main() -> None:
    shared: dict[str, t.Any] = {
        "path": {"type": "path", "required": True},
        "owner": {"type": "str", "default": "root"},
        "group": {"type": "str", "default": "root"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    module = AnsibleModule(
        argument_spec={
            "directories": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": dict(shared, mode={"type": "str", "default": "0755"}),
            },
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": dict(
                    shared,
                    content={"type": "str"},
                    # Both become content on the controller.
                    template={"type": "str"},
                    template_vars={"type": "dict"},
                    mode={"type": "str", "default": "0644"},
                    secret={"type": "bool", "default": False},
                    shared={"type": "bool", "default": False},
                ),
            },
            "known": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
        # The node's journal would show the options, and so the text of secret files.
        no_log=True,
    )
    module.no_log_values.update(one["content"] for one in module.params["files"] if one["secret"] and one["content"])
    reasons: dict[str, str] = {}
    diff: list[dict[str, str]] = []
    kept: list[str] = []
    try:
        wanted = wishes(module.params)
        for wish in wanted:
            seen = look(wish.path)
            why = reason(wish, seen)
            if not why:
                continue
            if not module.check_mode:
                kept_path = apply(wish, seen)
                kept.extend([kept_path] if kept_path else [])
            reasons[wish.path] = why
            diff.append(difference(wish, seen))
        if not module.check_mode:
            register(wanted)
    except (ValueError, OSError, KeyError) as error:
        module.fail_json(
            msg=f"The files could not be written: {error}. Done until then: {', '.join(reasons) or 'nothing'}."
        )
    module.exit_json(changed=bool(reasons), changed_paths=sorted(reasons), reasons=reasons, kept_paths=kept, diff=diff)


if __name__ == "__main__":
    main()
