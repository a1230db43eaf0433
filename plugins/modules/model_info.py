#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_info
short_description: Read what a model is, for sizing
version_added: 0.1.0
description:
  - Reads C(config.json), the index and the headers of the safetensors files of models, and the sizes of their files; on
    a node, or on the controller before anything is sent.
  - Reads headers only, some hundred KiB of each file, so that it takes seconds for a model of any size.
  - A directory that holds no model is told in C(problem); it does not fail the task.
extends_documentation_fragment:
  - gpufleet.inference.proof.read_only
author:
  - The gpufleet founders (@gpufleet)
options:
  models:
    description: The models.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the model.
        type: str
        required: true
      directory:
        description: Where its files lie; without it, below O(base_directory) by its name.
        type: path
  base_directory:
    description: Where models without a directory of their own lie.
    type: path
    default: /var/lib/gpufleet/models
"""

EXAMPLES = r"""
- name: Read a model on the controller
  gpufleet.inference.model_info:
    models:
      - name: deepseek-v3
        directory: /srv/models/deepseek-v3
  delegate_to: localhost
  register: read
"""

RETURN = r"""
models:
  description:
    - By name, each with C(directory), C(config) (with the quantisation of C(hf_quant_config.json)),
      C(chat_template), C(bytes) and C(files) of the weights, C(format), C(problem), and C(tensors).
    - An entry of C(tensors) stands for equal tensors. It has C(name) with V(*) for the numbers of layers and experts,
      C(dtype), C(shape), C(bytes) of one, C(layers) as pairs of first and last, and C(each), how many a layer has.
  returned: always
  type: dict
  sample:
    deepseek-v3:
      directory: /srv/models/deepseek-v3
      bytes: 688586727753
      files: 163
      format: safetensors
      problem: ""
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _model_info


def look(models: t.Iterable[dict[str, t.Any]], base: str) -> dict[str, dict[str, t.Any]]:
    """Return {name: what its directory says}."""
    return {model["name"]: _model_info.read(model["directory"] or f"{base}/{model['name']}") for model in models}


def main() -> None:
    options: dict[str, t.Any] = {
        "name": {"type": "str", "required": True},
        "directory": {"type": "path"},
    }
    module = AnsibleModule(
        argument_spec={
            "models": {"type": "list", "elements": "dict", "required": True, "options": options},
            "base_directory": {"type": "path", "default": "/var/lib/gpufleet/models"},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, models=look(module.params["models"], module.params["base_directory"]))


if __name__ == "__main__":
    main()
