# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Laws of the signatures: each says what to do and where its text was read; cases of each are in the tests of the tables."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import KERNEL, KINDS, LOG, Signature
from ansible_collections.gpufleet.inference.plugins.module_utils._signatures import SIGNATURES

ENGINES = {"vllm", "vllm_native", "sglang", "tensorrt_llm", "ray", "custom"}


def test_names_are_unique() -> None:
    names = [one.name for one in SIGNATURES]
    assert len(names) == len(set(names)) >= 120


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda one: one.name)
def test_a_signature_is_whole(signature: Signature) -> None:
    groups = re.compile(signature.pattern).groups
    assert not re.search(signature.pattern, ""), "it is found in every log"
    assert signature.cause and signature.fix and signature.source
    assert signature.kind in KINDS and signature.where in (LOG, KERNEL) and set(signature.engines) <= ENGINES
    wanted = [int(number) for number in re.findall(r"\{(\d)\}", signature.cause + signature.fix)]
    assert max(wanted, default=0) <= groups
