# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LAB ONLY: stand-ins for packages that SGLang imports everywhere and a text model on CPUs never uses.

Imported by a ``.pth`` file at the start of every Python process of the SGLang environment. Names are found and kernels can
be defined; nothing can be run: to launch a kernel is a TypeError.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types
import typing as t

from gpufleet_lab_sglang import SWITCH

#: Triton is 1 GB, torchvision is published as a CUDA build whose import fails here, IPython brings 11 packages.
NAMES = ("triton", "torchvision", "IPython")
#: Is found in the other environment of the image, and SGLang would load it for kernels that it does not need: 2 s each time.
HIDDEN = "vllm"
#: What is called outside of kernels.
REAL: dict[str, t.Any] = {
    "triton.cdiv": lambda a, b: -(-a // b),
    "triton.next_power_of_2": lambda n: 1 << (n - 1).bit_length() if n > 0 else 1,
    "triton.language.constexpr": lambda value: value,
}


class Names(type):
    """A class in which every name is found, as its own value: an enumeration."""

    def __getattr__(cls, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return name


class StandIn(types.ModuleType):
    """A module in which every name is found: an empty class, or a decorator that hands back what it decorates."""

    __version__ = "0.0.0"

    def __getattr__(self, name: str) -> t.Any:
        full = f"{self.__name__}.{name}"
        if full in REAL:
            found = REAL[full]
        elif name.startswith("__"):
            raise AttributeError(full)
        elif name[0].isupper():
            found = Names(name, (), {"__init__": lambda self, *args, **kwargs: None})
        else:
            found = sys.modules.get(full) or StandIn(full)
        setattr(self, name, found)
        return found

    def __call__(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
        bare = len(args) == 1 and callable(args[0]) and not kwargs
        return args[0] if bare else lambda decorated: decorated


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for each of NAMES and everything below."""

    def find_spec(
        self, fullname: str, path: t.Any = None, target: t.Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        wanted = fullname.partition(".")[0] in NAMES
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True) if wanted else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


def install() -> None:
    """Let imports find the stand-ins, and not find what is hidden."""
    sys.meta_path.append(Finder())
    sys.modules[HIDDEN] = t.cast(types.ModuleType, None)  # Python's own way to say that there is no such module


if os.environ.get(SWITCH) == "1":
    install()
