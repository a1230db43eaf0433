# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A GPU node without NVML, as a tree of files and the answers of a few programs: what ``read_gpu_host`` reads.

    root = make_root(tmp_path, "h20x8", kernel_log=["NVRM: Xid (PCI:0000:1b:00): 79, pid=1, GPU has fallen off the bus."])
    node = read_root(root)                     # as _gpu_host.read_gpu_host documents it

A profile of ``PROFILES`` is a healthy node. Changes are keywords whose values are plain data, so that they can stand in
YAML; each leaves the rest of the node consistent with it:

==================  ====================================================================================================
``driver``          version of the loaded driver, e.g. ``550.54.14``; ``None``: the driver is not loaded
``flavour``         ``open`` or ``proprietary``
``library``         version of libcuda and libnvidia-ml; ``None``: not in the loader's cache. Default: the driver's
``on_disk``         {kernel: version, or "" for no module}: what modinfo says. Default: the driver's, for every kernel
``fabric_manager``  version of Fabric Manager; ``None``: not installed
``addresses``       PCI addresses of the GPUs, e.g. those of the NVML profile beside it
``functions``       {PCI address: {file: text} or None}: changed files of a function, e.g. ``current_link_width: "8"``,
                    ``aer_dev_fatal: "TOTAL_ERR_FATAL 3"``, ``revision: ff`` (the live byte); None: not on the bus
``modules``         {name: version or None}: loaded modules added or, by None, removed
``units``           {unit: {systemd property: value}}; None: systemd does not answer
``kernel_log``      lines, or [seconds since boot, line]; ``None``: neither journal nor /dev/kmsg
``kmsg``            the same lines, but only /dev/kmsg has them
``fabric_log``      lines of Fabric Manager in the journal
``secure_boot``     True, False, or None for a machine without UEFI
``packages``        {name: version or None} added or removed; ``held``: names, default all
``processes``       {pid: {name, state, stack}}: further processes
``files``           {path: text or None}: anything else, written or removed last
``answers``         {"program word …": {rc, stdout, stderr, problem} or text}: the longest key whose words are all in the
                    command line answers; programs without an answer are not installed
==================  ====================================================================================================
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host import read_gpu_host
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host_driver import SECURE_BOOT
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host_services import FABRIC_MANAGER, UNITS

Data = dict[str, t.Any]
#: A text, bytes, where a symbolic link points to, or None for no file.
Content = str | bytes | pathlib.PurePath | None

KERNEL = "6.8.0-60-generic"
BOOTED_AT = 1763700000
DRIVER = "580.159.04"
ANSWERS = ".answers.json"
LIBRARY_DIRECTORY = "/usr/lib/x86_64-linux-gnu"

#: PCI buses of the eight GPUs of an HGX board, as in the NVML profiles beside, and of its NVSwitches.
_BUSES = ("1b", "43", "52", "61", "9d", "c3", "d1", "df")
_A100_BUSES = ("07", "0f", "47", "4e", "87", "90", "b7", "bd")
_SWITCH_BUSES = ("08", "09", "0a", "0b", "0c", "0d")


def _hgx(
    device_id: str,
    subsystem: str,
    switch: str = "22a3",
    switches: int = 4,
    speed: str = "32.0",
    buses: t.Sequence[str] = _BUSES,
) -> Data:
    return {
        "addresses": [f"0000:{bus}:00.0" for bus in buses],
        "device_id": device_id,
        "subsystem_id": subsystem,
        "switch": switch,
        "switches": [f"0000:{bus}:00.0" for bus in _SWITCH_BUSES[:switches]],
        "speed": speed,
    }


#: Ids as in the NVML profiles of the same names (t4x1 is t4 there).
PROFILES: dict[str, Data] = {
    "h20x8": _hgx("2329", "198b10de"),
    "h100x8": _hgx("2330", "16c110de"),
    "h200x8": _hgx("2335", "18bf10de"),
    "a100x8": _hgx("20b2", "147f10de", switch="1af1", switches=6, speed="16.0", buses=_A100_BUSES),
    "b200x8": {**_hgx("2901", "199910de", switches=0), "bridges": ["0000:05:00.0", "0000:05:00.1"]},
    # As recorded on 2026-11-21: one flat bus, no NUMA node, no NVSwitch, no Fabric Manager, no persistence daemon.
    "h200x2_guest": {
        **_hgx("2335", "18bf10de", switches=0),
        "addresses": ["0000:00:06.0", "0000:00:07.0"],
        "guest": True,
        "fabric_manager": None,
    },
    "t4x1": {
        **_hgx("1eb8", "12a210de", switches=0, speed="8.0"),
        "addresses": ["0000:3b:00.0"],
        "fabric_manager": None,
    },
}

