# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the engine image only, where its imports are.
# mypy: disable-error-code="misc"

"""LAB ONLY: CPUs as a platform of its own, so that SGLang takes the plain PyTorch way everywhere."""

from __future__ import annotations

import typing as t

from sglang.srt.platforms.cpu import CpuDeviceMixin
from sglang.srt.platforms.device_mixin import PlatformEnum
from sglang.srt.platforms.interface import SRTPlatform


class LabPlatform(CpuDeviceMixin, SRTPlatform):
    """The CPU devices of SGLang without its CPU kernels, of which no wheel exists."""

    _enum = PlatformEnum.OOT

    def get_default_attention_backend(self) -> str:
        return "torch_native"

    def is_pin_memory_available(self, device: t.Any = None) -> bool:
        return False
