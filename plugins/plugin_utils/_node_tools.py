# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the role ``node_tools`` does on a node: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``node`` is what ``node_facts`` read. ``wishes`` are the role's variables without their prefix: ``directory``, ``nvml``
(auto, always, never), ``nvml_version``, ``nvml_sha256``, ``python_directory``, ``packages``; and ``wheel``, the path of
nvidia-ml-py's wheel on the controller or an empty string, with ``wheel_found``, whether it is there.
"""

from __future__ import annotations

import re
import typing as t

PACKAGE = "nvidia-ml-py"

#: Others than root may write there; what root runs must not lie there.
OPEN_DIRECTORIES = re.compile(r"/(tmp|var/tmp|home|dev/shm)(/|$)")

_VERSION = re.compile(r"\d+(\.\d+)+")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def mistakes(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return one sentence per mistake in the wishes: the variable, what is wrong, what to write."""
    found = [
        f"node_tools_{name}: {wishes[name]} may be writable by others; what root runs must not lie there. Write a path "
        "such as /usr/local/lib/gpufleet."
        for name in ("directory", "python_directory")
        if OPEN_DIRECTORIES.match(wishes[name])
    ]
    if wishes["nvml"] == "never":
        return found
    version = wishes["nvml_version"]
    if not _VERSION.fullmatch(version):
        found.append(f"node_tools_nvml_version: {version!r} is not one exact version; write one such as 13.615.71.")
    if not wishes["nvml_sha256"] or not all(_SHA256.fullmatch(one) for one in wishes["nvml_sha256"]):
        found.append(
            f"node_tools_nvml_sha256: every entry must be the SHA-256 of a file of {PACKAGE} {version}, 64 lower-case "
            "hexadecimal digits; `pip hash FILE` prints it."
        )
    if wishes["wheel"] and not wishes["wheel_found"]:
        found.append(
            f"node_tools_wheel_directory: {wishes['wheel']} is missing on the controller; make it where there is a "
            f"package index, with: pip download --no-deps --only-binary :all: {PACKAGE}=={version}"
        )
    return found


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so: ``nvml`` (is the library wanted here), ``install`` (is it not as wanted), ``packages``
    that are missing for that, ``requirements`` (text for pip) and ``pip`` (arguments of ``python -m pip``)."""
    wanted = wishes["nvml"] == "always" or (wishes["nvml"] == "auto" and bool(node["gpus"]))
    seen = node.get("python_environments", {}).get(wishes["python_directory"], {}).get(PACKAGE)
    install = wanted and seen != wishes["nvml_version"]
    return {
        "nvml": wanted,
        "install": install,
        "packages": [one for one in wishes["packages"] if one not in node["packages"]] if install else [],
        "requirements": requirements(wishes),
        "pip": pip_arguments(wishes),
    }


def requirements(wishes: t.Mapping[str, t.Any]) -> str:
    """Return a requirements file that pins the version and the content of its files."""
    hashes = "".join(f" \\\n    --hash=sha256:{one}" for one in wishes["nvml_sha256"])
    return f"{PACKAGE}=={wishes['nvml_version']}{hashes}\n"


def pip_arguments(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return what pip is called with; with a wheel from the controller it asks no index."""
    directory = wishes["directory"]
    offline = ["--no-index", f"--find-links={directory}/wheels"] if wishes["wheel"] else []
    always = ["--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    return ["install", *always, *offline, f"--requirement={directory}/nvml_requirements.txt"]
