# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny models of the lab: made once, inside the engine image, the same bytes every time."""

from __future__ import annotations

import hashlib
import pathlib
import shutil

from tests.lab import base_image, engine_build, engine_daemon, paths
from tests.lab.shell import LabError, run, say

FOLDER = paths.CACHE / "models"
NAMES = ("tiny-deepseek-v3", "tiny-llama", "tiny-qwen2")
SCRIPTS = [engine_build.SOURCE / name for name in engine_build.MODEL_SCRIPTS]


def record(name: str) -> pathlib.Path:
    """Return the file that says what a model was made from."""
    return FOLDER / f"{name}.json"


def missing(inputs: str) -> list[str]:
    """Return the models that are not there, or were made by other scripts."""
    return [
        name
        for name in NAMES
        if paths.read_json(record(name)).get("inputs") != inputs or not (FOLDER / name / "config.json").exists()
    ]


def make() -> None:
    """Make the models that are missing or whose scripts changed."""
    inputs = hashlib.sha256(b"".join(path.read_bytes() for path in SCRIPTS)).hexdigest()[:12]
    names = missing(inputs)
    if not names:
        return
    engine_daemon.require()
    if base_image.image_label(engine_build.IMAGE) is None:
        raise LabError("the engine image is missing; run `python -m tests.lab engine-image` first")
    say(f"making {', '.join(names)} in {FOLDER.relative_to(paths.ROOT)}")
    for name in names:
        if (FOLDER / name).exists():
            shutil.rmtree(FOLDER / name)
    FOLDER.mkdir(parents=True, exist_ok=True)
    argv = ["docker", "run", "--rm", "--network", "none", "-v", f"{FOLDER}:/models"]
    for path in SCRIPTS:
        argv += ["-v", f"{path}:/make/{path.name}:ro"]
    run([*argv, engine_build.IMAGE, "python", "/make/make_model.py", "/models", *names])
    for name in names:
        for path in (FOLDER / name).iterdir():
            path.chmod(0o644)
        paths.write_json(record(name), {"inputs": inputs})
