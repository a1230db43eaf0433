# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine is: the one class whose children know a serving program's command line.

An engine has no Ansible and no I/O: it turns a deployment and its place in the fleet into argv, environment and probes.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a rank stands: its node, and what the fleet looks like from there."""

    node: str
    rank: int
    address: str
    interface: str
    head_address: str
    listen_address: str
    model_directory: str
    gpus: int


class Engine:
    """One serving program. A child sets the class attributes and overrides what behaves differently."""

    #: Name in ``engine_deployments``; equals the name of the file.
    name: str = ""
    #: Image that is used when a deployment names none.
    image: str = ""
    #: Whether ranks are workers of a Ray cluster, so that only the head runs a container of the deployment.
    needs_ray: bool = False
    #: option → (flag, kind); kind is one of int, float, str, bool, list.
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {}
    #: Flags that the plan itself sets; extra_args must not repeat them.
    planned_flags: tuple[str, ...] = ()
    #: Flags of older releases → what to write today.
    renamed_flags: t.ClassVar[t.Mapping[str, str]] = {}
    #: Regular expression in a log → cause and remedy.
    failure_signatures: t.ClassVar[t.Mapping[str, str]] = {}

    def mistakes(self, deployment: Deployment, where: str) -> list[str]:
        """Return what is wrong with the deployment's options and extra arguments."""
        found: list[str] = []
        for key, value in deployment.options.items():
            if key not in self.options:
                found.append(f"{where}.options.{key}: {self.name} has {', '.join(sorted(self.options))}")
            elif not _fits(value, self.options[key][1]):
                found.append(f"{where}.options.{key}: {value!r} is not of kind {self.options[key][1]}")
        taken = set(self.planned_flags) | {self.options[key][0] for key in deployment.options if key in self.options}
        for word in deployment.extra_args:
            # Parsers take --some_flag for --some-flag, and an abbreviation for the whole flag.
            flag = word.split("=", 1)[0]
            flag = flag.replace("_", "-") if flag.startswith("--") else flag
            whole = [one for one in sorted(taken) if flag[2:] and flag.startswith("--") and one.startswith(flag)]
            if flag in self.renamed_flags:
                found.append(f"{where}.extra_args: {flag} is of an older release; {self.renamed_flags[flag]}")
            elif flag in taken:
                found.append(f"{where}.extra_args: {flag} is already set by the plan; use the deployment's own keys")
            elif whole:
                found.append(
                    f"{where}.extra_args: {flag} is an abbreviation of {whole[0]}, which the plan already sets"
                )
        return found

    def flags(self, deployment: Deployment) -> list[str]:
        """Return the words of the typed options, in the order of the option map."""
        words: list[str] = []
        for key, (flag, kind) in self.options.items():
            if key not in deployment.options:
                continue
            value = deployment.options[key]
            if kind == "bool":
                words.append(flag if value else "--no-" + flag[2:])
            elif kind == "list":
                words += [flag, *[str(one) for one in value]]
            else:
                words += [flag, str(value)]
        return words

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        """Return the command of the rank's container."""
        raise NotImplementedError(self.name)

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        """Return {variable: (value, reason)} of the rank's container."""
        raise NotImplementedError(self.name)

    def start_order(self, nodes: t.Sequence[str]) -> list[str]:
        """Return the nodes that run a container of the deployment, first started first."""
        return list(nodes)

    def probes(self, deployment: Deployment, place: Place) -> dict[str, list[dict[str, t.Any]]]:
        """Return {ready: [...], alive: [...]}: the probes of the rank supervisor on that node."""
        base = f"http://{place.listen_address}:{deployment.port}"
        return {
            "ready": [
                {"kind": "http", "url": f"{base}/health"},
                {"kind": "completion", "url": f"{base}/v1/completions", "model": deployment.served_name},
            ],
            "alive": [{"kind": "http", "url": f"{base}/health"}],
        }

    def ready_budget_seconds(self, deployment: Deployment, model_bytes: int) -> int:
        """Return how long loading may take: 15 min for imports and graphs, and the weights at 200 MB/s, a slow disk."""
        return deployment.ready_budget_seconds or 900 + model_bytes // 200_000_000


def _fits(value: t.Any, kind: str) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, list) if kind == "list" else isinstance(value, str)
