# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-ins of the lab's SGLang: imports succeed as SGLang writes them, and running a kernel does not."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "lab" / "engine_image"


def python(lines: str, switch: str = "1") -> str:
    """Run Python lines in a process that starts as one of the image does, and return what it says."""
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import gpufleet_lab_sglang.stand_ins\n{lines}"
    argv = [sys.executable, "-I", "-c", code]
    done = subprocess.run(argv, env={"GPUFLEET_LAB_PLATFORM": switch}, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("import triton.language as tl\nfrom triton.runtime.jit import JITFunction\nclass A(JITFunction): ...", ""),
        ("from IPython.display import HTML, display", ""),
        ("import triton\n@triton.jit\ndef f(x): return x + 1\nprint(f(1))", "2"),
        (
            "import triton\n@triton.autotune(configs=[triton.Config({'A': 1})], key=[])\ndef f(x): return x\nprint(f(1))",
            "1",
        ),
        ("import triton\n@triton.heuristics({'A': 1})\ndef f(x): return x\nprint(f(1))", "1"),
        ("import triton\nprint(triton.cdiv(5, 2), triton.next_power_of_2(5), triton.next_power_of_2(0))", "3 8 1"),
        ("import triton.language as tl\nprint(tl.constexpr(4) * 2)", "8"),
        (
            "from torchvision.transforms import InterpolationMode as I\nprint({I.BICUBIC: 1, I.NEAREST: 2}[I.NEAREST])",
            "2",
        ),
        ("import importlib.util as u\nprint(u.find_spec('triton') is None, u.find_spec('nothing_here'))", "False None"),
    ],
)
def test_imports_and_definitions_succeed(lines: str, said: str) -> None:
    assert python(lines) == said


def test_a_kernel_cannot_be_launched() -> None:
    assert "TypeError" in python("import triton\n@triton.jit\ndef f(x): ...\nf[(1,)](1)")


def test_the_other_engine_of_the_image_is_hidden() -> None:
    assert "ModuleNotFoundError" in python("import vllm")
    assert python("import importlib.util\nprint(importlib.util.find_spec('vllm'))") == "None"


def test_nothing_stands_in_without_the_switch() -> None:
    assert "No module named 'triton'" in python("import triton", switch="")