_DEFAULTS: Data = {
    "driver": DRIVER,
    "flavour": "open",
    "fabric_manager": DRIVER,
    "guest": False,
    "switch": "",
    "bridges": [],
    "secure_boot": False,
    "functions": {},
    "modules": {},
    "units": {},
    "kernel_log": [],
    "kmsg": None,
    "fabric_log": None,
    "packages": {},
    "held": None,
    "processes": {},
    "files": {},
    "answers": {},
    "on_disk": {},
}

_MODULES = ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm")
_FLAVOURS = {
    "open": "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (dvs-builder@U22-I3)",
    "proprietary": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Thu Feb 22 01:44:30 UTC 2024",
}


def make_root(path: str | os.PathLike[str], profile: str = "h20x8", **changes: t.Any) -> pathlib.Path:
    """Write the node below ``path`` and return it. Raises TypeError for an unknown change."""
    root, node = pathlib.Path(path), _node(profile, changes)
    files: dict[str, Content] = {}
    for part in (_system, _driver, _pci, _software, _log):
        files.update(part(node))
    files.update(node["files"])
    answers = {**_answers(node), **node["answers"]}
    for name, content in files.items():
        _write(root / name.lstrip("/"), content)
    for address in [*node["addresses"], *node["switches"], *node["bridges"]]:
        if node["functions"].get(address, {}) is not None:
            link = root / "sys/bus/pci/devices" / address
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"../../../devices/{_port(address)}/{address}")
    (root / "sys/bus/pci/devices").mkdir(parents=True, exist_ok=True)
    (root / ANSWERS).write_text(json.dumps(answers), encoding="utf-8")
    return root


def read_root(root: pathlib.Path) -> Data:
    """Return what ``read_gpu_host`` says of a node made by ``make_root``."""
    return read_gpu_host(root=str(root), run=answering(root), sleep=lambda seconds: None)


def answering(root: pathlib.Path) -> t.Callable[..., Outcome]:
    """Return a stand-in for ``_command.bounded`` that gives the answers of this node."""
    answers = json.loads((root / ANSWERS).read_text(encoding="utf-8"))

    def run(argv: t.Sequence[str], timeout_seconds: float = 10.0, stdin: str | None = None) -> Outcome:
        words = {os.path.basename(argv[0]), *argv[1:]}
        fitting = [key for key in answers if set(key.split()) <= words]
        said = answers[max(fitting, key=len)] if fitting else None
        if said is None:
            return Outcome(None, "", "", f"{argv[0]} is not installed")
        said = {"stdout": said} if isinstance(said, str) else said
        rc = said.get("rc", 0)
        problem = said.get("problem", "" if rc == 0 else f"{argv[0]} returned {rc}: {said.get('stderr', '')}")
        return Outcome(rc, said.get("stdout", ""), said.get("stderr", ""), problem)

    return run


def _node(profile: str, changes: Data) -> Data:
    base = {**_DEFAULTS, **PROFILES[profile]}
    unknown = set(changes) - set(base) - {"library"}
    if unknown:
        raise TypeError(f"make_root does not know {', '.join(sorted(unknown))}")
    node = {**base, **changes}
    node.setdefault("library", node["driver"])
    return node


def _write(target: pathlib.Path, content: Content) -> None:
    if content is None:
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pathlib.PurePath):
        target.symlink_to(content)
        return
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    if "/dev/nvidia" in str(target):
        target.chmod(0o666)


