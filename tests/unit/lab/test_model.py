# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny models: which ones have to be made, and that every architecture can be cut in two."""

from __future__ import annotations

import math
import pathlib

import pytest

from tests.lab import model, paths
from tests.lab.engine_image import model_shapes


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Two models that are there, made from the inputs "a", and one without its files."""
    monkeypatch.setattr(model, "FOLDER", tmp_path)
    for name in model.NAMES:
        paths.write_json(model.record(name), {"inputs": "a"})
    for name in ("tiny-deepseek-v3", "tiny-llama"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
    return tmp_path


def test_only_what_is_missing_is_made(folder: pathlib.Path) -> None:
    assert model.missing("a") == ["tiny-qwen2"]
    model.record("tiny-llama").unlink()
    assert model.missing("a") == ["tiny-llama", "tiny-qwen2"]


def test_other_scripts_make_all_again(folder: pathlib.Path) -> None:
    assert model.missing("b") == list(model.NAMES)


def test_the_scripts_know_every_model() -> None:
    assert list(model_shapes.CONFIGS) == list(model.NAMES)


@pytest.mark.parametrize("name", model.NAMES)
def test_a_model_is_small_and_can_be_cut_in_two(name: str) -> None:
    config = model_shapes.CONFIGS[name]
    shapes = model_shapes.shapes(config)
    assert 2 * sum(map(math.prod, shapes.values())) < 12_000_000  # bytes, bf16
    for key in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "vocab_size"):
        assert config[key] % 2 == 0, key
    assert config["hidden_size"] // config["num_attention_heads"] == config.get("head_dim", 64)


@pytest.mark.parametrize(
    ("name", "some"),
    [
        (
            "tiny-deepseek-v3",
            {
                "model.layers.0.mlp.gate_proj.weight": (512, 256),
                "model.layers.1.mlp.gate.e_score_correction_bias": (8,),
                "model.layers.3.mlp.experts.7.down_proj.weight": (256, 128),
                "model.layers.3.mlp.shared_experts.up_proj.weight": (128, 256),
                "model.layers.0.self_attn.kv_a_proj_with_mqa.weight": (576, 256),
            },
        ),
        ("tiny-llama", {"model.layers.3.self_attn.v_proj.weight": (128, 256), "lm_head.weight": (512, 256)}),
        (
            "tiny-qwen2",
            {"model.layers.0.self_attn.q_proj.bias": (256,), "model.layers.0.self_attn.k_proj.bias": (128,)},
        ),
    ],
)
def test_weights_are_named_as_in_checkpoints_of_the_architecture(name: str, some: dict[str, tuple[int, ...]]) -> None:
    shapes = model_shapes.shapes(model_shapes.CONFIGS[name])
    assert some.items() <= shapes.items()
    assert "model.layers.0.self_attn.o_proj.bias" not in shapes
    assert ("model.layers.0.self_attn.q_proj.bias" in shapes) == (name == "tiny-qwen2")
