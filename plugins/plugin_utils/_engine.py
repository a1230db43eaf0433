# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine is: the one class whose children know a serving program's command line.

An engine has no Ansible and no I/O: it turns a deployment and its place in the fleet into argv, environment and probes.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _parser_tables
from ansible_collections.gpufleet.inference.plugins.plugin_utils._deployment import Deployment
from ansible_collections.gpufleet.inference.plugins.plugin_utils._flags import (
    Renamed,
    Table,
    problems,
    spelled,
    today,
)

#: Kinds of options. bool: ``--x`` or ``--no-x``; switch: ``--x`` or nothing; env: a variable instead of a flag; file: a
#: mapping that the engine reads from a file.
KINDS = ("int", "float", "str", "bool", "switch", "list", "json", "env", "file")

#: Where a rank's container finds files of options, and the keys of ``needs_ssh``.
FILES_IN_CONTAINER = "/run/gpufleet"
SSH_IN_CONTAINER = f"{FILES_IN_CONTAINER}/ssh"

#: An engine without a new token for that long is asked for one, and may take so long.
IDLE_SECONDS, TOKEN_TIMEOUT_SECONDS = 30, 60

#: How long a stop waits for requests that are being served; systemd's own patience is longer.
DRAIN_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a rank stands: its node, and what the fleet looks like from there. ``addresses`` are those of all ranks."""

    node: str
    rank: int
    address: str
    interface: str
    head_address: str
    listen_address: str
    model_directory: str
    gpus: int
    nodes: int = 1
    addresses: tuple[str, ...] = ()


class Engine:
    """One serving program. A child sets the class attributes and overrides what behaves differently."""

    #: Name in ``engine_deployments``; equals the name of the file.
    name: str = ""
    #: Image that is used when a deployment names none.
    image: str = ""
    #: Whether ranks are workers of a Ray cluster, so that only the head runs a container of the deployment.
    needs_ray: bool = False
    #: Name in ``_parsers/``; empty: no parser is known.
    parser: str = ""
    #: Whether the ranks find each other at ``rendezvous_port`` of the first node.
    meets: bool = False
    #: Whether the first rank logs in to the others: sshd listens at ``rendezvous_port`` of every node but the first.
    needs_ssh: bool = False
    #: On several nodes: the process without which the first rank's container is as good as ended, though it runs.
    process: str = ""
    #: Whether every rank listens on the deployment's port, be it only for show.
    every_rank_listens: bool = False
    #: Names in Prometheus' text at /metrics: of the tokens generated, and of the requests that are being served.
    token_counters: tuple[str, ...] = ()
    running_gauges: tuple[str, ...] = ()
    #: Variable that names a cache of compiled kernels → folder below the one that outlives containers.
    caches: t.ClassVar[t.Mapping[str, str]] = {}
    #: Longest seconds of a start beside reading the weights: processes, imports, NCCL and graphs (38 to 190 s on two busy
    #: cores, some minutes on eight GPUs); and kernels that are compiled anew (DeepGEMM takes up to half an hour).
    begin_seconds: int = 900
    compile_seconds: int = 1800
    #: What to write for data-parallel attention where ``data_parallel`` is not this engine's word; empty: it is.
    instead_of_data_parallel: str = "leave it out"
    #: What a killed rank leaves, beside what all do: globs of files under /dev/shm.
    left_behind: tuple[str, ...] = ()
    #: option → (flag, kind); kind is one of KINDS.
    options: t.ClassVar[t.Mapping[str, tuple[str, str]]] = {}
    #: Flags that the plan itself sets; extra_args must not repeat them.
    planned_flags: tuple[str, ...] = ()
    #: Flags of older releases → today's words, or what to do instead.
    renamed_flags: t.ClassVar[Renamed] = {}

    def table(self, deployment: Deployment) -> Table | None:
        """Return what the parser of the deployment's release takes; None when that release is not known here."""
        release = deployment.release or _parser_tables.release_in(deployment.image, self.image)
        return _parser_tables.load(self.parser, release) if self.parser else None

    def mistakes(self, deployment: Deployment, where: str) -> list[str]:
        """Return what is wrong with the deployment's options and extra arguments."""
        known = self.table(deployment)
        found: list[str] = []
        if deployment.data_parallel > 1 and self.instead_of_data_parallel:
            found.append(f"{where}.data_parallel: {self.name} takes none; {self.instead_of_data_parallel}")
        for key, value in deployment.options.items():
            if key not in self.options:
                found.append(f"{where}.options.{key}: {self.name} has {', '.join(sorted(self.options))}")
                continue
            kind = self.options[key][1]
            if not fits(value, kind):
                found.append(f"{where}.options.{key}: {value!r} is not of kind {kind}")
            elif known and kind != "env":
                words = self.words(key, value)
                found += [f"{where}.options.{key}: {one}" for one in problems(words, known)]
        return found + self._extra_mistakes(deployment, where, known)

    def _extra_mistakes(self, deployment: Deployment, where: str, known: Table | None) -> list[str]:
        words, told = today(deployment.extra_args, self.renamed_flags)
        taken = set(self.planned_flags) | {self.options[key][0] for key in deployment.options if key in self.options}
        if known:
            spellings = [known.options[flag] for flag in taken if flag in known.options]
            taken |= {flag for flag, option in known.options.items() if any(option is one for one in spellings)}
        # Parsers take --some_flag for --some-flag, and an abbreviation for the whole flag.
        written = {spelled(flag): flag for flag in taken}
        refused = {word for word in words if spelled(word) in self.renamed_flags}
        for word in words:
            flag = spelled(word)
            whole = [one for one in sorted(written) if flag[2:] and flag.startswith("--") and one.startswith(flag)]
            if flag in written:
                told.append(f"{written[flag]} is already set by the plan; use the deployment's own keys")
            elif whole and word not in refused and not (known and spelled(word, known.engine) in known.options):
                told.append(f"{flag} is an abbreviation of {written[whole[0]]}, which the plan already sets")
            else:
                continue
            refused.add(word)
        if known:
            # What is refused already needs no second sentence.
            said = {spelled(word, known.engine) for word in refused}
            told += [one for one in problems(words, known) if one.split(" ", 1)[0] not in said]
        return [f"{where}.extra_args: {one}" for one in told]

    def flags(self, deployment: Deployment) -> list[str]:
        """Return the words of the typed options, in the order of the option map."""
        given = [key for key, (_flag, kind) in self.options.items() if key in deployment.options and kind != "env"]
        return [word for key in given for word in self.words(key, deployment.options[key])]

    def words(self, key: str, value: t.Any) -> list[str]:
        """Return the words of one typed option."""
        flag, kind = self.options[key]
        if kind == "bool":
            return [flag if value else "--no-" + flag[2:]]
        if kind == "switch":
            return [flag] if value else []
        if kind == "list":
            return [flag, *[str(one) for one in value]]
        if kind == "file":
            return [flag, f"{FILES_IN_CONTAINER}/{key}.json"]
        return [flag, json.dumps(value, sort_keys=True) if kind == "json" else str(value)]

    def extra_words(self, deployment: Deployment) -> list[str]:
        """Return the extra arguments, flags of older releases in today's words."""
        return today(deployment.extra_args, self.renamed_flags)[0]

    def option_env(self, deployment: Deployment) -> dict[str, tuple[str, str]]:
        """Return {variable: (value, reason)} of the typed options that are variables and no flags."""
        return {
            name: (str(deployment.options[key]), f"options.{key}")
            for key, (name, kind) in self.options.items()
            if kind == "env" and key in deployment.options
        }

    def files(self, deployment: Deployment) -> dict[str, str]:
        """Return {name: text} of the files that each rank's container finds in FILES_IN_CONTAINER. Never a secret."""
        return {
            f"{key}.json": json.dumps(deployment.options[key], indent=4, sort_keys=True) + "\n"
            for key, (_flag, kind) in self.options.items()
            if kind == "file" and key in deployment.options
        }

    def mounts(self, deployment: Deployment, place: Place) -> list[str]:
        """Return the mounts by which the rank's container sees the model."""
        return [f"{place.model_directory}:{place.model_directory}:ro"]

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
        """Return {ready: [...], alive: [...]}: the probes of the rank supervisor on that node.

        Only the first rank serves. Of the others it is watched that their container runs: where one of them answers on
        the port at all, it is for show. A healthy engine is not asked for tokens while its counter moves.
        """
        if place.rank:
            return {"ready": [], "alive": []}
        base = f"http://{place.listen_address}:{deployment.port}"
        health = {"kind": "http", "url": f"{base}/health"}
        completion = {"url": f"{base}/v1/completions", "model": deployment.served_name}
        tokens = {
            "metrics_url": f"{base}/metrics" if self.token_counters else "",
            "counters": list(self.token_counters),
            "idle_seconds": IDLE_SECONDS,
            "timeout_seconds": TOKEN_TIMEOUT_SECONDS,
        }
        return {
            "ready": [health, {"kind": "completion", **completion}],
            "alive": [health, {"kind": "tokens", **completion, **tokens}],
        }

    def further_ports(self, deployment: Deployment) -> dict[int, str]:
        """Return {port: what it is} of what the first rank listens on beside the deployment's own ports."""
        return {}

    def drain(self, deployment: Deployment, place: Place) -> dict[str, t.Any] | None:
        """Return how a stop waits for running requests: {metrics_url, gauges, seconds}; None where nothing can be asked."""
        if place.rank or not self.running_gauges:
            return None
        url = f"http://{place.listen_address}:{deployment.port}/metrics"
        return {"metrics_url": url, "gauges": list(self.running_gauges), "seconds": DRAIN_SECONDS}


def fits(value: t.Any, kind: str) -> bool:
    """Tell whether the value of an option is of that kind."""
    if kind in ("bool", "switch"):
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind in ("json", "file"):
        return isinstance(value, dict)
    return isinstance(value, list) if kind == "list" else isinstance(value, str)
