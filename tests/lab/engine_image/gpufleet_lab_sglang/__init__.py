# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAB ONLY: lets SGLang serve tiny models on CPUs from its published wheel. Never part of a production image.

SGLang publishes no CPU kernels: without this its wheel starts on no machine without a GPU. Does nothing unless the
environment says ``GPUFLEET_LAB_PLATFORM=1``, which only the lab's engine image sets.
"""

from __future__ import annotations

import os

SWITCH = "GPUFLEET_LAB_PLATFORM"


def platform() -> str | None:
    """Entry point of ``sglang.srt.platforms``: the class to use, or None to stay out of the way."""
    return "gpufleet_lab_sglang.platform.LabPlatform" if os.environ.get(SWITCH) == "1" else None


def patch() -> None:
    """Entry point of ``sglang.srt.plugins``, called in every SGLang process: two cures for DeepSeek's attention."""
    if os.environ.get(SWITCH) != "1":
        return
    from sglang.srt.layers.rotary_embedding import factory
    from sglang.srt.models.deepseek_common import attention_backend_handler as handlers
    from sglang.srt.models.deepseek_common.attention_forward_methods.forward_methods import AttnForwardMethod

    # The CPU's own function knows stretched positions (yarn) only: use the one of all other devices.
    factory.get_rope_cpu = lambda *args: factory.get_rope(*args[:-1])
    # A first prompt would be attended to without the latent cache, which the plain PyTorch backend reads from.
    handlers.AttentionBackendRegistry.register("torch_native", lambda attention, batch: AttnForwardMethod.MLA)
