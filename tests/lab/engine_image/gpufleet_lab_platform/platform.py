# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the engine image only, where its imports are.
# mypy: disable-error-code="import-not-found, misc"

"""LAB ONLY: vLLM's CPU platform under the name of a GPU, so that Ray's logical GPUs place its ranks."""

from __future__ import annotations

import torch
from vllm.platforms.cpu import CpuPlatform

# Some virtual machines show the AMX flag and trap its instructions: a rank would die of SIGILL at its first request.
torch.cpu._is_amx_tile_supported = lambda: False


class LabPlatform(CpuPlatform):
    """The CPU platform, placed by ``ray start --num-gpus``."""

    ray_device_key = "GPU"
