# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide what the role ``node_tools`` does on a node: pure functions on plain data.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

``node`` is what ``node_facts`` read. ``wishes`` are the role's variables without their prefix: ``directory``, ``nvml``
(auto, always, never), ``python_directory``, ``packages``; and ``pins``, the Python packages wanted on a GPU node (name ->
``version``, ``sha256``, ``variable``: the beginning of the names of both variables); ``wheel_directory`` on the
controller or None, with ``wheels``, the names of the wheels that lie in it.
"""

from __future__ import annotations

import re
import typing as t

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
    for package, pin in wishes["pins"].items():
        version = pin["version"]
        if not _VERSION.fullmatch(version):
            found.append(
                f"{pin['variable']}_version: {version!r} is not one exact version; write one such as 13.615.71."
            )
        if not pin["sha256"] or not all(_SHA256.fullmatch(one) for one in pin["sha256"]):
            found.append(
                f"{pin['variable']}_sha256: every entry must be the SHA-256 of a file of {package} {version}, 64 "
                "lower-case hexadecimal digits; `pip hash FILE` prints it."
            )
        if wishes["wheel_directory"] and not _wheels(wishes, package, ""):
            found.append(
                f"node_tools_wheel_directory: {wishes['wheel_directory']} has no wheel of {package} {version}; fetch it "
                f"where there is a package index, with: pip download --no-deps --only-binary :all: {package}=={version}"
            )
    return found


def plan(node: t.Mapping[str, t.Any], wishes: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what must be so: ``nvml`` (is the library wanted here), ``install`` (is a package not as wanted),
    ``packages`` of the system that are missing for that, ``wheels`` (names of those to copy), ``requirements`` (text for
    pip), ``pip`` (arguments of ``python -m pip``) and ``nvitop`` (is it wanted here)."""
    wanted = wishes["nvml"] == "always" or (wishes["nvml"] == "auto" and bool(node["gpus"]))
    seen = node.get("python_environments", {}).get(wishes["python_directory"], {})
    install = wanted and any(seen.get(name) != pin["version"] for name, pin in wishes["pins"].items())
    return {
        "nvml": wanted,
        "install": install,
        "packages": [one for one in wishes["packages"] if one not in node["packages"]] if install else [],
        "wheels": [one for name in wishes["pins"] for one in _wheels(wishes, name, node["architecture"])],
        "requirements": requirements(wishes),
        "pip": pip_arguments(wishes),
        "nvitop": wanted and "nvitop" in wishes["pins"],
    }


def _wheels(wishes: t.Mapping[str, t.Any], package: str, architecture: str) -> list[str]:
    """Return the wheels of a pin that fit the architecture, as ``uname -m`` says it; all of them when it is empty."""
    start = f"{package.replace('-', '_')}-{wishes['pins'][package]['version']}-"
    return sorted(
        name
        for name in wishes["wheels"]
        if name.startswith(start) and (not architecture or name.endswith(("-any.whl", f"_{architecture}.whl")))
    )


def requirements(wishes: t.Mapping[str, t.Any]) -> str:
    """Return a requirements file that pins the versions and the content of their files."""
    return "".join(
        f"{package}=={pin['version']}" + "".join(f" \\\n    --hash=sha256:{one}" for one in pin["sha256"]) + "\n"
        for package, pin in wishes["pins"].items()
    )


def pip_arguments(wishes: t.Mapping[str, t.Any]) -> list[str]:
    """Return what pip is called with; with wheels from the controller it asks no index."""
    directory = wishes["directory"]
    offline = ["--no-index", f"--find-links={directory}/wheels"] if wishes["wheel_directory"] else []
    always = ["--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    return ["install", *always, *offline, f"--requirement={directory}/nvml_requirements.txt"]
