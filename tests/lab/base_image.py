# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images made from the distribution's packages: with mmdebstrap, or from a pulled base where the machine is no Debian."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import tempfile

from tests.lab import apt_sources, engine_daemon
from tests.lab.shell import LabError, attempt, install, run, say

INPUTS_LABEL = "gpufleet.inputs"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an image is made of: Debian release, packages, and a shell script that runs inside at the end."""

    tag: str
    release: str
    packages: tuple[str, ...]
    finish: str = "true"


def ensure(recipe: Recipe) -> str:
    """Build the image when it is missing or its inputs changed, and return the hash of its inputs."""
    engine_daemon.require()
    sources = _sources(recipe.release)
    options = apt_sources.shared_options(run(["apt-config", "dump"]))
    inputs = digest(recipe, sources, options)
    if image_label(recipe.tag) != inputs:
        say(f"building {recipe.tag}")
        if sources:
            _bootstrap(recipe, sources, options, inputs)
        else:
            _derive(recipe, inputs)
    return inputs


def image_label(tag: str) -> str | None:
    """Return the hash of the inputs that an image was made from; None when there is no such image."""
    return attempt(["docker", "image", "inspect", tag, "--format", f'{{{{index .Config.Labels "{INPUTS_LABEL}"}}}}'])


def digest(recipe: Recipe, sources: list[str], options: list[str]) -> str:
    """Return the hash of everything that the image is made from, 12 hexadecimal digits."""
    text = "\n".join([recipe.release, *recipe.packages, recipe.finish, *sources, *options])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def dockerfile(recipe: Recipe) -> str:
    """Return the Dockerfile that derives the image from a pulled base."""
    return (
        f"FROM debian:{recipe.release}\n"
        "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
        f" {' '.join(recipe.packages)} && rm -rf /var/lib/apt/lists/*\n"
        f"RUN {recipe.finish}\n"
    )


def _sources(release: str) -> list[str]:
    """Return the machine's own Debian archive entries for a release; [] on a machine that has none."""
    own = apt_sources.codename(pathlib.Path("/etc/os-release").read_text(encoding="utf-8"))
    return [one.line() for one in apt_sources.debian_archive(apt_sources.machine_sources(), own, release)]


def _bootstrap(recipe: Recipe, sources: list[str], options: list[str], inputs: str) -> None:
    """Make the root file system with mmdebstrap, which gives it the same sources and apt options, and import it."""
    install("mmdebstrap", ["mmdebstrap"])
    with tempfile.TemporaryDirectory(prefix="gpufleet-lab-") as scratch:
        tar = pathlib.Path(scratch, "root.tar")
        listed = pathlib.Path(scratch, "sources.list")
        listed.write_text("\n".join(sources) + "\n", encoding="utf-8")
        hook = pathlib.Path(scratch, "finish")
        hook.write_text(f"#!/bin/sh\nexec chroot \"$1\" sh -ec '{recipe.finish}'\n", encoding="utf-8")
        hook.chmod(0o755)
        argv = ["mmdebstrap", "--variant=minbase", f"--include={','.join(recipe.packages)}"]
        argv += [f"--aptopt={line}" for line in options]
        run([*argv, f"--customize-hook={hook}", recipe.release, str(tar), str(listed)])
        run(["docker", "import", "--change", f"LABEL {INPUTS_LABEL}={inputs}", str(tar), recipe.tag])


def _derive(recipe: Recipe, inputs: str) -> None:
    """Derive the image from a pulled base: for machines whose own archive is not Debian's (Ubuntu)."""
    try:
        run(["docker", "build", "--label", f"{INPUTS_LABEL}={inputs}", "-t", recipe.tag, "-"], stdin=dockerfile(recipe))
    except LabError as error:
        raise LabError(
            f"this machine's apt sources hold no Debian archive, and {recipe.tag} could not be derived from a pulled "
            f"base either. Give the machine a Debian archive in /etc/apt, or a registry that has debian.\n{error}"
        ) from None
