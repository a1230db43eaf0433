# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: controller_sources
author: The gpufleet founders (@gpufleet)
version_added: 0.1.0
short_description: What the controller sees of the models and images that are to be sent to nodes
description:
  - Looks at model directories and archives and at image archives on the controller, and says what is wrong with them.
  - Reads nothing but C(config.json), the headers of safetensors files, and sizes. A compressed archive is not searched, as
    that would unpack all of it.
options:
  _terms:
    description: Not used.
  models:
    description: Items with C(name), C(source) and C(directory), as C(model_store_models) holds them.
    type: list
    elements: dict
    default: []
  model_directory:
    description: Where models without a directory of their own lie on the nodes.
    type: str
    default: /var/lib/gpufleet/models
  images:
    description: Items with C(name) and C(archive), as C(container_runtime_images) holds them.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Look at a model before it is copied
  ansible.builtin.debug:
    msg: "{{ lookup('gpufleet.inference.controller_sources', models=model_store_models) }}"
"""

RETURN = r"""
_raw:
  description:
    - C(models) by name, each with C(directory), C(kind) (directory, archive, node or missing), C(config), C(bytes),
      C(problem); of a directory also C(tensors), as M(gpufleet.inference.model_info) gives them.
    - C(images) by name, each with C(archive_problem) and C(identity), the digest or the id in the archive.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.gpufleet.inference.plugins.module_utils import _model_info
from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sources


def tensors(model: dict[str, t.Any], source: str | None) -> dict[str, t.Any]:
    """Return {config, chat_template, tensors, bytes} of a model directory, for sizing; nothing where there is none, or it has a problem."""
    if model["kind"] != "directory" or model["problem"] or not source:
        return {}
    read = _model_info.read(source)
    return {key: read[key] for key in ("config", "chat_template", "tensors", "bytes")}


class LookupModule(LookupBase):
    """Look at sources on the controller."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        models, images = self.get_option("models"), self.get_option("images")
        seen = _sources.models(models, self.get_option("model_directory"))
        for wish in models:
            seen[wish["name"]] |= tensors(seen[wish["name"]], wish.get("source"))
        return [{"models": seen, "images": _sources.images(images)}]
