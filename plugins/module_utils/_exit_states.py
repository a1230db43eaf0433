# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the end of a container means, and what the node's own state adds to it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._signature import ROOT, SUSPECT, SYMPTOM, Signature

#: Less than this is as good as full: one shared memory ring of vLLM is 240 MB, a log line needs little.
SHM_LEAST_BYTES = 64 * 2**20
DISK_LEAST_BYTES = 2**30

SOURCE = "docker inspect"

OOM_KILLED = Signature(
    "container-oom-killed",
    "",
    "the kernel ended the container because memory was full",
    "free memory of the host, lower the object store (ray_cluster_object_store_gib), or use a larger host",
    SOURCE,
    kind=ROOT,
)

#: Exit code → signature. 137 is left out for SGLang, which kills its own tree.
EXIT_CODES: dict[int, Signature] = {
    125: Signature(
        "exit-docker",
        "",
        "Docker itself could not start the container",
        "journalctl -u docker on that node; the unit's status holds Docker's words",
        SOURCE,
        kind=SYMPTOM,
    ),
    126: Signature(
        "exit-not-executable",
        "",
        "the image's command may not be executed",
        "use the engine's own image",
        SOURCE,
        kind=SUSPECT,
    ),
    127: Signature(
        "exit-not-found",
        "",
        "the image has no such command",
        "correct the deployment's image: it is one of another engine",
        SOURCE,
        kind=SUSPECT,
    ),
    132: Signature(
        "exit-sigill",
        "",
        "the engine met an instruction that this processor does not have",
        "use an image for this processor; on CPU write options.dtype: float32",
        SOURCE,
        kind=SUSPECT,
    ),
    134: Signature(
        "exit-sigabrt",
        "",
        "the engine gave up by itself (SIGABRT)",
        "look for 'terminate called' or an NCCL watchdog in its log, and at the other ranks",
        SOURCE,
        kind=SYMPTOM,
    ),
    135: Signature(
        "exit-sigbus",
        "",
        "the engine got SIGBUS: /dev/shm was full",
        "enlarge /dev/shm (host_health: shm_gib), or remove what killed engines left there",
        SOURCE,
        kind=SUSPECT,
    ),
    137: Signature(
        "exit-sigkill",
        "",
        "the engine was killed from outside, by a person, by its supervisor, or by the kernel for want of memory",
        "dmesg --ctime | grep -i oom; journalctl of the unit tells whether the supervisor did it",
        SOURCE,
        kind=SYMPTOM,
    ),
    139: Signature(
        "exit-sigsegv",
        "",
        "the engine crashed (SIGSEGV)",
        "try options.enforce_eager: true, and the release's own image",
        SOURCE,
        kind=SYMPTOM,
    ),
}


def end_of(rank: t.Mapping[str, t.Any]) -> list[tuple[Signature, tuple[str, ...], list[str], str]]:
    """Return (signature, groups, evidence, time) of what the container's end and the node's state tell."""
    state, facts = rank.get("state") or {}, rank.get("facts") or {}
    code, when = state.get("exit_code"), str(state.get("finished_at", ""))
    if state.get("running") is not False:
        return []
    told: list[tuple[Signature, tuple[str, ...], list[str], str]] = []
    said = [f"exit code {code}, OOMKilled {state.get('oom_killed')}, finished {when}"]
    if state.get("oom_killed"):
        told.append((OOM_KILLED, (), said, when))
    elif code in EXIT_CODES and not (code == 137 and rank.get("engine") == "sglang"):
        told.append((EXIT_CODES[code], (), said, when))
    return told + [(one, (), [evidence], when) for one, evidence in _full(facts)] if code not in (0, 143) else told


def _full(facts: t.Mapping[str, t.Any]) -> list[tuple[Signature, str]]:
    found = []
    shm = facts.get("shm_free_bytes")
    if shm is not None and shm < SHM_LEAST_BYTES:
        signature = Signature(
            "shm-nearly-full",
            "",
            "/dev/shm of this node is full",
            "enlarge it (host_health: shm_gib), or remove what killed engines left there",
            "statvfs",
            kind=SUSPECT,
        )
        found.append((signature, f"/dev/shm has {shm} bytes free"))
    for path, free in sorted((facts.get("disk_free_bytes") or {}).items()):
        if free < DISK_LEAST_BYTES:
            signature = Signature(
                "disk-nearly-full",
                "",
                f"the disk of {path} on this node is full",
                f"free space: du --one-file-system {path}",
                "statvfs",
                kind=SUSPECT,
            )
            found.append((signature, f"{path} has {free} bytes free"))
    return found
