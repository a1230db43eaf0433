#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: package_candidates
short_description: Ask which versions of which packages a repository has
version_added: 0.2.0
description:
  - Asks the node's package manager, for a repository that need not be set up yet. Nothing on the node changes - apt works
    in a scratch directory, dnf gets the repository on its command line.
  - Always asks with fresh package lists.
  - A repository whose key is another one than expected, or whose signature is wrong, fails with what to do.
extends_documentation_fragment:
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  patterns:
    description: Shell patterns of package names.
    type: list
    elements: str
    required: true
  package_manager:
    description: Which package manager the node has.
    type: str
    choices: [apt, dnf]
    required: true
  repository:
    description:
      - Address of the repository to ask, for apt a flat one, whose index lies at this address; dnf asks the node's own too.
      - Empty asks the node's own.
    type: str
    default: ""
  key_address:
    description: Where the armoured key of O(repository) is fetched from when O(key_text) is empty.
    type: str
    default: ""
  key_text:
    description: The armoured key of O(repository).
    type: str
    default: ""
  key_fingerprint:
    description: Fingerprint that the key must have, in capitals and without blanks. No other key may be in its file.
    type: str
    default: ""
  directory:
    description: Directory of C(.deb) packages on the node to look at instead of repositories.
    type: str
    default: ""
  timeout_seconds:
    description: Bound of fetching the package lists.
    type: int
    default: 180
"""

EXAMPLES = r"""
- name: Ask NVIDIA's repository
  gpufleet.inference.package_candidates:
    package_manager: apt
    patterns: [nvidia-driver-cuda, nvidia-fabricmanager*]
    repository: https://mirror.example.com/cuda/repos/debian12/x86_64
    key_address: https://mirror.example.com/cuda/repos/debian12/x86_64/3bf863cc.pub
    key_fingerprint: EB693B3035CD5710E231E123A4B469963BF863CC
  register: __nvidia_driver_asked
"""

RETURN = r"""
candidates:
  description: Package name to its versions, each with C(version), C(repository) and C(transitional).
  returned: always
  type: dict
  sample:
    nvidia-driver-cuda:
      - version: 580.126.20-1
        repository: https://mirror.example.com/cuda/repos/debian12/x86_64
        transitional: false
key:
  description: The armoured key, checked.
  returned: always
  type: str
index:
  description: Text of apt's index of O(directory).
  returned: always
  type: str
"""

import os
import tempfile
import typing as t
import urllib.request

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _candidates, _openpgp, _package_directory
from ansible_collections.gpufleet.inference.plugins.module_utils._candidates import Unavailable

KEY_TIMEOUT_SECONDS = 30
#: A public key with all its signatures is some KiB; more is not a key.
KEY_LIMIT_BYTES = 1 << 20


def fetch(address: str) -> str:
    """Return the text at an address. Raises Unavailable."""
    try:
        with urllib.request.urlopen(address, timeout=KEY_TIMEOUT_SECONDS) as answer:
            return answer.read(KEY_LIMIT_BYTES).decode("ascii", errors="replace")
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"The key of the repository could not be fetched from {address}: {error}. Check the address, or give the "
            "key as a file on the controller."
        ) from None


def checked_key(params: dict[str, t.Any]) -> str:
    """Return the armoured key of the repository once its fingerprint is the expected one. Raises Unavailable."""
    if not params["key_fingerprint"]:
        return ""
    text = params["key_text"] or fetch(params["key_address"])
    try:
        found = _openpgp.fingerprints(text)
    except ValueError as error:
        raise Unavailable(
            f"The key of the repository is not usable: {error}. Give the right file or address."
        ) from None
    if found != [params["key_fingerprint"]]:
        raise Unavailable(
            f"The key of the repository has the fingerprint {', '.join(found) or '(none)'}, expected is "
            f"{params['key_fingerprint']}. If the publisher has changed the key, verify the new one and write its "
            "fingerprint; otherwise do not trust this repository."
        )
    return text


def ask(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return candidates, key and index. Raises Unavailable."""
    if params["directory"]:
        candidates, index = _package_directory.read(params["directory"])
        return {"candidates": candidates, "key": "", "index": index}
    key = checked_key(params)
    bound = params["timeout_seconds"]
    if params["package_manager"] == "dnf":
        named = {"gpufleet-nvidia": params["repository"]} if params["repository"] else {}
        return {"candidates": _candidates.ask_dnf(params["patterns"], named, bound), "key": key, "index": ""}
    with tempfile.NamedTemporaryFile("w", suffix=".asc", prefix="gpufleet-key-", encoding="ascii") as file:
        file.write(key)
        file.flush()
        # apt reads it as its own user.
        os.chmod(file.name, 0o644)
        line = f"deb [signed-by={file.name}] {params['repository']} /\n"
        sources = {"gpufleet.list": line} if params["repository"] else {}
        candidates = _candidates.ask_apt(params["patterns"], sources, bound)
    return {"candidates": candidates, "key": key, "index": ""}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "patterns": {"type": "list", "elements": "str", "required": True},
            "package_manager": {"type": "str", "choices": ["apt", "dnf"], "required": True},
            "repository": {"type": "str", "default": ""},
            "key_address": {"type": "str", "default": ""},
            "key_text": {"type": "str", "default": "", "no_log": False},
            "key_fingerprint": {"type": "str", "default": "", "no_log": False},
            "directory": {"type": "str", "default": ""},
            "timeout_seconds": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(changed=False, **ask(module.params))
    except Unavailable as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
