# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release that breaks a flag is told with the flag's name."""

from __future__ import annotations

import typing as t

from tests.parsers import differences


def dump(*options: dict[str, t.Any], **registries: list[str]) -> dict[str, t.Any]:
    plain = {"nargs": None, "type": "str", "choices": None}
    tables = {"--" + name: values for name, values in registries.items()}
    return {"options": [{**plain, **one} for one in options], "registries": tables}


def test_nothing() -> None:
    one = dump({"flags": ["--a", "-a"], "hidden": ["--no-a"], "choices": ["x", "y"]}, quantization=["fp8"])
    other = dump({"flags": ["--a", "-a"], "hidden": ["--no-a"], "choices": ["y", "x"]}, quantization=["fp8"])
    assert differences.of(one, other) == []


def test_every_difference_has_the_flags_name() -> None:
    kept = dump({"flags": ["--a"], "hidden": ["--no-a"]}, {"flags": ["--b"]}, quantization=["awq", "fp8"])
    real = dump({"flags": ["--b"], "nargs": 0, "choices": ["x"]}, {"flags": ["--c"]}, quantization=["fp8", "mxfp8"])
    assert differences.of(kept, real) == [
        "--a is gone",
        "--no-a is gone",
        "--c is new",
        "--b: nargs is 0, the dump says None",
        "--b: choices is ['x'], the dump says None",
        "--quantization has no 'awq' any more",
        "--quantization has 'mxfp8' now",
    ]
