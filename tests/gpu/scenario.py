# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fault scenarios as data: a healthy profile, what is changed, and the verdict that each check must give.

A file under ``scenarios/`` is a list of::

    - name: GPU 3 is lost                    # unique
      profile: h20x8                         # default; of tests/fakes/nvml/profiles
      profiles: [h20x8, h100x8]              # or several, each a scenario of its own
      nvml: ["3 nvmlDeviceGetHandleByIndex_v2 !15"]      # lines, see tests/fakes/nvml/README.md
      host: {kernel_log: ["NVRM: …"]}        # changes, see tests/fakes/gpu_host.py
      gone: [/sys/bus/pci]                   # paths of the node that are removed at last
      expect: {gpus: 8}                      # laid over the healthy profile's expect; null takes a key away
      verdicts: {GPU handles: fail}          # exactly these checks are not pass
      says: {GPU handles: reboot}            # text that must stand in observed or remedy
      rest: not_verified                     # all other checks that are not pass must be this; default: there are none
      peer: what another tool says of it     # a silent pass or false alarm that we must not have
      world: no_library                      # or no_pynvml: what the interpreter finds
      timeout_seconds: 1                     # for a call that hangs

A scenario without verdicts is healthy: any check that is not ``pass`` is a false alarm.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

import yaml

from tests.fakes.nvml import scenario as fake_nvml

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

Result = dict[str, t.Any]

WORKERS = 2
#: Trees of small files are made and read fastest in memory.
SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

#: NVML profile → profile of the files around it, where the names differ.
HOST_PROFILES = {"t4": "t4x1"}

#: Whatever the node: blacklists of unattended upgrades as our own role writes them.
_APT = "\n".join(
    f'Unattended-Upgrade::Package-Blacklist:: "{name}";' for name in ("nvidia", "libnvidia", "nvlsm", "libnvsdm")
)
HOST: dict[str, t.Any] = {"answers": {"apt-config": _APT}}

