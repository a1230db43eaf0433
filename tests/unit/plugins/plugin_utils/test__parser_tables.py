# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables come with the collection, and which of them an image asks for."""

from __future__ import annotations

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _parser_tables

OWN = "docker.io/vllm/vllm-openai:v0.33.0"


@pytest.mark.parametrize(
    ("image", "release"),
    [
        ("", "0.33.0"),
        (OWN, "0.33.0"),
        ("docker.io/vllm/vllm-openai:v0.32.0", "0.32.0"),
        ("mirror.example:5000/vllm/vllm-openai:0.32.0-ray2.60.0", "0.32.0"),
        ("docker.io/vllm/vllm-openai:v0.34.0@sha256:00", "0.34.0"),
        # Neither a digest, nor a name of the user's own, nor an odd tag says a release.
        ("docker.io/vllm/vllm-openai@sha256:1234", "0.33.0"),
        ("gpufleet-lab/engine:0.2.0", "0.33.0"),
        ("docker.io/vllm/vllm-openai:nightly", "0.33.0"),
    ],
)
def test_the_release_of_an_image(image: str, release: str) -> None:
    assert _parser_tables.release_in(image, OWN) == release


def test_an_engine_without_an_image_has_no_release() -> None:
    assert _parser_tables.release_in("x:1.2.3", "") == ""


def test_releases_are_sorted_by_number() -> None:
    assert _parser_tables.releases("vllm") == ("0.32.0", "0.33.0")
    assert _parser_tables.releases("sglang") == ("0.5.23",)
    assert _parser_tables.releases("nothing") == ()


def test_tables() -> None:
    table = _parser_tables.load("tensorrt_llm", "1.2.1")
    assert table is not None
    assert table.options["--tp_size"] is table.options["--tensor_parallel_size"]
    assert _parser_tables.load("vllm", "0.1.0") is None
