# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: model_store_copies
short_description: Say which models a node must have, and with which manifest
version_added: 0.1.0
description:
  - Joins the declared models with the manifests of their sources.
  - Used by the role P(gpufleet.inference.model_store#role).
author: The gpufleet founders (@gpufleet)
positional: _input, store, seals, made
options:
  _input:
    description: The models, with C(name), C(source) and C(directory).
    type: list
    elements: dict
    required: true
  store:
    description: Directory of models on the node.
    type: path
    required: true
  seals:
    description: Directory of seals on the node.
    type: path
    required: true
  made:
    description: C(facts.models) of the sources; a model that is not in it has no manifest.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check the models of a node
  gpufleet.inference.model_manifest:
    models: >-
      {{ model_store_models | gpufleet.inference.model_store_copies('/srv/models', '/srv/seals', {}) }}
"""

RETURN = r"""
_value:
  description: The option O(gpufleet.inference.model_manifest#module:models) for the node.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _model_store


class FilterModule:
    """Offer the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"model_store_copies": _model_store.copies}
