# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compile the fake libnvidia-ml.so.1, once per source and set of absent symbols.

``python -m tests.fakes.nvml.build [SYMBOL ...]`` prints the folder for LD_LIBRARY_PATH; the symbols are left out, as in an
older driver.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import sys
import tempfile
import typing as t

from tests.lab import shell

FOLDER = pathlib.Path(__file__).resolve().parent
CACHE = FOLDER.parents[2] / ".cache/nvml_fake"
SONAME = "libnvidia-ml.so.1"
FLAGS = ("-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-Wl,-soname,{SONAME}")


def library(absent: t.Iterable[str] = ()) -> pathlib.Path:
    """Return the folder that holds the library without the ``absent`` symbols; compiles it when there is none yet.

    Raises LabError when gcc is missing and cannot be installed, or when the source does not compile.
    """
    names = sorted(set(absent))
    sources = sorted(FOLDER.glob("*.[ch]"))
    digest = hashlib.sha256(repr((FLAGS, names, [one.read_bytes() for one in sources])).encode())
    folder = CACHE / digest.hexdigest()[:16]
    if not (folder / SONAME).is_file():
        shell.install("gcc", ["gcc", "libc6-dev"])
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            compile_into(pathlib.Path(scratch), [one for one in sources if one.suffix == ".c"], names)
            os.replace(f"{scratch}/{SONAME}", folder / SONAME)
    return folder


def compile_into(scratch: pathlib.Path, sources: list[pathlib.Path], absent: list[str]) -> None:
    """Compile the sources; the linker's version script hides the absent symbols, so that dlsym does not find them."""
    hidden = "".join(f"{name};" for name in absent)
    script = scratch / "symbols.map"
    script.write_text("{ global: nvml*; local: " + hidden + " scenario_*; };\n", encoding="utf-8")
    output = ["-o", str(scratch / SONAME), f"-Wl,--version-script={script}", "-lpthread"]
    shell.run(["gcc", *FLAGS, *map(str, sources), *output], timeout_seconds=120)


if __name__ == "__main__":
    print(library(sys.argv[1:]))