def _system(node: Data) -> Data:
    efi: Data = {"/sys/firmware/efi/systab": ""} if node["secure_boot"] is not None else {}
    if efi:
        efi[SECURE_BOOT] = b"\x06\0\0\0" + (b"\1" if node["secure_boot"] else b"\0")
    processes: Data = {}
    daemons = {} if node["guest"] else {811: {"name": "nvidia-persiste"}}
    if node["fabric_manager"] and not node["guest"]:
        daemons[812] = {"name": "nv-fabricmanage"}
    if node["bridges"]:
        daemons[813] = {"name": "nvlsm"}
    for pid, one in {**daemons, **node["processes"]}.items():
        base = f"/proc/{pid}"
        processes[f"{base}/stat"] = f"{pid} ({one['name']}) {one.get('state', 'S')} " + "0 " * 18 + "4711 0"
        processes[f"{base}/status"] = "voluntary_ctxt_switches:\t9\nnonvoluntary_ctxt_switches:\t1\n"
        processes[f"{base}/stack"] = one.get("stack", "")
    return {
        "/etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID_LIKE=debian\n',
        "/proc/sys/kernel/osrelease": f"{KERNEL}\n",
        "/proc/sys/kernel/random/boot_id": "0d7f5c1e-0000-4000-8000-000000000001\n",
        "/proc/stat": f"cpu  1 2 3\nbtime {BOOTED_AT}\n",
        "/proc/uptime": "86400.00 1000000.00\n",
        "/proc/cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} root=/dev/md0 ro iommu=pt\n",
        "/proc/cpuinfo": f"processor\t: 0\nflags\t\t: fpu vme sse2{' hypervisor' if node['guest'] else ''} lm\n",
        "/proc/meminfo": "MemTotal:       2113663612 kB\nMemFree:        1 kB\n",
        "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
        "/sys/kernel/security/lockdown": f"{'none [integrity]' if node['secure_boot'] else '[none] integrity'} confidentiality\n",
        f"/boot/vmlinuz-{KERNEL}": "",
        "/boot/grub/grub.cfg": f'set default="0"\nmenuentry {{\n\tlinux\t/boot/vmlinuz-{KERNEL} root=/dev/md0\n}}\n',
        **efi,
        **processes,
    }


def _driver(node: Data) -> Data:
    version, files = node["driver"], {"/etc/modprobe.d/nvidia.conf": "blacklist nouveau\noptions nouveau modeset=0\n"}
    loaded = {**dict.fromkeys(_MODULES, version), "ib_core": "", "ib_uverbs": "", "ib_umad": ""} if version else {}
    for name, its in {**loaded, **node["modules"]}.items():
        if its is not None:
            files[f"/sys/module/{name}/refcnt"] = "3\n"
            files[f"/sys/module/{name}/version"] = f"{its}\n"
    if version:
        files["/proc/driver/nvidia/version"] = (
            _FLAVOURS[node["flavour"]].format(version) + "\nGCC version: gcc 13.3.0\n"
        )
        minors = range(len([one for one in node["addresses"] if node["functions"].get(one, {}) is not None]))
        names = [
            "nvidiactl",
            "nvidia-uvm",
            "nvidia-uvm-tools",
            "nvidia-modeset",
            *(f"nvidia{minor}" for minor in minors),
        ]
        names += ["nvidia-caps/nvidia-cap1", "nvidia-caps/nvidia-cap2"]
        files.update({f"/dev/{name}": "" for name in names})
    return files


def _port(address: str) -> str:
    """Return the path of the port above a function; in a guest there is none."""
    bus = address.split(":")[1]
    return "pci0000:00" if bus == "00" else f"pci0000:{bus}/0000:{bus[0]}0:01.0"


