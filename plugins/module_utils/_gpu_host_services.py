# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the services of a GPU node: units, Fabric Manager and its log, IMEX, daemons, who is stuck in the driver.

The shapes are those of ``_gpu_host``.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import datetime
import os
import re
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils import _kernel_log
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_host_driver import VERSION, there
from ansible_collections.gpufleet.inference.plugins.module_utils._host import Host

FABRIC_MANAGER = "nvidia-fabricmanager.service"
UNITS = (
    *(FABRIC_MANAGER, "nvidia-persistenced.service", "nvidia-imex.service", "nvlsm.service", "nvidia-dcgm.service"),
    *("nvidia-cdi-refresh.service", "nvidia-cdi-refresh.path", "docker.service"),
)
_PROPERTIES = (
    *("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "NRestarts", "Result", "ExecMainPID", "ExecStart"),
    "ActiveEnterTimestampMonotonic",
)

FABRIC_MANAGER_PROGRAM = "/usr/bin/nv-fabricmanager"
FABRIC_MANAGER_CONFIGURATION = "/usr/share/nvidia/nvswitch/fabricmanager.cfg"
#: Its default LOG_FILE_NAME.
FABRIC_MANAGER_LOG = "/var/log/fabricmanager.log"
IMEX_NODES = "/etc/nvidia-imex/nodes_config.cfg"

#: The end of Fabric Manager's log file that is read; by default the file grows to 1 GiB.
_LOG_BYTES = 2**18

#: What of Fabric Manager's many lines says that it is well or why not.
_FABRIC_WORDS = re.compile(
    r"error|fatal|warn|fail|abort|don't match|mismatch|not (?:supported|loaded|found)|does not exist|NV_WARN"
    r"|Successfully configured|SXid",
    re.IGNORECASE,
)

#: Daemons, and the first 15 bytes of their names, which is what the kernel keeps.
DAEMONS = {
    name[:15]: name for name in ("nv-fabricmanager", "nvidia-persistenced", "nvlsm", "nvidia-imex", "nv-hostengine")
}

#: How long a process must stay in the driver without running once to count as stuck. A mere ioctl is much shorter.
STUCK_SECONDS = 0.3


def units(host: Host, uptime_seconds: float) -> dict[str, t.Any]:
    """Return {units, units_problem} from one question to systemd."""
    asked = host.run(["systemctl", "show", f"--property={','.join(_PROPERTIES)}", *UNITS])
    if not asked.ok:
        return {"units": None, "units_problem": asked.problem}
    found = {}
    for paragraph in asked.stdout.split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in paragraph.splitlines())
        since = int(fields.get("ActiveEnterTimestampMonotonic") or 0) / 1e6
        command = re.search(r"argv\[\]=(.*?) ; ", fields.get("ExecStart", ""))
        found[fields.get("Id", "")] = {
            "load": fields.get("LoadState", ""),
            "active": fields.get("ActiveState", ""),
            "sub": fields.get("SubState", ""),
            "enabled": fields.get("UnitFileState", ""),
            "restarts": int(fields.get("NRestarts") or 0),
            "result": fields.get("Result", ""),
            "pid": int(fields.get("ExecMainPID") or 0),
            "exec_start": command[1] if command else "",
            "active_for_seconds": uptime_seconds - since if since and fields.get("ActiveState") == "active" else None,
        }
    missing = [name for name in UNITS if name not in found]
    return {
        "units": None if missing else found,
        "units_problem": f"systemctl says nothing of {', '.join(missing)}" if missing else "",
    }


