# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python door through a real ansible-runner, with tiny playbooks in place of the real ones."""

from __future__ import annotations

import collections.abc as c
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import typing as t

import pytest

import gpufleet
from gpufleet import _run

ROOT = pathlib.Path(__file__).parents[2]

INVENTORY = {
    "gpu_nodes": {
        "hosts": {
            "lab1": {},
            "lab2": {},
            "away": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
        },
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ray_token": "hunter2"},
    }
}
LAB = "lab1:lab2"

VERIFY = """
- name: Prove it
  hosts: gpu_nodes
  gather_facts: false
  tasks:
    - name: prove | Look
      toy_health:
        memlock: "{{ memlock | default('unlimited') }}"
    - name: prove | Take long
      ansible.builtin.wait_for:
        timeout: "{{ wait_seconds }}"
      when: wait_seconds is defined
    - name: prove | Change
      ansible.builtin.file:
        path: "{{ here | default('.') }}/{{ inventory_hostname }}"
        state: directory
        mode: "0755"
      when: here is defined
    - name: prove | Hand over
      ansible.builtin.set_stats:
        data:
          gpufleet_endpoints:
            - name: tiny
              url: https://10.77.0.11:8443
              model: m
              api_key_path: /k
              certificate_path: /c
              of_a_newer_collection: 1
        per_host: false
        aggregate: true
"""

PROOF = """
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.inference.plugins.module_utils._verdict import equals, finish, proof_argument_spec

module = AnsibleModule({**proof_argument_spec(), "memlock": {"type": "str"}}, supports_check_mode=True)
finish(module, [equals("memlock", module.params["memlock"], "unlimited", "Raise it.", "/proc/1/limits")])
"""


@pytest.fixture
def collections(tmp_path: pathlib.Path) -> pathlib.Path:
    """A collection of our name: the real plugins, a tiny ``verify`` and a proof of its own."""
    path = tmp_path / "tree"
    home = path / "ansible_collections" / "gpufleet" / "inference"
    (home / "playbooks" / "library").mkdir(parents=True)
    (home / "plugins").symlink_to(ROOT / "plugins")
    (home / "galaxy.yml").write_text((ROOT / "galaxy.yml").read_text())
    (home / "playbooks" / "verify.yml").write_text(VERIFY)
    (home / "playbooks" / "library" / "toy_health.py").write_text(PROOF)
    (home / "playbooks" / "stop.yml").write_text("- hosts: gpu_nodes\n  tasks:\n    - no_such_module_anywhere: {}\n")
    return path


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACKS_ENABLED"):
        monkeypatch.delenv(name, raising=False)


Door = c.Callable[..., gpufleet.Run]


@pytest.fixture
def door(collections: pathlib.Path, tmp_path: pathlib.Path) -> Door:
    def run(playbook: t.Any = "verify", **more: t.Any) -> gpufleet.Run:
        wanted: dict[str, t.Any] = {
            "inventory": INVENTORY,
            "limit": LAB,
            "artifacts": tmp_path / "kept",
            "collections_path": collections,
        }
        return gpufleet.run(playbook, **wanted | more)

    return run


def test_checks_endpoints_and_events_come_back(door: Door, tmp_path: pathlib.Path) -> None:
    events: list[gpufleet.Event] = []
    run = door(variables={"here": str(tmp_path), "admin_password": "hunter2"}, on_event=events.append)
    assert (run.ok, run.status, run.verdict) == (True, "successful", "pass")
    assert run.changed_hosts == {"lab1", "lab2"}
    assert (run.unreachable_hosts, run.failures) == (frozenset(), ())
    assert run.endpoints == (gpufleet.Endpoint("tiny", "https://10.77.0.11:8443", "m", "/k", "/c"),)
    assert [(one.host, one.name, one.verdict, one.observed, one.source) for one in run.checks] == [
        (host, "memlock", "pass", "unlimited", "/proc/1/limits") for host in ("lab1", "lab2")
    ]
    assert "PLAY RECAP" in run.log_path.read_text()
    assert json.loads(run.report_path.read_text())["verdict"] == "pass"

    assert events[0] == gpufleet.Event("play", "Prove it")
    assert gpufleet.Event("task", "Prove it", task="prove | Look") in events
    assert {one.host for one in events if one.kind == "changed"} == {"lab1", "lab2"}

    kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if "hunter2" in path.read_text(errors="replace")] == []


def test_a_failing_node_is_a_result(door: Door) -> None:
    events: list[gpufleet.Event] = []
    run = door(variables={"memlock": "64 KiB"}, limit="lab1", on_event=events.append)
    assert (run.ok, run.status, run.verdict) == (False, "failed", "fail")
    assert run.failures == (gpufleet.TaskFailure("lab1", "prove | Look", "did not pass: memlock (fail)"),)
    assert [(one.observed, one.expected, one.remedy) for one in run.checks] == [("64 KiB", "unlimited", "Raise it.")]
    assert [one.message for one in events if one.kind == "failed"] == [
        "memlock: fail, observed 64 KiB, expected unlimited. Raise it."
    ]