_COMMON = {
    "driver_version": "580.159.04",
    "cuda_at_least": "13.0",
    "gdr_path": "any",
    "processes": "none",
    "containers": "required",
}
#: What the healthy node of a profile is expected to be.
EXPECT: dict[str, dict[str, t.Any]] = {
    "h20x8": {"gpus": 8, "kind": "h20-96", **_COMMON},
    "h100x8": {"gpus": 8, "kind": "h100-sxm-80", **_COMMON},
    "h200x8": {"gpus": 8, "kind": "h200-sxm-141", **_COMMON},
    "a100x8": {"gpus": 8, "kind": "a100-sxm-80", **_COMMON},
    "b200x8": {"gpus": 8, "kind": "b200-sxm-180", **_COMMON},
    "h200x2_guest": {"gpus": 2, "kind": "2335", **_COMMON},
    "t4": {"gpus": 1, "kind": "t4", **_COMMON},
}
KEYS = {
    *("name", "profile", "profiles", "nvml", "host", "gone", "expect"),
    *("verdicts", "says", "rest", "peer", "world", "timeout_seconds"),
}
WORLDS = ("", "no_library", "no_pynvml")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One node, sick or healthy, and what must be found."""

    name: str
    profile: str = "h20x8"
    nvml: tuple[str, ...] = ()
    host: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    gone: tuple[str, ...] = ()
    expect: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    verdicts: dict[str, str] = dataclasses.field(default_factory=dict)
    says: dict[str, str] = dataclasses.field(default_factory=dict)
    rest: str = ""
    peer: str = ""
    world: str = ""
    timeout_seconds: float = 20

    @property
    def whole_expect(self) -> dict[str, t.Any]:
        merged = {**EXPECT[self.profile], **self.expect}
        return {key: value for key, value in merged.items() if value is not None}

    @property
    def whole_host(self) -> dict[str, t.Any]:
        answers = {**HOST["answers"], **self.host.get("answers", {})}
        return {**HOST, **self.host, "answers": answers}


def load() -> list[Scenario]:
    """Return all scenarios. Raises ValueError for a key that nobody knows and for a name that stands twice."""
    found: list[Scenario] = []
    for path in sorted((FOLDER / "scenarios").glob("*.yml")):
        for one in yaml.safe_load(path.read_text(encoding="utf-8")):
            unknown = set(one) - KEYS
            if unknown or one.get("world", "") not in WORLDS:
                raise ValueError(f"{path.name}: {one['name']}: unknown {', '.join(sorted(unknown)) or one['world']}")
            found += _expanded(one)
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"these names stand twice: {', '.join(twice)}")
    return found


def _expanded(one: dict[str, t.Any]) -> list[Scenario]:
    """Return the scenario, or one for each of its profiles."""
    fields = {**one, "nvml": tuple(one.get("nvml", ())), "gone": tuple(one.get("gone", ()))}
    profiles = fields.pop("profiles", None)
    if profiles is None:
        return [Scenario(**fields)]
    return [Scenario(**{**fields, "profile": name, "name": f"{one['name']}, {name}"}) for name in profiles]


def healthy() -> list[Scenario]:
    """Return every profile as it is."""
    return [Scenario(name=f"healthy {name}", profile=name) for name in EXPECT]


def run(scenarios: t.Sequence[Scenario]) -> dict[str, Result]:
    """Return {name: what gpu_health returned}. Few interpreters, one library each; NVML is asked in a fork every time."""
    with tempfile.TemporaryDirectory(prefix="gpufleet-gpu-", dir=SCRATCH) as scratch:
        groups: dict[str, list[dict[str, t.Any]]] = {}
        for number, one in enumerate(scenarios):
            folder = pathlib.Path(scratch, str(number))
            folder.mkdir()
            environment, job = _job(one, folder)
            groups.setdefault(json.dumps(environment, sort_keys=True), []).append(job)
        batches = [(key, jobs[part::WORKERS]) for key, jobs in groups.items() for part in range(WORKERS)]
        found: dict[str, Result] = {}
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for results in pool.map(_batch, [one for one in batches if one[1]]):
                found.update(results)
    return found


def _batch(batch: tuple[str, list[dict[str, t.Any]]]) -> dict[str, Result]:
    """Run jobs of one environment, one after another, in one interpreter."""
    environment, jobs = json.loads(batch[0]), batch[1]
    collections = str(ROOT / ".cache/collections")
    path = os.pathsep.join(part for part in (environment.get("PYTHONPATH"), collections, str(ROOT)) if part)
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpu.batch"],
        cwd=ROOT,
        env={**os.environ, **environment, "PYTHONPATH": path},
        input=json.dumps(jobs),
        stdout=subprocess.PIPE,
        text=True,
        timeout=900,
        check=True,
    )
    return t.cast("dict[str, Result]", json.loads(done.stdout))


def _job(one: Scenario, folder: pathlib.Path) -> tuple[dict[str, str], dict[str, t.Any]]:
    """Return the environment that the interpreter must start with, and what it is to do."""
    path = fake_nvml.write(folder, one.profile, one.nvml)
    environment = fake_nvml.environment(path)
    name = environment.pop("GPUFLEET_FAKE_NVML")
    if one.world == "no_library":
        environment = {"LD_LIBRARY_PATH": ""}
    if one.world == "no_pynvml":
        environment = {"PYTHONPATH": str(FOLDER / "without_pynvml")}
    job = {
        "name": one.name,
        "nvml": name,
        "root": str(folder / "root"),
        "profile": HOST_PROFILES.get(one.profile, one.profile),
        "host": one.whole_host,
        "gone": one.gone,
        "params": {"expect": one.whole_expect, "timeout_seconds": one.timeout_seconds},
    }
    return environment, job


def faults(one: Scenario, result: Result) -> list[str]:
    """Return a sentence for each way in which the result is not what the scenario asks for."""
    if "checks" not in result:
        return [f"no verdict: {result.get('msg', '')[-600:]}"]
    checks = {check["name"]: check for check in result["checks"]}
    wrong = [
        f"{name}: {checks[name]['verdict'] if name in checks else 'absent'}, not {verdict}"
        for name, verdict in one.verdicts.items()
        if checks.get(name, {}).get("verdict") != verdict
    ]
    wrong += [
        f"{name}: {check['verdict']}, {check['observed']} ({check['remedy']})"
        for name, check in checks.items()
        if name not in one.verdicts and check["verdict"] not in ("pass", one.rest)
    ]
    for name, text in one.says.items():
        said = f"{checks.get(name, {}).get('observed')} {checks.get(name, {}).get('remedy')}"
        if text not in said:
            wrong.append(f"{name} does not say {text!r}: {said}")
    mute = [name for name, check in checks.items() if check["verdict"] in ("warn", "fail") and not check["remedy"]]
    return wrong + [f"{name} has no remedy" for name in mute]
