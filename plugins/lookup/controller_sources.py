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
  - Reads nothing but C(config.json) and sizes. A compressed archive is not searched, as that would unpack all of it.
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
      C(problem).
    - C(images) by name, each with C(archive_problem) and C(identity), the digest or the id in the archive.
  type: list
  elements: dict
"""

import typing as t

from ansible.plugins.lookup import LookupBase

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _sources


class LookupModule(LookupBase):
    """Look at sources on the controller."""

    def run(self, terms: list[str], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        self.set_options(var_options=variables, direct=kwargs)
        models, images = self.get_option("models"), self.get_option("images")
        return [
            {
                "models": _sources.models(models, self.get_option("model_directory")),
                "images": _sources.images(images),
            }
        ]
