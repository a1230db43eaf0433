# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
import struct
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _model_info

Tensors = dict[str, tuple[str, list[int], int]]

MODEL: Tensors = {
    "model.embed_tokens.weight": ("BF16", [8, 4], 64),
    **{f"model.layers.{at}.mlp.gate.weight": ("BF16", [2, 4], 16) for at in (0, 1, 2)},
    **{f"model.layers.{at}.mlp.experts.{e}.up_proj.weight": ("F8_E4M3", [2, 4], 8) for at in (1, 2) for e in range(5)},
    **{f"visual.blocks.{at}.qkv.weight": ("BF16", [2, 2], 8) for at in range(3)},
}


def described(tensors: Tensors) -> dict[str, t.Any]:
    found, at = {}, 0
    for name, (dtype, shape, size) in tensors.items():
        found[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return found


def write(path: pathlib.Path, tensors: Tensors) -> int:
    """Write a safetensors file with holes instead of weights; returns its size."""
    text = json.dumps({"__metadata__": {"format": "pt"}, **described(tensors)}).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + sum(size for _dtype, _shape, size in tensors.values()))
    return path.stat().st_size


@pytest.fixture
def model(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "config.json").write_text('{"model_type": "qwen3_moe"}', encoding="utf-8")
    return tmp_path


def index(model: pathlib.Path, names: t.Iterable[str]) -> None:
    weight_map = {f"tensor{at}": name for at, name in enumerate(names)}
    text = json.dumps({"metadata": {"total_size": 4096}, "weight_map": weight_map})
    (model / "model.safetensors.index.json").write_text(text, encoding="utf-8")


def test_equal_tensors_are_one_entry(model: pathlib.Path) -> None:
    size = write(model / "model.safetensors", MODEL)
    found = _model_info.read(str(model))
    assert (found["bytes"], found["files"], found["format"], found["problem"]) == (size, 1, "safetensors", "")
    by_name = {one["name"]: one for one in found["tensors"]}
    assert len(by_name) == 4
    experts = by_name["model.layers.*.mlp.experts.*.up_proj.weight"]
    assert experts == {
        "name": "model.layers.*.mlp.experts.*.up_proj.weight",
        "dtype": "F8_E4M3",
        "shape": [2, 4],
        "bytes": 8,
        "layers": [[1, 2]],
        "each": 5,
    }
    assert by_name["model.embed_tokens.weight"]["layers"] == []
    assert (by_name["visual.blocks.*.qkv.weight"]["layers"], by_name["visual.blocks.*.qkv.weight"]["each"]) == ([], 3)


def test_tensors_are_gathered_over_the_files_of_the_index(model: pathlib.Path) -> None:
    names = list(MODEL)
    sizes = [
        write(model / "a.safetensors", {name: MODEL[name] for name in names[:5]}),
        write(model / "b.safetensors", {name: MODEL[name] for name in names[5:]}),
    ]
    write(model / "consolidated.safetensors", MODEL)
    index(model, ["a.safetensors", "b.safetensors"])
    found = _model_info.read(str(model))
    assert (found["bytes"], found["files"]) == (sum(sizes), 2)
    assert [one["each"] for one in found["tensors"] if "experts" in one["name"]] == [5]


def test_layers_that_differ_are_told_apart(model: pathlib.Path) -> None:
    tensors = {f"model.layers.{at}.mlp.up_proj.weight": ("BF16", [2, 2 + at // 3], 8) for at in range(5)}
    write(model / "model.safetensors", tensors)
    found = {tuple(one["shape"]): one["layers"] for one in _model_info.read(str(model))["tensors"]}
    assert found == {(2, 2): [[0, 2]], (2, 3): [[3, 4]]}


def test_a_copy_in_one_piece_is_not_counted_twice(model: pathlib.Path) -> None:
    size = write(model / "model-00001-of-00001.safetensors", MODEL)
    write(model / "consolidated.safetensors", MODEL)
    assert _model_info.read(str(model))["bytes"] == size
    (model / "model-00001-of-00001.safetensors").unlink()
    assert _model_info.read(str(model))["files"] == 1


def test_before_the_download_the_index_tells_the_bytes(model: pathlib.Path) -> None:
    write(model / "a.safetensors", MODEL)
    index(model, ["a.safetensors", "b.safetensors"])
    found = _model_info.read(str(model))
    assert (found["bytes"], found["tensors"]) == (4096, [])
    assert found["problem"] == "1 of 2 files are missing, b.safetensors for example"


def test_other_formats_are_counted(model: pathlib.Path) -> None:
    (model / "pytorch_model.bin").write_bytes(b"w" * 10)
    found = _model_info.read(str(model))
    assert (found["bytes"], found["format"], found["problem"], found["tensors"]) == (10, "bin", "", [])


def test_no_model_is_told(tmp_path: pathlib.Path, model: pathlib.Path) -> None:
    assert "holds no weights" in _model_info.read(str(model))["problem"]
    assert "no readable config.json" in _model_info.read(str(tmp_path / "absent"))["problem"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin with a safetensors header"),
        (b"version https://git-lfs.github.com/spec/v1\n", "does not begin with a safetensors header"),
        (struct.pack("<Q", 1 << 40), "does not begin with a safetensors header"),
        (struct.pack("<Q", 5) + b"hello", "is no JSON"),
        (struct.pack("<Q", 2) + b"[]", "is no JSON object"),
        (struct.pack("<Q", 8) + b'{"a":{}}', "the tensor a is not described"),
    ],
)
def test_broken_files_are_named_and_their_bytes_counted(model: pathlib.Path, content: bytes, said: str) -> None:
    (model / "model.safetensors").write_bytes(content)
    found = _model_info.read(str(model))
    assert said in found["problem"] and found["tensors"] == [] and found["bytes"] == len(content)


def test_the_quantisation_of_modelopt_has_a_file_of_its_own(model: pathlib.Path) -> None:
    text = json.dumps({"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head"]}})
    (model / "hf_quant_config.json").write_text(text, encoding="utf-8")
    found = _model_info.configuration(model)["quantization_config"]
    assert found == {"quant_algo": "NVFP4", "exclude_modules": ["lm_head"], "quant_method": "modelopt"}


@pytest.mark.parametrize(
    ("name", "pattern", "layer"),
    [
        ("model.layers.12.mlp.experts.3.w1.weight", "model.layers.*.mlp.experts.*.w1.weight", 12),
        ("transformer.h.4.attn.weight", "transformer.h.*.attn.weight", 4),
        ("visual.blocks.4.attn.weight", "visual.blocks.*.attn.weight", -1),
        ("lm_head.weight", "lm_head.weight", -1),
    ],
)
def test_names(name: str, pattern: str, layer: int) -> None:
    assert _model_info.patterned(name) == (pattern, layer)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, ""),
        ({"tokenizer_config.json": '{"chat_template": "A"}'}, "A"),
        ({"tokenizer_config.json": '{"chat_template": "A"}', "chat_template.jinja": "B"}, "B"),
        (
            {
                "tokenizer_config.json": '{"chat_template": [{"name": "tool_use", "template": "T"}, '
                '{"name": "default", "template": "D"}]}'
            },
            "D",
        ),
        ({"tokenizer_config.json": '{"chat_template": [{"name": "tool_use", "template": "T"}]}'}, ""),
        ({"tokenizer_config.json": "no json"}, ""),
    ],
)
def test_the_chat_template(tmp_path: pathlib.Path, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert _model_info.chat_template(tmp_path) == expected
