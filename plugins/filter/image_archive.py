# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: image_archive
short_description: Read id and tags of a container image from its tarball on the controller
version_added: 0.1.0
description:
  - Reads only the archive's index, so it is quick for archives of any size. The archive must be uncompressed.
author: The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description: Path of an archive written by C(docker save).
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Show the id of an image
  ansible.builtin.debug:
    msg: "{{ ('/srv/images/engine.tar' | gpufleet.inference.image_archive).id }}"
"""

RETURN = r"""
_value:
  description: Keys are C(id), C(ids), C(tags) and C(size_bytes).
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _image_archive


def image_archive(path: str) -> dict[str, t.Any]:
    """Return id, ids, tags and size of the image in the archive."""
    try:
        return _image_archive.describe(path)
    except _image_archive.ArchiveError as error:
        raise AnsibleFilterError(f"{error}.") from error


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"image_archive": image_archive}
