#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read PCI functions of any vendor and class with the code that reads GPUs and bridges: QEMU's devices are nobody's GPU."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _pci_config, _rdma_sysfs
from ansible_collections.gpufleet.inference.plugins.module_utils._sysfs import ADDRESS


def main() -> None:
    """Return {places: {address: {path, numa_node}}, bridges: {address: its settings}}."""
    module = AnsibleModule({"vendor": {"required": True}, "class_code": {"required": True}}, supports_check_mode=True)
    places = _rdma_sysfs.gpus("/", module.params["vendor"], [module.params["class_code"]])
    above = {part for one in places.values() for part in one["path"][:-1] if ADDRESS.fullmatch(part)}
    module.exit_json(places=places, bridges={address: _pci_config.read("/", address) for address in sorted(above)})


if __name__ == "__main__":
    main()
