#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_bundle
short_description: Write one redacted archive of texts
version_added: 0.1.0
description:
  - Takes every value of the files in O(secrets_directory) and all that looks like a secret out of the texts, looks once more
    whether one is left, and writes a C(tar.gz) that only its owner may read. Runs on the controller.
attributes:
  check_mode:
    description: In check mode nothing is written.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: Each run writes an archive.
    support: none
author:
  - The gpufleet founders (@gpufleet)
options:
  path:
    description: The archive.
    type: path
    required: true
  texts:
    description: Node to name to text.
    type: dict
    required: true
  secrets_directory:
    description: Directory with secret files, whose values must not be in the archive. Certificates in it are no secrets.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write the bundle
  gpufleet.inference.support_bundle:
    path: reports/support.tar.gz
    texts: {lab1: {uname.txt: Linux}}
    secrets_directory: inventories/lab/.secrets
  delegate_to: localhost
  no_log: true
"""

RETURN = r"""
path:
  description: The archive.
  returned: always
  type: str
members:
  description: Names in it.
  returned: always
  type: list
  elements: str
redactions:
  description: How many places were cut.
  returned: always
  type: int
"""

import io
import os
import pathlib
import tarfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _redact


def known(directory: str) -> list[str]:
    """Return the values of all secret files. Raises OSError when one cannot be read."""
    folder = pathlib.Path(directory)
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    secret = [path for path in paths if path.suffix not in (".crt", ".pub")]
    return _redact.values(path.read_text(encoding="utf-8", errors="replace") for path in secret)


def archive(texts: t.Mapping[str, t.Mapping[str, str]], secrets: t.Sequence[str]) -> tuple[bytes, list[str], int]:
    """Return (tar.gz, names, places cut). Raises ValueError when a known secret is left."""
    whole, names, count = io.BytesIO(), [], 0
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for node, members in sorted(texts.items()):
            for name, text in sorted(members.items()):
                clean, cut = _redact.redacted(str(text), secrets)
                if _redact.found(clean, secrets):
                    raise ValueError(f"{node}/{name} still holds a secret; nothing was written")
                data = clean.encode("utf-8", "replace")
                entry = tarfile.TarInfo(f"support/{node}/{name}")
                entry.size, entry.mode = len(data), 0o600
                tar.addfile(entry, io.BytesIO(data))
                names.append(entry.name)
                count += cut
    return whole.getvalue(), names, count


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "texts": {"type": "dict", "required": True},
            "secrets_directory": {"type": "path", "required": True},
        },
        supports_check_mode=True,
        # The journal of this machine would show the options.
        no_log=True,
    )
    path = module.params["path"]
    try:
        data, names, count = archive(module.params["texts"], known(module.params["secrets_directory"]))
        if not module.check_mode:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(data)
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"The bundle could not be written: {error}")
    module.exit_json(changed=True, path=path, members=names, redactions=count)


if __name__ == "__main__":
    main()
