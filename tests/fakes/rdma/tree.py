# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node with RDMA devices as a tree of files: real symbolic links, configuration spaces, counters, answers of programs.

    host = make_host(tmp_path, "h20x8", port={"mlx5_0": {"state": "2: INIT"}})

Profiles are those of ``shapes``. Changes are keywords with plain data, so that they can stand in YAML; None removes:

============  ==========================================================================================================
``device``    {name: {file: text}} below /sys/class/infiniband/<name>, e.g. ``fw_ver``; {name: None}: not there at all
``port``      {name: {file: text}} below its ``ports/1``, e.g. ``state``, ``counters/link_downed``, ``gid_attrs/types/3``
``later``     the same, written when somebody sleeps: what the second reading of counters sees
``function``  {PCI address: {file: text}}, e.g. ``current_link_width``
``config``    {PCI address: keywords of ``config_space``}
``net``       {interface: {file: text}} below /sys/class/net
``dcb``       {interface: {pfc, trust, problem}}, what the kernel says of priorities
``modules``   {name: version}
``log``       lines of the kernel, or [seconds since boot, line]; None: nobody can read them
``gids``      how many entries each table of GIDs has
``memlock``   what new services and logins may pin
``files``     {path: text, or None}: anything else, last
``answers``   {"program word …": text or {rc, stdout, problem}}
============  ==========================================================================================================
"""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host
from tests.fakes.rdma import programs
from tests.fakes.rdma.config_space import config_space
from tests.fakes.rdma.shapes import CARDS, PROFILES

Data = dict[str, t.Any]
#: A text, bytes, where a symbolic link points to, or None for no file.
Content = str | bytes | pathlib.PurePath | None

CLASS, PCI, NET = "/sys/class/infiniband", "/sys/bus/pci/devices", "/sys/class/net"

COUNTERS = (
    *("link_downed", "symbol_error", "link_error_recovery", "port_rcv_errors", "local_link_integrity_errors"),
    *("excessive_buffer_overrun_errors", "port_xmit_discards", "port_rcv_data"),
)
HARDWARE_COUNTERS = ("rnr_nak_retry_err", "local_ack_timeout_err", "out_of_sequence")
NO_GID = "0000:0000:0000:0000:0000:0000:0000:0000"

DEFAULTS: Data = {
    **{
        key: {}
        for key in ("device", "port", "later", "function", "config", "net", "dcb", "modules", "files", "answers")
    },
    "log": [],
    "gids": 8,
    "memlock": "unlimited",
}


def make_host(root: str | os.PathLike[str], profile: str = "h100x8", **changes: t.Any) -> Host:
    """Write the node below ``root`` and return the means to look at it. Raises TypeError for an unknown change."""
    unknown = set(changes) - set(DEFAULTS)
    if unknown:
        raise TypeError(f"make_host does not know {', '.join(sorted(unknown))}")
    node = {"bonds": {}, "default_route": "eth9", "guest": False, **PROFILES[profile], **DEFAULTS, **changes}
    node["there"] = {name: one for name, one in node["hcas"].items() if node["device"].get(name, {}) is not None}
    files: dict[str, Content] = {}
    for part in (_functions, _devices, _nets, _characters, programs.files):
        files.update(part(node))
    files.update(node["files"])
    base = pathlib.Path(root)
    for path, content in files.items():
        _write(base / path.lstrip("/"), content)
    return Host(
        root=str(root),
        run=_answering(programs.answers(node)),
        sleep=lambda seconds: _later(base, node),
        priorities=lambda interface: {"pfc": [3], "trust": "dscp", "problem": "", **node["dcb"].get(interface, {})},
    )


def _write(target: pathlib.Path, content: Content) -> None:
    if content is None:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pathlib.PurePath):
        target.symlink_to(content)
    else:
        target.write_bytes(content if isinstance(content, bytes) else content.encode() + b"\n")


def _later(base: pathlib.Path, node: Data) -> None:
    for name, changed in node["later"].items():
        for path, content in changed.items():
            _write(base / f"{CLASS}/{name}/ports/1/{path}".lstrip("/"), content)


def _answering(answers: Data) -> t.Callable[..., Outcome]:
    def run(argv: t.Sequence[str], timeout_seconds: float = 10.0, stdin: str | None = None) -> Outcome:
        words = {os.path.basename(argv[0]), *argv[1:]}
        said = next((said for key, said in answers.items() if set(key.split()) <= words), None)
        if said is None:
            return Outcome(None, "", "", f"{argv[0]} is not installed")
        said = {"stdout": said} if isinstance(said, str) else said
        return Outcome(said.get("rc", 0), said.get("stdout", ""), "", said.get("problem", ""))

    return run


def _base(one: Data) -> str:
    """Return the directory of a function below /sys/devices, as the kernel nests them."""
    return "/".join(["/sys/devices", one["root"], *one["ports_above"], one["address"]])


def _function(node: Data, one: Data, kind: str, vendor: str, device: str, speed: str) -> Data:
    link = {f"{when}_link_speed": f"{speed} GT/s PCIe" for when in ("current", "max")} if speed else {}
    wanted: Data = {
        "vendor": f"0x{vendor}",
        "device": f"0x{device}",
        "class": f"0x{kind}00",
        "numa_node": str(one["numa_node"]),
        "config": config_space(**node["config"].get(one["address"], {})),
        **link,
        **({"current_link_width": "16", "max_link_width": "16"} if speed else {}),
        **node["function"].get(one["address"], {}),
    }
    files: Data = {f"{_base(one)}/{name}": content for name, content in wanted.items()}
    files[f"{PCI}/{one['address']}"] = pathlib.PurePath("../../../" + _base(one)[len("/sys/") :])
    for depth, bridge in enumerate(one["ports_above"]):
        upper = "/".join(["/sys/devices", one["root"], *one["ports_above"][:depth], bridge])
        files[f"{upper}/class"], files[f"{upper}/vendor"] = "0x060400", "0x1000"
        files[f"{upper}/config"] = config_space(**{"acs_capable": True, **node["config"].get(bridge, {})})
        files[f"{PCI}/{bridge}"] = pathlib.PurePath("../../../" + upper[len("/sys/") :])
    return files


def _functions(node: Data) -> Data:
    files: Data = {}
    for address, gpu in node["gpus"].items():
        files.update(_function(node, {**gpu, "address": address}, "0302", "10de", "2329", "32.0"))
    for one in node["there"].values():
        if one["address"]:
            kind, card = "0207" if one["layer"] == "InfiniBand" else "0200", CARDS[one["kind"]]
            files.update(_function(node, one, kind, "15b3", card["device"], card["speed"]))
            files[f"{_base(one)}/driver"] = pathlib.PurePath("/sys/bus/pci/drivers/mlx5_core")
            for at, name in enumerate(one.get("functions", [one["netdev"]])[:1]):
                files[f"{_base(one)}/net/{name}/dev_port"] = str(at)
            if one["vf_of"]:
                files[f"{_base(one)}/physfn"] = pathlib.PurePath(f"../{one['vf_of']}")
    return files


def _devices(node: Data) -> Data:
    files: Data = {}
    for index, (name, one) in enumerate(node["there"].items()):
        base = f"{_base(one)}/infiniband/{name}" if one["address"] else f"/sys/devices/virtual/infiniband/{name}"
        files[f"{CLASS}/{name}"] = pathlib.PurePath("../../" + base[len("/sys/") :])
        if one["address"]:
            files[f"{base}/device"] = pathlib.PurePath("../..")
        card = CARDS.get(one["kind"], {"fw_ver": ""})
        known = {key: card[key] for key in ("fw_ver", "board_id", "hca_type") if key in card}
        own = {
            "node_type": "1: CA",
            "node_guid": f"a088:c203:00{index:02x}:0001",
            **known,
            **node["device"].get(name, {}),
        }
        port = {**_port(node, index, one), **node["port"].get(name, {})}
        files.update({f"{base}/{key}": content for key, content in own.items()})
        files.update({f"{base}/ports/1/{key}": content for key, content in port.items()})
    return files


def _port(node: Data, index: int, one: Data) -> Data:
    infiniband = one["layer"] == "InfiniBand"
    local, routed = (
        f"fe80:0000:0000:0000:a088:c203:00{index:02x}:0001",
        f"0000:0000:0000:0000:0000:ffff:0a4d:{index + 1:04x}",
    )
    # A RoCE card has each address in both versions, soft-RoCE in the second only (verify.md 3.1).
    gids, types = [local], ["IB/RoCE v1"]
    if not infiniband and one["address"]:
        gids, types = [local, local, routed, routed], ["IB/RoCE v1", "RoCE v2"] * 2
    elif not infiniband:
        gids, types = [local, routed], ["RoCE v2"] * 2
    found = {
        "state": "4: ACTIVE",
        "phys_state": "5: LinkUp",
        "rate": one["rate"],
        "link_layer": one["layer"],
        "lid": hex(one["lid"]) if infiniband else "0x0",
        "sm_lid": "0x1" if infiniband else "0x0",
        **{f"gids/{at}": gids[at] if at < len(gids) else NO_GID for at in range(node["gids"])},
        **{f"gid_attrs/types/{at}": types[at] for at in range(len(gids))},
        **{f"hw_counters/{name}": "0" for name in HARDWARE_COUNTERS},
    }
    if not infiniband:
        found.update({f"gid_attrs/ndevs/{at}": one["netdev"] for at in range(len(gids))})
    if one["address"]:
        found.update({f"counters/{name}": "0" for name in COUNTERS})
    return found


def _nets(node: Data) -> Data:
    files: Data = {f"{NET}/lo/mtu": "65536", f"{NET}/{node['default_route']}/mtu": "1500"}
    for one in node["there"].values():
        for name in one.get("functions", [one["netdev"]]):
            mtu = "9000" if one["layer"] == "Ethernet" else "4092"
            files.update({f"{NET}/{name}/mtu": mtu, f"{NET}/{name}/carrier_changes": "1"})
    for name, members in node["bonds"].items():
        files[f"{NET}/{name}/bonding/slaves"] = " ".join(members)
        files[f"{NET}/{name}/mtu"] = "1500"
    for name, changed in node["net"].items():
        files.update({f"{NET}/{name}/{key}": content for key, content in changed.items()})
    return files


def _characters(node: Data) -> Data:
    files: Data = {"/dev/infiniband/rdma_cm": ""}
    for index, (name, one) in enumerate(node["there"].items()):
        files[f"/sys/class/infiniband_verbs/uverbs{index}/ibdev"] = name
        files[f"/dev/infiniband/uverbs{index}"] = ""
        if one["layer"] == "InfiniBand":
            files[f"/sys/class/infiniband_mad/umad{index}/ibdev"] = name
            files[f"/sys/class/infiniband_mad/umad{index}/port"] = "1"
            files[f"/dev/infiniband/umad{index}"] = ""
    return files