def settings(text: str | None) -> dict[str, str] | None:
    """Return {key: value} of lines KEY=VALUE."""
    return None if text is None else dict(re.findall(r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


def of_fabric(text: str) -> bool:
    """Return whether a line of Fabric Manager is worth keeping."""
    return bool(_FABRIC_WORDS.search(text))


def log_file_lines(text: str, booted_at: float) -> list[_kernel_log.Line]:
    """Return the lines of this boot of Fabric Manager's own file: "[Sep 08 2025 23:21:50] [ERROR] [tid 9] …", local time."""
    lines = []
    for stamp, said in re.findall(r"^\[(\w{3} +\d+ \d{4} \d\d:\d\d:\d\d)\] +(.*)$", text, re.MULTILINE):
        try:
            at = datetime.datetime.strptime(" ".join(stamp.split()), "%b %d %Y %H:%M:%S").timestamp() - booted_at
        except ValueError:
            continue
        if at >= 0 and of_fabric(said):
            lines.append((at, said))
    return lines


def tail(host: Host, path: str) -> str | None:
    """Return the last part of a file, None when it cannot be read."""
    try:
        with open(os.path.join(host.root, path.lstrip("/")), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            return file.read(_LOG_BYTES).decode(errors="replace")
    except OSError:
        return None


def fabric_log(host: Host, configuration: t.Mapping[str, str], booted_at: float) -> _kernel_log.Log:
    """Return Fabric Manager's lines of this boot, from the journal of its unit and from its file, in order."""
    path = configuration.get("LOG_FILE_NAME", FABRIC_MANAGER_LOG)
    text = tail(host, path) if path else None
    lines, beginning, problem = _kernel_log.journal(host, [f"--unit={FABRIC_MANAGER}"], of_fabric)
    if text is None and beginning is None:
        return _kernel_log.log("", [], booted_at, False, f"{problem}; {path or 'its log file'} cannot be read")
    both = sorted([*lines, *log_file_lines(text or "", booted_at)])
    return _kernel_log.log("journal" if beginning is not None else "file", both, booted_at, True)


def fabric_manager(host: Host, booted_at: float, packages: t.Mapping[str, str], known: bool) -> dict[str, t.Any]:
    """Return Fabric Manager's version, settings and log. ``known`` tells whether systemd has its unit."""
    program = there(host, FABRIC_MANAGER_PROGRAM)
    # The package's name has a branch in some repositories and two hyphens in others.
    package = [value for name, value in packages.items() if re.fullmatch(r"nvidia-fabric-?manager(-\d+)?", name)]
    of_package = VERSION.search(package[0]) if package else None
    configuration = settings(host.text(FABRIC_MANAGER_CONFIGURATION))
    found: dict[str, t.Any] = {
        "installed": bool(program or package or known),
        "version": of_package[1] if of_package else "",
        "problem": "",
        "configuration": configuration,
        "log": _kernel_log.log("", [], booted_at, False, "Fabric Manager is not installed"),
    }
    if program:
        asked = host.run([FABRIC_MANAGER_PROGRAM, "--version"])
        said = re.search(r"Fabric Manager version is\s*:\s*(\S+)", asked.stdout + asked.stderr)
        found["version"] = said[1] if said else found["version"] or None
        found["problem"] = "" if said else asked.problem or "nv-fabricmanager does not tell its version"
    if found["installed"]:
        found["log"] = fabric_log(host, configuration or {}, booted_at)
    return found


def imex(host: Host) -> dict[str, t.Any]:
    """Return the nodes of the IMEX domain, one address in a line."""
    text = host.text(IMEX_NODES)
    if text is None:
        return {"nodes": None if there(host, IMEX_NODES) else []}
    return {"nodes": [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]}


def process(host: Host, pid: str) -> tuple[str, str, str] | None:
    """Return (name, state, start time) of proc_pid_stat(5), None when it is gone."""
    match = re.match(r"\d+ \((.*)\) (\S) (.*)", host.text(f"/proc/{pid}/stat") or "", re.DOTALL)
    return (match[1], match[2], match[3].split()[18]) if match else None


def in_driver(host: Host, pid: str, name: str) -> str:
    """Return where in NVIDIA's driver a sleeping process is, "" when it is elsewhere."""
    frames = re.findall(r"\] ([\w.]+)\+\S+(?: \[(\w+)\])?", host.text(f"/proc/{pid}/stack") or "")
    inside = [function for function, module in frames if module.startswith("nvidia")]
    if inside:
        return inside[0]
    # The driver's own threads have its name and only the kernel's frames on top.
    return (frames[0][0] if frames else "unknown") if re.match(r"nv_|nvidia|UVM ", name) else ""


def processes(host: Host) -> tuple[dict[str, list[int]], dict[tuple[str, str], dict[str, t.Any]]]:
    """Return ({daemon: pids}, {(pid, start time): who is now asleep in the driver}) from one look at /proc."""
    daemons: dict[str, list[int]] = {name: [] for name in DAEMONS.values()}
    asleep = {}
    for path in host.paths("/proc/[0-9]*"):
        pid = os.path.basename(path)
        seen = process(host, pid)
        if not seen:
            continue
        name, state, start = seen
        if name in DAEMONS:
            daemons[DAEMONS[name]].append(int(pid))
        if state == "D":
            where = in_driver(host, pid, name)
            if where:
                asleep[pid, start] = {"pid": int(pid), "name": name, "where": where, "switches": switches(host, pid)}
    return daemons, asleep


def switches(host: Host, pid: str) -> list[str]:
    """Return the context switches so far: who ran between two looks has other ones."""
    return re.findall(r"^\w*ctxt_switches:\s*(\d+)", host.text(f"/proc/{pid}/status") or "", re.MULTILINE)


def still_asleep(host: Host, before: t.Mapping[tuple[str, str], dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return who has not moved since; waits only when somebody was asleep at all."""
    if before:
        host.sleep(STUCK_SECONDS)
    stuck = []
    for (pid, start), was in before.items():
        now = process(host, pid)
        if now and now[1] == "D" and now[2] == start and switches(host, pid) == was["switches"]:
            stuck.append({key: was[key] for key in ("pid", "name", "where")})
    return stuck
