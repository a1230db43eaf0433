# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine of the user's own: an image and a command, with the places of the plan put in.

What the plan cannot know is asked for: the command, and the path that tells health. It must serve an OpenAI-compatible
``/v1/completions``, by which readiness is proven.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine import Engine, Place, fits

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Custom(Engine):
    """Runs ``options.command``; ``{name}`` in a word is replaced, see ``values``."""

    name = "custom"
    meets = True
    every_rank_listens = True
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {"command": ("", "list"), "health_path": ("", "str")}

    def mistakes(self, deployment: Deployment, where: str) -> list[str]:
        given = deployment.options
        found = [
            f"{where}.options.{key}: {self.name} has {', '.join(sorted(self.options))}"
            for key in given
            if key not in self.options
        ]
        found += [
            f"{where}.options.{key}: {given[key]!r} is not of kind {kind}"
            for key, (_flag, kind) in self.options.items()
            if key in given and not fits(given[key], kind)
        ]
        if not given.get("command"):
            found.append(f"{where}.options.command: is missing; write the words of the container's command")
        if not str(given.get("health_path", "/")).startswith("/"):
            found.append(f"{where}.options.health_path: must begin with /")
        known = set(values(deployment, None))
        wrong = {name for word in _words(deployment) for name in _PLACEHOLDER.findall(word)} - known
        return found + [
            f"{where}.options.command: {{{name}}} is unknown; known are {', '.join(sorted(known))}"
            for name in sorted(wrong)
        ]

    def argv(self, deployment: Deployment, place: Place) -> list[str]:
        put = values(deployment, place)
        return [_PLACEHOLDER.sub(lambda match: put[match[1]], word) for word in _words(deployment)]

    def env(self, deployment: Deployment, place: Place) -> dict[str, tuple[str, str]]:
        return {}

    def probes(self, deployment: Deployment, place: Place) -> dict[str, list[dict[str, t.Any]]]:
        probes = super().probes(deployment, place)
        for one in [*probes["ready"], *probes["alive"]]:
            if one["kind"] == "http":
                one["url"] = one["url"].removesuffix("/health") + str(deployment.options.get("health_path", "/health"))
        return probes


def values(deployment: Deployment, place: Place | None) -> dict[str, str]:
    """Return {placeholder: text} of a rank; without a place only the names count."""
    known = {
        "model": place.model_directory if place else "",
        "host": place.listen_address if place else "",
        "address": place.address if place else "",
        "interface": place.interface if place else "",
        "head_address": place.head_address if place else "",
        "rank": place.rank if place else 0,
        "nodes": place.nodes if place else 1,
        "served_name": deployment.served_name,
        "port": deployment.port,
        "rendezvous_port": deployment.rendezvous_port,
        "tensor_parallel": deployment.tensor_parallel,
        "pipeline_parallel": deployment.pipeline_parallel,
    }
    return {name: str(value) for name, value in known.items()}


def _words(deployment: Deployment) -> list[str]:
    return [str(word) for word in (*deployment.options.get("command", ()), *deployment.extra_args)]
