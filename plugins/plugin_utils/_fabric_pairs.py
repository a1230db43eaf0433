# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which two nodes measure the fabric between them, and when: no node is in two pairs of one wave.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.

An *end* is what a node brings: ``{"address": "10.0.0.1", "hcas": [hca, …]}``, the HCAs in PCI order, each ``{"name", "port",
"link_layer", "gbps", "gid_index", "numa_node", "trouble"}``. HCAs of one index are a *rail*: they meet each other, as NCCL's rings do and
as rail-optimised fabrics are wired. A *pair* is one measurement::

    {"server": "n1", "client": "n2", "rail": 0, "server_hca": hca, "client_hca": hca, "address": "10.0.0.1", "port": 18515,
     "problem": "", "down": []}

A pair with a problem is not run; ``down`` are the nodes whose HCA is known to be the reason. A *wave* is the list of
pairs that run at once.
"""

from __future__ import annotations

import itertools
import typing as t

NO_ADDRESS = "{} has no IPv4 address on the interface of its default route: declare burn_in_fabric_address"

Pair = dict[str, t.Any]
End = t.Mapping[str, t.Any]

#: Ports of a pair: one per test. They are used again after this many pairs, far longer than one runs.
PORTS_PER_PAIR = 2
PAIRS_OF_PORTS = 500


def rounds(names: t.Sequence[str]) -> list[list[tuple[str, str]]]:
    """Return rounds in which each meets each other once, every one at most once per round (the circle method)."""
    ring: list[str | None] = [*names, None] if len(names) % 2 else [*names]
    found = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        meet = zip(ring[:half], reversed(ring[half:]), strict=True)
        found.append([(one, other) for one, other in meet if one is not None and other is not None])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return found


def plan(
    ends: t.Mapping[str, End], most_rounds: int = 0, at_once: int = 0, first_port: int = 18515
) -> dict[str, t.Any]:
    """Return {waves: [[pair]], refused: [pair], notes: [{node, text}]}; a note without a node is of the fleet.

    ``ends``: an empty one is of a node that has left the run. ``most_rounds``: how many of the rounds are run, 0 for all; with
    two, every node of a larger fleet still has two partners. ``at_once``: how many nodes may work at the same time (Ansible's
    forks: server and client must both be started), 0: any.
    """
    notes = [{"node": name, "text": text} for name, end in ends.items() for text in _missing(end)]
    able = [name for name, end in ends.items() if end and end["hcas"]]
    if len(able) < 2:
        notes.append(_of_fleet(f"{_nodes(len(able))} with HCAs: no fabric to test"))
        return {"waves": [], "refused": [], "notes": notes}
    if at_once == 1:
        notes.append(_of_fleet("server and client of a pair must be started at once: run this with --forks 2 or more"))
        return {"waves": [], "refused": [], "notes": notes}
    counts = {name: len(ends[name]["hcas"]) for name in able}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        text = f"nodes differ in their number of HCAs ({said}): rails beyond the smaller number are not measured"
        notes.append(_of_fleet(text))
    every = rounds(able)
    numbers = itertools.count()
    waves, refused = [], []
    for meeting in every[: most_rounds or len(every)]:
        for rail in range(max(counts.values())):
            meets = [(one, other) for one, other in meeting if rail < min(counts[one], counts[other])]
            pairs = [_pair(ends, one, other, rail, _port(first_port, next(numbers))) for one, other in meets]
            refused += [pair for pair in pairs if pair["problem"]]
            waves += _chunks([pair for pair in pairs if not pair["problem"]], at_once // 2)
    return {"waves": waves, "refused": refused, "notes": notes}


def swaps(
    ends: t.Mapping[str, End],
    suspects: t.Sequence[tuple[str, int]],
    good: t.Mapping[int, t.Sequence[str]],
    first_port: int = 28515,
) -> list[list[Pair]]:
    """Return waves in which each suspect, (node, rail), meets a node whose rail is known to be good: who is bad stays bad.

    Nobody is in two pairs of a wave. A suspect for whom nobody is known to be good is left out.
    """
    waves: list[list[Pair]] = []
    numbers = itertools.count()
    for node, rail in suspects:
        partners = [one for one in good.get(rail, ()) if one != node]
        if not partners:
            continue
        for wave in waves:
            busy = {name for pair in wave for name in (pair["server"], pair["client"])}
            partner = next((one for one in partners if one not in busy), None)
            if node not in busy and partner:
                break
        else:
            partner = partners[0]
            wave = []
            waves.append(wave)
        wave.append(_pair(ends, str(partner), node, rail, _port(first_port, next(numbers))))
    return waves


def parts(wave: t.Sequence[Pair]) -> dict[str, dict[str, t.Any]]:
    """Return {node: what it does in this wave, as options of the module rdma_speed}; who rests is not in it."""
    found = {}
    for pair in wave:
        for side, other in (("server", "client"), ("client", "server")):
            own = pair[f"{side}_hca"]
            found[pair[side]] = {
                "side": side,
                "node": pair[side],
                "peer": pair[other],
                "hca": own["name"],
                "peer_hca": pair[f"{other}_hca"]["name"],
                "ib_port": int(own["port"]),
                "port": pair["port"],
                **{key: own[key] for key in ("gid_index", "numa_node") if own[key] is not None},
                **({"address": pair["address"]} if side == "client" else {}),
            }
    return found


def _missing(end: End) -> list[str]:
    if not end:
        return ["it had left the run before the fabric was measured"]
    none = [] if end["hcas"] else ["no compute HCA was chosen, so its links are not measured"]
    return [*([end["problem"]] if end["problem"] else []), *none]


def _of_fleet(text: str) -> dict[str, str]:
    return {"node": "", "text": text}


def _nodes(count: int) -> str:
    return "one node" if count == 1 else f"{count} nodes"


def _port(first: int, number: int) -> int:
    return first + PORTS_PER_PAIR * (number % PAIRS_OF_PORTS)


def _chunks(pairs: list[Pair], size: int) -> list[list[Pair]]:
    if not pairs:
        return []
    return [pairs[at : at + size] for at in range(0, len(pairs), size)] if size else [pairs]


def _pair(ends: t.Mapping[str, End], server: str, client: str, rail: int, port: int) -> Pair:
    one, other = ends[server]["hcas"][rail], ends[client]["hcas"][rail]
    troubles = {
        name: f"{hca['name']} of {name}: {hca['trouble']}"
        for name, hca in ((server, one), (client, other))
        if hca["trouble"]
    }
    return {
        "server": server,
        "client": client,
        "rail": rail,
        "server_hca": dict(one),
        "client_hca": dict(other),
        "address": ends[server]["address"],
        "port": port,
        "down": list(troubles),
        "problem": "; ".join(troubles.values())
        or _mismatch(server, one, client, other)
        or ("" if ends[server]["address"] else NO_ADDRESS.format(server)),
    }


def _mismatch(server: str, one: t.Mapping[str, t.Any], client: str, other: t.Mapping[str, t.Any]) -> str:
    """Return why two HCAs cannot meet, or an empty string. A link layer that nobody knows is no reason."""
    if one["link_layer"] and other["link_layer"] and one["link_layer"] != other["link_layer"]:
        return (
            f"{one['name']} of {server} is {one['link_layer']}, {other['name']} of {client} is {other['link_layer']}: "
            "two fabrics; declare the compute HCAs of both nodes in one order"
        )
    return ""
