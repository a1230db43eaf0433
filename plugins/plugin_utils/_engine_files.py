# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the ranks on a node: spec and unit of each, files of options, and what ranks log in to each other with.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import SSH_IN_CONTAINER

UNITS = "/etc/systemd/system"

Items = list[dict[str, t.Any]]

#: Keys of a deployment, as they are called on the controller.
KEYS = ("client", "client.pub", "host", "host.pub")


def wanted(ranks: t.Sequence[t.Mapping[str, t.Any]], directory: str, keys: t.Mapping[str, str]) -> dict[str, Items]:
    """Return {directories, files} for ``file_set``: all that the ranks of a node need under ``directory``, and their units.

    keys  {"<deployment>-<one of KEYS>": text}; where none are yet, as in check mode on a fresh controller, texts are empty
    """
    paths = [directory, f"{directory}/plans"]
    files: Items = []
    for rank in ranks:
        stem = pathlib.PurePosixPath(rank["unit"]).stem
        spec = f"{directory}/plans/{stem}.json"
        files.append(
            {"path": spec, "content": json.dumps(rank["spec"], indent=4, sort_keys=True) + "\n", "mode": "0640"}
        )
        files.append(
            {
                "path": f"{UNITS}/{rank['unit']}",
                "template": "gpufleet-engine.service.j2",
                "template_vars": {"__engine_rank": {"unit": rank["unit"], "rank": rank["rank"], "spec_path": spec}},
            }
        )
        paths += [f"{directory}/plans/{stem}"] if rank["files"] else []
        # The engine may run as anybody in its container; the folders above keep others out.
        files += [{"path": f"{directory}/plans/{stem}/{name}", "content": text} for name, text in rank["files"].items()]
    directories: Items = [{"path": path, "mode": "0750"} for path in paths]
    for name in sorted({rank["ssh"] for rank in ranks if rank["ssh"]}):
        directories += [{"path": f"{directory}/ssh{path}", "mode": "0700"} for path in ("", f"/{name}")]
        own = {one: keys.get(f"{name}-{one}", "") for one in KEYS}
        files += [{**one, "path": f"{directory}/ssh/{name}/{one['path']}", "mode": "0600"} for one in _ssh(own)]
    return {"directories": directories, "files": files}


def _ssh(keys: t.Mapping[str, str]) -> Items:
    """Return what is in the folder that the containers of one deployment mount at SSH_IN_CONTAINER."""
    where = {"__engine_ssh": SSH_IN_CONTAINER}
    return [
        {"path": "id_ed25519", "content": keys["client"], "secret": True},
        {"path": "host_key", "content": keys["host"], "secret": True},
        {"path": "authorized_keys", "content": f"restrict {keys['client.pub']}"},
        {"path": "known_hosts", "content": f"gpufleet {keys['host.pub']}"},
        {"path": "ssh_config", "template": "ssh_config.j2", "template_vars": where},
        {"path": "sshd_config", "template": "sshd_config.j2", "template_vars": where},
    ]
