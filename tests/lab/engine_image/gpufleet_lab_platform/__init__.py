# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the engine image only, where its imports are.
# mypy: disable-error-code="import-not-found"

"""LAB ONLY: lets vLLM's CPU build take part in a Ray cluster. Never part of a production image.

Does nothing unless the environment says ``GPUFLEET_LAB_PLATFORM=1``, which only the lab's engine image sets.
"""

from __future__ import annotations

import os
import typing as t

SWITCH = "GPUFLEET_LAB_PLATFORM"


def platform() -> str | None:
    """Entry point of ``vllm.platform_plugins``: the class to use, or None to stay out of the way."""
    return "gpufleet_lab_platform.platform.LabPlatform" if os.environ.get(SWITCH) == "1" else None


def patch() -> None:
    """Entry point of ``vllm.general_plugins``, called in every vLLM process: two cures for ranks on several nodes."""
    if os.environ.get(SWITCH) != "1":
        return
    from vllm.distributed.device_communicators.cpu_communicator import CpuCommunicator
    from vllm.v1.worker.cpu_model_runner import CPUModelRunner

    if getattr(CPUModelRunner, "gpufleet_lab", False):
        return
    CPUModelRunner.gpufleet_lab = True
    # Ranks on different nodes agree on the name of one shared memory segment, but share no /dev/shm: use gloo.
    CpuCommunicator._all_group_ranks_share_shm_group_name = lambda self: False
    CPUModelRunner.load_model = _with_receive_buffers(CPUModelRunner.load_model)


def _with_receive_buffers(load_model: t.Callable[..., None]) -> t.Callable[..., None]:
    """The CPU runner skips the warm-up in which a later pipeline rank gets its receive buffers: make them."""

    def wrapped(runner: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        from vllm.distributed.parallel_state import get_pp_group

        load_model(runner, *args, **kwargs)
        if not get_pp_group().is_first_rank and runner.intermediate_tensors is None:
            runner.intermediate_tensors = runner.model.make_empty_intermediate_tensors(
                batch_size=runner.max_num_tokens, dtype=runner.model_config.dtype, device=runner.device
            )

    return wrapped
