# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the measurements of a burn-in mean: names, which way is better, what may be compared with what.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime
import statistics
import typing as t

Measurement = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of measurement.

    ``scope``: ``gpu`` and ``node`` are measured on every node, ``pair`` between two nodes, ``fleet`` over all at once.
    ``better``: ``higher``, ``lower``, or empty where the value is no speed. ``warn`` and ``fail``: how much worse than the
    fleet's median or than the last run is worth a word: a share of it, for ``absolute`` kinds the unit itself; None where
    nothing is compared. ``gpus``: how many GPUs a node needs for it.
    """

    title: str
    scope: str
    better: str = "higher"
    warn: float | None = 0.03
    fail: float | None = 0.05
    absolute: bool = False
    gpus: int = 1


#: Shares: superbench's rule (5 % below the fleet fails), gpu-fryer's and stas00's spread of GEMM between good GPUs
#: (5 % is normal, 10 % is not), all read 2026-11-21. Latency and degrees are ours: nobody has published any, so they only warn.
KINDS: dict[str, Kind] = {
    "gemm": Kind("GEMM", "gpu", warn=0.05, fail=0.10),
    "hbm_copy": Kind("HBM copy", "gpu"),
    "h2d": Kind("Host to GPU", "gpu"),
    "d2h": Kind("GPU to host", "gpu"),
    "p2p": Kind("GPU to GPU", "gpu", gpus=2),
    "all_reduce": Kind("All-reduce in the node", "node", gpus=2),
    "temperature": Kind("Temperature under load", "gpu", better="lower", warn=15.0, fail=None, absolute=True),
    "clock_throttle": Kind("Clock throttling", "gpu", better="", warn=None, fail=None),
    "wrong_result": Kind("Wrong results", "gpu", better="", warn=None, fail=None),
    "rdma_write_bw": Kind("RDMA write bandwidth", "pair"),
    "rdma_write_lat": Kind("RDMA write latency", "pair", better="lower", warn=0.25, fail=None),
    "nccl_all_reduce": Kind("All-reduce across nodes", "fleet"),
    "nccl_transport": Kind("NCCL transport", "fleet", better="", warn=None, fail=None),
}

#: The parameters that must be equal before two values may be compared; others (a port, a count of repeats) may differ.
COMPARED = (
    *("dtype", "size", "load", "bytes", "together", "statistic"),
    *("algorithm", "nvls", "gpus", "nodes", "nics", "nic_gbps"),
)

#: The kinds whose value is a speed, so that a baseline of it makes sense.
SPEEDS = tuple(name for name, kind in KINDS.items() if kind.better and not kind.absolute)

UNKNOWN = Kind("Unknown kind", "node", better="", warn=None, fail=None)


def kind_of(measurement: Measurement) -> Kind:
    """Return the kind of a measurement; one that nobody knows is compared with nothing."""
    return KINDS.get(measurement["kind"], dataclasses.replace(UNKNOWN, title=str(measurement["kind"])))


def parameters(measurement: Measurement) -> dict[str, t.Any]:
    """Return the parameters that make values comparable, in the order of ``COMPARED``."""
    said = measurement.get("parameters") or {}
    return {key: said[key] for key in COMPARED if said.get(key) is not None}


def label(measurement: Measurement) -> str:
    """Return what was measured as a title: ``GEMM bf16 8192``, ``All-reduce across nodes 8 GiB Ring, 16 GPUs``."""
    said, kind = parameters(measurement), kind_of(measurement)
    words = [kind.title, *(str(said[key]) for key in ("dtype", "size") if key in said)]
    if "bytes" in said:
        words.append(size(said["bytes"]))
    words += [str(said[key]) for key in ("algorithm",) if said.get(key)]
    # NCCL calls the algorithm itself NVLS or NVLSTree where it was seen.
    if said.get("nvls") and "NVLS" not in str(said.get("algorithm")):
        words.append("NVLS")
    # What is usual is not said: bursts, one card after another, the highest of the readings.
    words += [str(said[key]) for key in ("load", "statistic") if said.get(key) not in (None, "burst", "highest")]
    if said.get("together", 1) > 1:
        words.append(f"{said['together']} at once")
    if said.get("gpus", 1) > 1 and kind.scope != "gpu":
        words[-1] += ","
        words.append(f"{said['gpus']} GPUs")
    return " ".join(words)


def place(measurement: Measurement) -> str:
    """Return where a value was measured: ``n1: gpu 0``, ``n1 to n2: mlx5_0 -> mlx5_0``."""
    ends = f"{measurement['node']} to {measurement['peer']}" if measurement.get("peer") else str(measurement["node"])
    return f"{ends}: {measurement['subject']}" if measurement.get("subject") else ends


def value(measurement: Measurement) -> float | None:
    """Return the value as a number, or None when there is none."""
    found = measurement.get("value")
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def worse_by(kind: Kind, now: float, reference: float) -> float:
    """Return how much worse ``now`` is: a share of ``reference``, or the unit itself for absolute kinds; negative is better."""
    lost = now - reference if kind.better == "lower" else reference - now
    if kind.absolute:
        return lost
    return lost / reference if reference else 0.0


def amount(kind: Kind, worse: float, unit: str) -> str:
    """Return ``worse_by`` as text: ``7.1 % less``, ``26 % more``, ``9 °C more``."""
    word = "more" if (worse > 0) == (kind.better == "lower") else "less"
    return f"{with_unit(abs(worse), unit)} {word}" if kind.absolute else f"{abs(worse) * 100:.1f} % {word}"


def moment(text: t.Any) -> datetime.datetime:
    """Return an ISO 8601 time in UTC; one without a zone is UTC. Raises ValueError."""
    found = datetime.datetime.fromisoformat(str(text))
    return found.replace(tzinfo=datetime.UTC) if found.tzinfo is None else found.astimezone(datetime.UTC)


def median(values: t.Sequence[float]) -> float:
    return round(statistics.median(values), 4)


def number(figure: float | None) -> str:
    """Return a figure with three or four significant digits and without an exponent: ``142.2``, ``3387``, ``2.13``."""
    if figure is None:
        return "–"
    if abs(figure) >= 1000:
        return f"{figure:.0f}"
    text = f"{figure:.1f}" if abs(figure) >= 100 else f"{figure:.3g}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def with_unit(figure: float | None, unit: str) -> str:
    """Return a figure with its unit: ``142.2 TFLOP/s``, ``61 °C``."""
    return f"{number(figure)} {'°C' if unit == 'degC' else unit}".rstrip()


def size(count: float) -> str:
    """Return a number of bytes in the largest unit that keeps it short: ``8 GiB``, ``64 MiB``, ``1.5 KiB``, ``8 B``."""
    names = ("B", "KiB", "MiB", "GiB", "TiB")
    step = 0
    while count >= 1024 and step < len(names) - 1:
        count, step = count / 1024, step + 1
    return f"{count:.4g} {names[step]}"
