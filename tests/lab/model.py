# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny model of the lab: made once, inside the engine image, the same bytes every time."""

from __future__ import annotations

import hashlib
import shutil

from tests.lab import base_image, engine_build, engine_daemon, paths
from tests.lab.shell import LabError, run, say

FOLDER = paths.CACHE / "models" / "tiny-deepseek-v3"
RECORD = paths.CACHE / "models" / "tiny-deepseek-v3.json"
SCRIPT = engine_build.SOURCE / "make_model.py"


def make() -> None:
    """Make the model when it is missing or its script changed."""
    inputs = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:12]
    if paths.read_json(RECORD).get("inputs") == inputs and (FOLDER / "config.json").exists():
        return
    engine_daemon.require()
    if base_image.image_label(engine_build.IMAGE) is None:
        raise LabError("the engine image is missing; run `python -m tests.lab engine-image` first")
    say(f"making {FOLDER.relative_to(paths.ROOT)}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    argv = ["docker", "run", "--rm", "--network", "none", "-v", f"{SCRIPT}:/make_model.py:ro", "-v", f"{FOLDER}:/model"]
    run([*argv, engine_build.IMAGE, "python", "/make_model.py", "/model"])
    for path in FOLDER.iterdir():
        path.chmod(0o644)
    paths.write_json(RECORD, {"inputs": inputs})