def test_an_unreachable_node_is_a_result(door: Door) -> None:
    run = door(limit="lab1:away")
    assert not run.ok
    assert run.unreachable_hosts == {"away"}
    assert [one.host for one in run.failures] == ["away"]


def test_check_changes_nothing(door: Door, tmp_path: pathlib.Path) -> None:
    run = door(check=True, variables={"here": str(tmp_path)})
    assert run.changed_hosts == {"lab1", "lab2"}
    assert not (tmp_path / "lab1").exists()


def test_an_inventory_may_be_a_path_relative_to_the_caller(door: Door, tmp_path: pathlib.Path) -> None:
    (tmp_path / "hosts.json").write_text(json.dumps(INVENTORY))
    assert door(inventory="hosts.json", limit="lab1").ok


def test_the_callers_ansible_cfg_counts(collections: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\ncollections_path = tree\n")
    run = gpufleet.run("verify", inventory=INVENTORY, limit="lab1")
    assert run.ok
    assert run.log_path.exists()  # kept in a temporary directory


@pytest.mark.parametrize(
    ("playbook", "more", "message"),
    [
        ("verfy", {}, "unknown playbook 'verfy'; known: site, prepare, serve, verify, stop"),
        ("verify", {"inventory": "nowhere"}, "there is no inventory at nowhere"),
    ],
)
def test_misuse_is_a_value_error(door: Door, playbook: str, more: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        door(playbook, **more)


@pytest.mark.parametrize(
    ("playbook", "more", "message"),
    [
        ("site", {}, "gpufleet.inference.site could not be run"),
        ("stop", {}, "no_such_module_anywhere"),
        ("verify", {"collections_path": "/nonexistent"}, "gpufleet.inference.verify could not be run"),
    ],
)
def test_what_cannot_begin_is_not_runnable(door: Door, playbook: str, more: dict[str, t.Any], message: str) -> None:
    with pytest.raises(gpufleet.NotRunnableError, match=message):
        door(playbook, **more)


def test_what_on_event_raises_ends_the_run_and_comes_through(door: Door, tmp_path: pathlib.Path) -> None:
    def tired(event: gpufleet.Event) -> None:
        if event.task.endswith("Take long"):
            raise LookupError(event.kind)

    with pytest.raises(LookupError, match="task"):
        door(on_event=tired, variables={"here": str(tmp_path), "wait_seconds": 600})
    assert not (tmp_path / "lab1").exists()
    assert [one for one in processes() if str(tmp_path) in one] == []


def test_ctrl_c_ends_the_run_and_comes_through(door: Door, tmp_path: pathlib.Path) -> None:
    def press(event: gpufleet.Event) -> None:
        if event.task.endswith("Take long"):
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        door(on_event=press, variables={"here": str(tmp_path), "wait_seconds": 600})
    assert signal.getsignal(signal.SIGINT) is before
    assert [one for one in processes() if str(tmp_path) in one] == []


def test_what_does_not_end_by_itself_is_killed_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run, "END_SECONDS", 0)
    stubborn = "trap '' INT; setsid sleep 600 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", stubborn], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        child = int(process.stdout.readline())
        listener = _run._Listener(None)
        listener.event({"event": "playbook_on_start", "pid": process.pid})
        assert not listener.must_be_killed()
        listener.problem = KeyboardInterrupt()
        assert child in _run._descendants(process.pid)
        assert listener.must_be_killed()
    # Gone, or a zombie that nobody has buried yet.
    cmdline = pathlib.Path("/proc", str(child), "cmdline")
    assert not cmdline.exists() or not cmdline.read_bytes()


def processes() -> list[str]:
    """The command lines of all that runs now."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # processes come and go
            found.append(path.read_text(errors="replace"))
    return found


def test_variables_are_not_in_the_process_list(door: Door) -> None:
    found: list[str] = []

    def look(event: gpufleet.Event) -> None:
        found.extend(processes())

    door(limit="lab1", variables={"admin_password": "hunter2"}, on_event=look)
    assert any("gpufleet.inference.verify" in one for one in found)
    assert not any("hunter2" in one for one in found)


def test_it_never_prints(door: Door, capfd: pytest.CaptureFixture[str]) -> None:
    door(limit="lab1")
    assert capfd.readouterr() == ("", "")


def test_it_leaves_the_environment_alone(door: Door) -> None:
    before = dict(os.environ)
    door(limit="lab1")
    assert dict(os.environ) == before


def test_every_playbook_that_the_door_names_exists() -> None:
    missing = [name for name in t.get_args(gpufleet.Playbook) if not (ROOT / "playbooks" / f"{name}.yml").is_file()]
    assert missing == []