def _function(node: Data, address: str, vendor: str, device: str, kind: str) -> Data:
    wanted: Data = {
        "vendor": f"0x{vendor}",
        "device": f"0x{device}",
        "class": f"0x{kind}00",
        "subsystem_device": f"0x{node['subsystem_id'][:4]}",
        "subsystem_vendor": f"0x{node['subsystem_id'][4:]}",
        "numa_node": "-1" if node["guest"] else "0" if address < "0000:80" else "1",
        "current_link_speed": f"{node['speed']} GT/s PCIe",
        "max_link_speed": f"{node['speed']} GT/s PCIe",
        "current_link_width": "16",
        "max_link_width": "16",
        **{
            f"aer_dev_{name}": f"Undefined 0\nTOTAL_ERR_{word} 0"
            for name, word in (("fatal", "FATAL"), ("nonfatal", "NONFATAL"), ("correctable", "COR"))
        },
        "revision": "a1",
        "driver": "mlx5_core" if vendor == "15b3" else "nvidia" if node["driver"] else None,
        **(node["functions"].get(address) or {}),
    }
    live = bytes.fromhex(wanted["revision"])
    identity = bytes.fromhex(vendor)[::-1] + bytes.fromhex(device)[::-1]
    wanted["config"] = b"\xff" * 64 if live == b"\xff" else identity + b"\x06\x04\x10\0" + live + b"\0" * 55
    if wanted["driver"]:
        wanted["driver"] = pathlib.PurePath("/sys/bus/pci/drivers", wanted["driver"])
    return {name: f"{its}\n" if isinstance(its, str) else its for name, its in wanted.items() if its is not None}


def _pci(node: Data) -> Data:
    files: Data = {}
    functions = [(one, "10de", node["device_id"], "0302") for one in node["addresses"]]
    functions += [(one, "10de", node["switch"], "0680") for one in node["switches"]]
    functions += [(one, "15b3", "1021", "0207") for one in node["bridges"]]
    for address, vendor, device, kind in functions:
        if node["functions"].get(address, {}) is None:
            continue
        port = f"/sys/devices/{_port(address)}"
        for name, text in _function(node, address, vendor, device, kind).items():
            files[f"{port}/{address}/{name}"] = text
        if not node["guest"]:
            files[f"{port}/max_link_speed"], files[f"{port}/max_link_width"] = f"{node['speed']} GT/s PCIe\n", "16\n"
        if vendor == "15b3":
            files[f"{port}/{address}/vpd"] = b"\x82\x08\0VA..SMDL=SW_MNG"
    return files


def _software(node: Data) -> Data:
    version = node["library"] or node["driver"]
    packages = {name: f"{version}-1" for name in ("nvidia-open", "libnvidia-compute", "nvidia-persistenced") if version}
    if node["fabric_manager"]:
        packages["nvidia-fabricmanager"] = f"{node['fabric_manager']}-1"
    if node["bridges"]:
        packages["nvlsm"] = "2025.10.14-1"
    packages = {**packages, "nvidia-container-toolkit": "1.18.0-1", **node["packages"]}
    packages = {name: its for name, its in packages.items() if its is not None}
    held = set(packages if node["held"] is None else node["held"])
    status = "\n\n".join(
        f"Package: {name}\nStatus: {'hold' if name in held else 'install'} ok installed\nVersion: {its}"
        for name, its in packages.items()
    )
    files: Data = {
        "/var/lib/dpkg/status": status + "\n",
        "/usr/bin/nvidia-ctk": "",
        "/etc/nvidia-container-runtime/config.toml": '[nvidia-container-runtime]\nmode = "auto"\n',
        "/etc/docker/daemon.json": json.dumps({"runtimes": {"nvidia": {"path": "nvidia-container-runtime"}}}),
        "/run/cdi/nvidia.yaml": _cdi(len(node["addresses"]), version or ""),
    }
    if node["library"]:
        for one in ("libcuda.so", "libnvidia-ml.so"):
            files[f"{LIBRARY_DIRECTORY}/{one}.{node['library']}"] = ""
            files[f"{LIBRARY_DIRECTORY}/{one}.1"] = pathlib.PurePath(f"{one}.{node['library']}")
    if node["fabric_manager"]:
        files["/usr/bin/nv-fabricmanager"] = ""
        files["/usr/share/nvidia/nvswitch/fabricmanager.cfg"] = "# modes\nFABRIC_MODE=0\nLOG_FILE_NAME=\n"
    return files


def _cdi(gpus: int, version: str) -> str:
    devices = [f'- name: "{name}"\n  containerEdits:\n    deviceNodes: []\n' for name in [*range(gpus), "all"]]
    library = f"{LIBRARY_DIRECTORY}/libcuda.so.{version}"
    mounts = f"containerEdits:\n  mounts:\n  - hostPath: {library}\n    containerPath: {library}\n"
    return f"---\ncdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n{''.join(devices)}{mounts}"


