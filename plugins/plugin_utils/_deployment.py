# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment as the user writes it: parsed, defaulted, with every mistake named.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

#: Names become parts of unit and container names.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")

#: What the example inventories hold where a person must write something of their own.
PLACEHOLDER = re.compile(r"(?i)(change[-_ ]?me|replace[-_ ]?me|your[-_ ](key|token|password|secret)|<[^>]*>|xxxx)")


@dataclasses.dataclass(frozen=True)
class Deployment:
    """One wanted deployment. ``nodes`` empty means all nodes; ``image`` empty means the engine's own.

    release          the engine's in that image, where the image's tag does not say it
    gpus_per_node    0: all of a node's GPUs
    rendezvous_port  where the ranks of engines without Ray meet, on the first node
    supervisor_port  where the supervisors of those engines tell each other how they are, on every node
    forced_think     the model's own chat template, made to begin each answer with <think>
    concurrency      requests of the asked length that shall be served at once, for the account only
    force            starts what does not fit by that account
    """

    name: str
    model: str
    engine: str = "vllm"
    served_name: str = ""
    nodes: tuple[str, ...] = ()
    image: str = ""
    release: str = ""
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    data_parallel: int = 1
    gpus_per_node: int = 0
    port: int = 8000
    rendezvous_port: int = 29501
    supervisor_port: int = 29510
    forced_think: bool = False
    concurrency: int = 0
    force: bool = False
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    extra_args: tuple[str, ...] = ()
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    ready_budget_seconds: int = 0

    @property
    def ranks(self) -> int:
        """Number of GPUs that the deployment needs: tensor × pipeline × data parallel."""
        return self.tensor_parallel * self.pipeline_parallel * self.data_parallel


_KINDS: dict[str, tuple[type, str]] = {
    "name": (str, "a name such as deepseek-r1"),
    "model": (str, "the name of a model in model_store_models"),
    "engine": (str, "the name of an engine"),
    "served_name": (str, "the name that clients ask for"),
    "image": (str, "an image reference"),
    "release": (str, "the engine's release in the image, such as 0.33.0"),
    "tensor_parallel": (int, "a whole number of GPUs"),
    "pipeline_parallel": (int, "a whole number of stages"),
    "data_parallel": (int, "a whole number of replicas of the attention"),
    "gpus_per_node": (int, "a number of GPUs"),
    "port": (int, "a TCP port"),
    "rendezvous_port": (int, "a TCP port"),
    "supervisor_port": (int, "a TCP port"),
    "forced_think": (bool, "true or false"),
    "concurrency": (int, "a number of requests"),
    "force": (bool, "true or false"),
    "ready_budget_seconds": (int, "a number of seconds"),
    "nodes": (list, "a list of inventory hostnames"),
    "extra_args": (list, "a list of words"),
    "mounts": (list, "a list such as /data:/data:ro"),
    "options": (dict, "a mapping of engine options"),
    "environment": (dict, "a mapping of environment variables"),
}


def parse(wish: t.Mapping[str, t.Any], where: str) -> tuple[Deployment | None, list[str]]:
    """Return (deployment, mistakes) of one item of ``engine_deployments``; None when it cannot even be read."""
    unknown = [
        f"{where}.{key}: unknown key; known are {', '.join(sorted(_KINDS))}" for key in sorted(set(wish) - set(_KINDS))
    ]
    wish = {key: value for key, value in wish.items() if key in _KINDS and value is not None}
    mistakes: list[str] = []
    for key, (kind, what) in _KINDS.items():
        # In Python a bool is an int too.
        if key in wish and (not isinstance(wish[key], kind) or isinstance(wish[key], bool) is not (kind is bool)):
            mistakes.append(f"{where}.{key}: {wish[key]!r} is not {what}")
    mistakes += [f"{where}.{key}: is missing; write {_KINDS[key][1]}" for key in ("name", "model") if not wish.get(key)]
    if mistakes:
        return None, unknown + mistakes
    values: dict[str, t.Any] = {
        key: tuple(str(one) for one in value) if isinstance(value, list) else value for key, value in wish.items()
    }
    deployment = Deployment(**values)
    if not deployment.served_name:
        deployment = dataclasses.replace(deployment, served_name=deployment.name)
    if not NAME.fullmatch(deployment.name):
        mistakes.append(f"{where}.name: {deployment.name!r} may hold a-z, 0-9 and '-' only, 40 characters at most")
    for key in ("tensor_parallel", "pipeline_parallel", "data_parallel"):
        if getattr(deployment, key) < 1:
            mistakes.append(f"{where}.{key}: {getattr(deployment, key)} must be 1 or more")
    for key in ("port", "rendezvous_port", "supervisor_port"):
        if not 1 <= getattr(deployment, key) <= 65535:
            mistakes.append(f"{where}.{key}: {getattr(deployment, key)} is not a TCP port")
    return deployment, unknown + mistakes
