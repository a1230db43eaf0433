# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name the nodes that differ from the rest of the fleet: one line for each, with what and from what.

What a node has is compared with what most have; numbers with the median. Where as many have one thing as another, the first
node's is taken and the line says so, as nobody can tell who drifted.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import dataclasses
import re
import statistics
import typing as t

Facts = t.Mapping[str, t.Any]

#: How far a number may be from the median; memory that the kernel sees differs by some per mille between boots.
SHARE = 0.02

#: What could not be read; it is compared with nothing.
UNKNOWN = ""


@dataclasses.dataclass(frozen=True)
class Difference:
    """One thing in which a node differs from most others."""

    what: str
    observed: str
    expected: str
    #: How many nodes have the expected value.
    others: int
    #: Whether more nodes have the expected value than any other.
    sure: bool = True

    def text(self) -> str:
        """Return "driver 570.1 where 7 have 580.1"."""
        return (
            f"{self.what} {self.observed} where {self.others} {'has' if self.others == 1 else 'have'} {self.expected}"
        )


def hca_set(node: Facts) -> str:
    """Return "8 × MT4129 InfiniBand" of the physical HCAs, "none" without one. Rates are left out: a dead port tells none."""
    kinds = collections.Counter(
        " ".join([one["hca_type"] or one["device"] or "soft-RoCE", *_layers(one)])
        for one in node.get("rdma", {}).get("hcas", {}).values()
        if not one["virtual_function"]
    )
    return ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items())) or "none"


def _layers(one: Facts) -> list[str]:
    return sorted({port["link_layer"] for port in one["ports"].values()} - {""})


def hca_firmware(node: Facts) -> str:
    """Return "MT4129 28.41.1000" of the physical HCAs; one node may have several."""
    versions = {
        f"{one['hca_type']} {one['firmware']}".strip()
        for one in node.get("rdma", {}).get("hcas", {}).values()
        if not one["virtual_function"] and one["firmware"]
    }
    return ", ".join(sorted(versions))


def hca_rate(node: Facts) -> float:
    """Return Gb/s of all active InfiniBand and RoCE ports of physical HCAs together."""
    ports = [
        port
        for one in node.get("rdma", {}).get("hcas", {}).values()
        if not one["virtual_function"]
        for port in one["ports"].values()
    ]
    return sum(float(port["rate_gbps"] or 0) for port in ports if port["state"] == "ACTIVE")


def gpu_set(node: Facts) -> str:
    """Return "8 × 2329": how many GPUs of which PCI device id are on the bus."""
    kinds = collections.Counter(one["device"] for one in node.get("gpus", []))
    return ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items())) or "none"


def driver(node: Facts) -> str:
    """Return "580.159.04 open"; a node without GPUs needs none."""
    nvidia = node.get("nvidia", {})
    absent = "not loaded" if node.get("gpus") else "none"
    return f"{nvidia.get('version', '')} {nvidia.get('flavour', '')}".strip() or absent


def vbios(proof: Facts) -> str:
    """Return the VBIOS versions that ``gpu_health`` saw, each once."""
    return ", ".join(sorted({str(one["vbios_version"]) for one in proof.get("gpus", []) if one.get("vbios_version")}))


#: What is compared → how to read it from ``platform_node``.
WORDS: dict[str, t.Callable[[Facts], str]] = {
    "GPUs": gpu_set,
    "driver": driver,
    "kernel": lambda node: str(node.get("kernel", UNKNOWN)),
    "distribution": lambda node: f"{node.get('distribution', '')} {node.get('distribution_version', '')}".strip(),
    "HCAs": hca_set,
    "HCA firmware": hca_firmware,
    "Docker": lambda node: str(node.get("docker", {}).get("version", UNKNOWN)),
}

#: The same for numbers, with their unit and what they are divided by.
NUMBERS: dict[str, tuple[t.Callable[[Facts], float], str]] = {
    "CPUs": (lambda node: float(node.get("cpus", 0)), ""),
    "memory": (lambda node: float(node.get("memory_bytes", 0)) / 2**30, " GiB"),
    "active RDMA ports": (hca_rate, " Gb/s"),
}


def differing(what: str, values: t.Mapping[str, str]) -> dict[str, Difference]:
    """Return {node: difference} of the nodes whose value is not what most have; unknown ones are left out."""
    known = {node: value for node, value in values.items() if value != UNKNOWN}
    counts = collections.Counter(known.values())
    if len(counts) < 2:
        return {}
    most = max(counts.values())
    common = [value for value in known.values() if counts[value] == most]  # in the order of the nodes
    expected, sure = common[0], len(set(common)) == 1
    return {
        node: Difference(what, value, expected, counts[expected], sure)
        for node, value in known.items()
        if value != expected
    }


