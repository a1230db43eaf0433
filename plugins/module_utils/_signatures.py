# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All signatures, in the order in which a line is compared with them: the first that fits names it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import ROOT, Signature
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_host import HOST
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_memory import MEMORY
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_model import MODEL
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_network import NETWORK
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_options import OPTIONS
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures_ray import CONSEQUENCES, RAY

SIGNATURES: tuple[Signature, ...] = (*MODEL, *OPTIONS, *MEMORY, *NETWORK, *HOST, *RAY, *CONSEQUENCES)

#: Names of causes that another start does not mend: a model or an option that the engine refuses.
LASTING = frozenset(one.name for one in (*MODEL, *OPTIONS) if one.kind == ROOT)