def _lines(lines: t.Iterable[t.Any]) -> list[tuple[float, str]]:
    return [(100.0, one) if isinstance(one, str) else (float(one[0]), one[1]) for one in lines]


def _log(node: Data) -> Data:
    if node["kmsg"] is None:
        return {}
    lines = [(0.0, "Linux version"), *_lines(node["kmsg"])]
    return {"/dev/kmsg": "".join(f"6,{at},{int(when * 1e6)},-;{text}\n" for at, (when, text) in enumerate(lines))}


def _journal(lines: t.Iterable[t.Any] | None) -> t.Any:
    if lines is None:
        return ""
    entries = [
        {
            "__MONOTONIC_TIMESTAMP": str(int(at * 1e6)),
            "_SOURCE_MONOTONIC_TIMESTAMP": str(int(at * 1e6)),
            "MESSAGE": text,
        }
        for at, text in [(0.0, "Linux version"), *_lines(lines)]
    ]
    return "".join(json.dumps(entry) + "\n" for entry in entries)


def _units(node: Data) -> t.Any:
    if node["units"] is None:
        return {"rc": 1, "stderr": "System has not been booted with systemd as init system"}
    running = {"docker.service", "nvidia-cdi-refresh.path"}
    if not node["guest"]:
        running |= {"nvidia-persistenced.service", *([FABRIC_MANAGER] if node["fabric_manager"] else [])}
    paragraphs = []
    for name in UNITS:
        here = name in running
        fields = {
            "Id": name,
            "LoadState": "loaded" if here else "not-found",
            "ActiveState": "active" if here else "inactive",
            "SubState": "running" if here else "dead",
            "UnitFileState": "enabled" if here else "",
            "NRestarts": "0",
            "Result": "success",
            "ExecMainPID": "812" if here else "0",
            "ActiveEnterTimestampMonotonic": "20000000" if here else "0",
            "ExecStart": f"{{ path=/usr/bin/x ; argv[]=/usr/bin/{name.partition('.')[0]} ; ignore_errors=no ; }}"
            if here
            else "",
            **node["units"].get(name, {}),
        }
        paragraphs.append("".join(f"{key}={value}\n" for key, value in fields.items()))
    return "\n".join(paragraphs)


def _answers(node: Data) -> Data:
    found = {"rc": 1, "stderr": "modinfo: ERROR: Module nvidia not found."}
    on_disk = {f"modinfo {kernel}": f"{its}\n" if its else found for kernel, its in node["on_disk"].items()}
    cached = "".join(
        f"\t{one} (libc6,x86-64) => {LIBRARY_DIRECTORY}/{one}\n" for one in ("libcuda.so.1", "libnvidia-ml.so.1")
    )
    journal = node["kernel_log"] if node["kmsg"] is None else None
    fabric = node["fabric_log"]
    if fabric is None and node["fabric_manager"] and not node["guest"]:
        fabric = ["Successfully configured all the available GPUs and NVSwitches to route NVLink traffic."]
    vpd = [f"/sys/bus/pci/devices/{one}/vpd" for one in node["bridges"]]
    return {
        "systemctl show": _units(node),
        "journalctl --dmesg": _journal(journal),
        f"journalctl --unit={FABRIC_MANAGER}": _journal(fabric),
        "ldconfig": f"2 libs found in cache `/etc/ld.so.cache'\n{cached if node['library'] else ''}",
        "modinfo": f"{node['driver']}\n" if node["driver"] else found,
        **on_disk,
        **(
            {"nv-fabricmanager": f"Fabric Manager version is : {node['fabric_manager']}\n"}
            if node["fabric_manager"]
            else {}
        ),
        "nvidia-ctk": "NVIDIA Container Toolkit CLI version 1.18.0\ncommit: abc\n",
        "apt-config": 'Unattended-Upgrade::Package-Blacklist:: "nvidia";\nUnattended-Upgrade::Package-Blacklist:: "libnvidia";\n',
        "grep": {"rc": 0 if vpd else 1, "stdout": "\n".join(vpd)},
        "mokutil": "/var/lib/dkms/mok.pub is already enrolled\n",
    }