def outlying(what: str, values: t.Mapping[str, float], unit: str = "", share: float = SHARE) -> dict[str, Difference]:
    """Return {node: difference} of the nodes whose number is further from the median than ``share`` of it."""
    if len(values) < 2:
        return {}
    # The low median is one that a node has, so that of two nodes one can differ.
    middle = statistics.median_low(values.values())
    near = sum(abs(value - middle) <= share * abs(middle) for value in values.values())
    sure = near * 2 > len(values)
    return {
        node: Difference(what, f"{value:g}{unit}", f"{middle:g}{unit}", near, sure)
        for node, value in ((node, round(value, 1)) for node, value in values.items())
        if abs(value - middle) > share * abs(middle)
    }


def images(nodes: t.Mapping[str, Facts]) -> dict[str, list[Difference]]:
    """Return {node: differences} of image references that stand for another image there than on most nodes that have it."""
    found: dict[str, list[Difference]] = {}
    references = {
        reference
        for node in nodes.values()
        for reference in node.get("docker", {}).get("images", {})
        if not re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", reference)
    }
    for reference in sorted(references):
        here = {
            name: str(node.get("docker", {}).get("images", {}).get(reference, UNKNOWN)) for name, node in nodes.items()
        }
        short = {name: value[:19] for name, value in here.items()}
        for name, one in differing(f"image {reference}", short).items():
            found.setdefault(name, []).append(one)
    return found


def differences(nodes: t.Mapping[str, Facts], proofs: t.Mapping[str, Facts]) -> dict[str, list[Difference]]:
    """Return {node: what differs there}, nodes that differ in nothing left out."""
    found: dict[str, list[Difference]] = {}
    parts: list[dict[str, Difference]] = [
        differing(what, {name: read(node) for name, node in nodes.items()}) for what, read in WORDS.items()
    ]
    parts.append(differing("VBIOS", {name: vbios(proofs.get(name, {})) for name in nodes}))
    parts += [
        outlying(what, {name: read(node) for name, node in nodes.items()}, unit)
        for what, (read, unit) in NUMBERS.items()
    ]
    for part in parts:
        for name, one in part.items():
            found.setdefault(name, []).append(one)
    for name, several in images(nodes).items():
        found.setdefault(name, []).extend(several)
    return {name: found[name] for name in nodes if name in found}


def unseen(nodes: t.Mapping[str, Facts], proofs: t.Mapping[str, Facts]) -> dict[str, list[str]]:
    """Return {node: what could not be read there though others have it}."""
    found: dict[str, list[str]] = {}
    readers = {what: {name: read(node) for name, node in nodes.items()} for what, read in WORDS.items()}
    readers["VBIOS"] = {name: vbios(proofs.get(name, {})) for name in nodes}
    # Firmware and VBIOS of what a node does not have are no gap.
    readers["HCA firmware"] = {
        n: v if hca_set(nodes[n]) != "none" else "none" for n, v in readers["HCA firmware"].items()
    }
    readers["VBIOS"] = {n: v if nodes[n].get("gpus") else "none" for n, v in readers["VBIOS"].items()}
    for what, values in readers.items():
        if any(value not in (UNKNOWN, "none") for value in values.values()):
            for name, value in values.items():
                if value == UNKNOWN:
                    found.setdefault(name, []).append(what)
    return found


def drift(nodes: t.Mapping[str, Facts], proofs: t.Mapping[str, Facts] | None = None) -> dict[str, t.Any]:
    """Compare the nodes of a fleet.

    ``nodes`` is {node: platform_node}, ``proofs`` {node: facts of ``gpu_health``}, which has the VBIOS.

    Returns {"verdict": "pass" | "warn" | "not_verified", "lines": [one per drifted node], "nodes": {node: [{what, observed,
    expected, others, sure}]}, "unseen": {node: [what could not be read there]}, "compared": [names]}. One node alone cannot
    be compared: ``not_verified``.
    """
    proofs = proofs or {}
    if len(nodes) < 2:
        why = "fewer than two nodes: there is nothing to compare with"
        return {"verdict": "not_verified", "lines": [why], "nodes": {}, "unseen": {}, "compared": sorted(nodes)}
    found, gaps = differences(nodes, proofs), unseen(nodes, proofs)
    lines = [f"{name}: {'; '.join(one.text() for one in several)}{_doubt(several)}" for name, several in found.items()]
    lines += [f"{name}: could not be read: {', '.join(what)}" for name, what in gaps.items()]
    return {
        "verdict": "not_verified" if gaps else "warn" if found else "pass",
        "lines": lines,
        "nodes": {name: [dict(vars(one)) for one in several] for name, several in found.items()},
        "unseen": gaps,
        "compared": list(nodes),
    }


def _doubt(several: t.Sequence[Difference]) -> str:
    return "" if all(one.sure for one in several) else " (no majority: either side may have drifted)"
