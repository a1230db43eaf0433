# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: container_images
short_description: Decide which images a node still needs, and from where
version_added: 0.1.0
description:
  - Compares wanted images with those of the node. Used by the role P(gpufleet.inference.container_runtime#role).
author: The gpufleet founders (@gpufleet)
positional: _input, present, disk_free_bytes
options:
  _input:
    description: The wanted images, with C(name), and C(digest) or C(archive) (a path on the controller).
    type: list
    elements: dict
    required: true
  present:
    description: Reference or image id to image id, C(platform_node.docker.images).
    type: dict
    required: true
  disk_free_bytes:
    description: Path to free bytes; an archive must fit into the smallest.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what is missing
  ansible.builtin.debug:
    msg: "{{ container_runtime_images | gpufleet.inference.container_images(platform_node.docker.images) }}"
"""

RETURN = r"""
_value:
  description: Keys are C(mistakes), C(pull), C(load) and C(expect).
  type: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _image_archive


def container_images(
    images: list[dict[str, t.Any]], present: dict[str, str], disk_free_bytes: dict[str, int] | None = None
) -> dict[str, list[t.Any]]:
    """Return the mistakes, what to pull, what to load and what must then be there."""
    return _image_archive.plan(images, present, disk_free_bytes or {})


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"container_images": container_images}
