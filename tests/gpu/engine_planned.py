# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our planner gives for one deployment on this machine: the same filter, the same facts, the words of its container."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import yaml

from tests.gpu import dummy_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".cache" / "collections"
DEPLOYMENTS = pathlib.Path(__file__).with_name("engine_deployments.yml")

NODE, ADDRESS = "here", "127.0.0.1"
QUERY = "name,pci.bus_id,pci.device_id,memory.total,driver_version"


class PlanError(Exception):
    """The planner refuses; the text is its list of mistakes."""


def collection() -> None:
    """Make the collection importable where there is no Ansible, which does it by a loader of its own."""
    if "ansible_collections" in sys.modules:
        return
    link = COLLECTIONS / "ansible_collections" / "gpufleet" / "inference"
    if not link.exists():
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(ROOT)
    sys.path[:0] = [str(COLLECTIONS), str(ROOT / "roles" / "node_tools" / "files")]


def deployments() -> dict[str, dict[str, t.Any]]:
    """Return {name: item of engine_deployments} of the file beside this one."""
    return {one["name"]: one for one in yaml.safe_load(DEPLOYMENTS.read_text(encoding="utf-8"))}


def cards() -> list[dict[str, str]]:
    """Return {name, pci, device, memory_mib, driver} of this machine's cards; ``device`` is the PCI id, such as 2335."""
    command = ["nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    found = []
    for line in told.splitlines():
        name, pci, device, memory, driver = (word.strip() for word in line.split(","))
        # The tool writes the ids of device and vendor as one number: 0x233510DE.
        found.append({"name": name, "pci": pci, "device": device[2:6].lower(), "memory_mib": memory, "driver": driver})
    return found


def planned(
    deployment: t.Mapping[str, t.Any], directory: str, gpus: t.Sequence[t.Mapping[str, str]]
) -> dict[str, t.Any]:
    """Return {argv, env, spec, sizing} of the one rank. Raises PlanError.

    ``env`` and ``argv`` are cut out of the words of ``docker run`` in the supervisor's spec: what a container would get.
    """
    from ansible_collections.gpufleet.inference.plugins.filter.deployment_plans import deployment_plans

    facts = {
        "distribution": "Debian",
        "distribution_version": "12.9",
        "interfaces": {"lo": {"addresses": [ADDRESS], "state": "up", "mtu": 65536, "speed_mbps": None}},
        "addresses": [ADDRESS],
        "default_interface": "lo",
        "gpus": [{"pci": one["pci"], "device": one["device"]} for one in gpus],
        "docker": {"images": {}},
        "listening": [],
    }
    of_node = {
        "platform_node": facts,
        "platform_name": "Debian_12",
        "platform_known": ["Debian_12"],
        "ray_cluster_address": ADDRESS,
    }
    model = {"directory": directory, "config": dummy_model.config(deployment["model"]), "tensors": [], "bytes": 0}
    found = deployment_plans(
        deployments=[deployment],
        members=[NODE],
        hostvars={NODE: of_node},
        models={deployment["model"]: {**model, "problem": ""}},
        images={deployment["image"]: {"archive_problem": ""}},
        ray=ray(),
        gateway={"nodes": [], "ports": {}},
        texts={},
        directory="",
    )
    if found["mistakes"]:
        raise PlanError("\n".join(found["mistakes"]))
    plan = found["deployments"][0]
    spec = plan["ranks"][0]["spec"]
    words = spec["container"]["run"]
    image = words.index(deployment["image"])
    pairs = [words[at + 1] for at in range(image) if words[at] == "--env"]
    return {
        "argv": words[image + 1 :],
        "env": dict(pair.split("=", 1) for pair in pairs),
        "spec": spec,
        "sizing": plan["sizing"],
    }


def ray() -> dict[str, t.Any]:
    """Return what the planner is told of Ray: the role's own ports, although this engine uses none."""
    defaults = yaml.safe_load((ROOT / "roles/ray_cluster/defaults/main.yml").read_text(encoding="utf-8"))
    return {
        "head": None,
        "ports": defaults["ray_cluster_ports"],
        "image": "",
        "token_path": "",
        "session_directory": "",
        "mounts": [],
        "object_store_gib": 1,
        "gpu_containers": False,
        "environment": {},
    }
