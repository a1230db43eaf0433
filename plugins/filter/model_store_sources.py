# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: model_store_sources
short_description: Say which sources on the controller need a manifest
version_added: 0.1.0
description:
  - A directory is taken as it is, a tarball is unpacked beside itself.
  - Used by the role P(gpufleet.inference.model_store#role).
author: The gpufleet founders (@gpufleet)
positional: _input
options:
  _input:
    description: The models, with C(name), C(source) and C(directory).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Make manifests on the controller
  gpufleet.inference.model_manifest:
    models: "{{ model_store_models | gpufleet.inference.model_store_sources }}"
  delegate_to: localhost
"""

RETURN = r"""
_value:
  description: The option O(gpufleet.inference.model_manifest#module:models) for the controller.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_store


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"model_store_sources": _model_store.sources}
