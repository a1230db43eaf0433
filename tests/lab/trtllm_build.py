# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's image for ``tensorrt_llm``: real Open MPI and OpenSSH of Debian, stand-ins for TensorRT-LLM's programs."""

from __future__ import annotations

import hashlib
import os
import pathlib

from tests.lab import base_image, engine_build, engine_daemon, paths
from tests.lab.shell import run, say

IMAGE = "gpufleet-lab/trtllm:0.1.0"
SOURCE = paths.ROOT / "tests" / "lab" / "trtllm_image"
ARCHIVE = paths.CACHE / "trtllm.tar"
RECORD = paths.CACHE / "trtllm.json"


def build() -> None:
    """Build the image and its archive when they are missing or their inputs changed."""
    engine_daemon.require()
    inputs = digest(base_image.ensure(engine_build.BASE))
    if base_image.image_label(IMAGE) != inputs:
        say(f"building {IMAGE}")
        argv = ["docker", "build", "-t", IMAGE, "--build-arg", f"BASE={engine_build.BASE.tag}"]
        argv += ["--label", f"{base_image.INPUTS_LABEL}={inputs}", str(SOURCE)]
        run(argv, env=dict(os.environ, DOCKER_BUILDKIT="0"))
    engine_build.archive(IMAGE, ARCHIVE, RECORD)


def sources() -> list[pathlib.Path]:
    """Return the files that go in."""
    return sorted(path for path in SOURCE.iterdir() if path.is_file())


def digest(base: str) -> str:
    """Return the hash of everything that the image is made from."""
    total = hashlib.sha256(base.encode())
    for path in sources():
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()[:12]
