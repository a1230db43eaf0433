# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove ``tensorrt_llm`` on two nodes without TensorRT: our own plan and files, two containers, real mpirun and sshd.

Containers stand in for nodes, with an address of their own on a network of their own instead of the host's. What the plan
says otherwise is run as it is: arguments, environment, mounts, files.
"""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import time
import typing as t
import urllib.error
import urllib.request

import jinja2

from tests import conftest
from tests.lab import engine_daemon, paths, trtllm_build
from tests.lab.shell import LabError, attempt, run, say, wait_for

NETWORK, SUBNET = "gpufleet-trt", "10.79.0.0/24"
ADDRESSES = {"one": "10.79.0.11", "two": "10.79.0.12"}
#: Interfaces may be called otherwise on each node; nothing in the containers is called like the second one.
INTERFACES = {"one": "eth0", "two": "ens5"}
NAME, PORT, SSH_PORT = "stand-in", 8000, 29501
GPUS = 2
TEMPLATES = paths.ROOT / "roles" / "engine" / "templates"

Rank = dict[str, t.Any]


def ranks(directory: str) -> list[Rank]:
    """Return the ranks of one deployment over two nodes, as the plan makes them."""
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _plan
    from tests.unit.plugins.plugin_utils.wishes import facts, fleet

    nodes = {}
    for node, address in ADDRESSES.items():
        seen = facts(address, gpus=GPUS) | {"can_raise_limits": False, "default_interface": INTERFACES[node]}
        seen["interfaces"] = {INTERFACES[node]: {"addresses": [address]}}
        nodes[node] = {"facts": seen, "platform": "Debian_12"}
    wish = {
        "name": NAME,
        "model": "tiny",
        "engine": "tensorrt_llm",
        "image": trtllm_build.IMAGE,
        "tensor_parallel": GPUS,
        "pipeline_parallel": len(nodes),
        "port": PORT,
        "rendezvous_port": SSH_PORT,
        "options": {"ep_size": GPUS, "config": {"enable_attention_dp": True}, "trust_remote_code": True},
    }
    wishes = fleet(
        deployments=[wish],
        nodes=nodes,
        images={trtllm_build.IMAGE: {"archive_problem": ""}},
        models={"tiny": {"directory": f"{directory}/weights", "config": {}, "bytes": 1, "problem": ""}},
        ray={**fleet().ray, "gpu_containers": False},
        gateway={"nodes": ["two"], "ports": {"gateway_port": 443}},
        directory=directory,
    )
    found: list[Rank] = _plan.plan(wishes)["deployments"][0]["ranks"]
    return found


def make_keys(directory: pathlib.Path) -> dict[str, str]:
    """Return new keys as the role makes them: {"<deployment>-<which>": text}."""
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _engine_files

    for kind in ("client", "host"):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"gpufleet {kind}", "-f", str(directory / kind)])
    return {f"{NAME}-{one}": (directory / one).read_text("utf-8") for one in _engine_files.KEYS}


def write(found: list[Rank], directory: pathlib.Path, keys: dict[str, str]) -> None:
    """Write the files of the ranks as the role does, but for the units."""
    from ansible_collections.gpufleet.inference.plugins.plugin_utils import _engine_files

    wanted = _engine_files.wanted(found, str(directory), keys)
    for one in wanted["directories"]:
        os.makedirs(one["path"], int(one["mode"], 8), exist_ok=True)
    for one in wanted["files"]:
        if one["path"].startswith(str(directory)):
            text = one["content"] if "content" in one else template(one["template"], one["template_vars"])
            pathlib.Path(one["path"]).write_text(text, encoding="utf-8")
            os.chmod(one["path"], int(one.get("mode", "0644"), 8))
    (directory / "weights").mkdir()


def template(name: str, values: dict[str, t.Any]) -> str:
    """Return a template of the role, rendered."""
    return str(jinja2.Template((TEMPLATES / name).read_text("utf-8"), keep_trailing_newline=True).render(values))


def arguments(rank: Rank) -> list[str]:
    """Return the arguments of `docker run` of a rank, on the network of the proof instead of the host's."""
    words: list[str] = rank["spec"]["container"]["run"]
    shared = ["--network", "host", "--ipc", "host"]
    if words[:4] != shared:
        raise LabError(f"the plan's arguments do not begin with {shared}: {words[:4]}")
    own = ["--network", NETWORK, "--ip", ADDRESSES[rank["node"]], "--hostname", rank["node"]]
    return ["run", "--detach", "--name", name_of(rank), *own, *words[4:]]


def name_of(rank: Rank) -> str:
    """Return the container's name, of which there is no other one on this machine."""
    return f"gpufleet-trt-{rank['node']}"


def ask(path: str, body: dict[str, t.Any] | None = None) -> tuple[int, str]:
    """Return (status, text) of an answer of rank 0; status 0 when nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{ADDRESSES['one']}:{PORT}{path}", data=data)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def health(seen: list[int]) -> bool:
    """Ask /health, remember each new status, and tell whether it is 200."""
    status = ask("/health")[0]
    if seen[-1:] != [status]:
        seen.append(status)
    return status == 200


def login(container: str, address: str, *options: str) -> str:
    """Try to log in as the first rank does, from a container; return what ssh says when it is refused."""
    words = ["ssh", "-F", "/run/gpufleet/ssh/ssh_config", "-p", str(SSH_PORT), "-o", "ConnectionAttempts=1", *options]
    try:
        return run(["docker", "exec", container, *words, address, "echo", "logged-in"])
    except LabError as error:
        return str(error)


def must(true: bool, what: str) -> None:
    """Print what is proven, or raise."""
    if not true:
        raise LabError(f"not so: {what}")
    say(f"proven: {what}")


def prove() -> None:
    """Bring the two ranks up, ask them, try what must be refused, let one die, and remove everything."""
    engine_daemon.require()
    trtllm_build.build()
    conftest.pytest_configure()  # makes the collection importable
    with tempfile.TemporaryDirectory(prefix="gpufleet-trt-") as scratch:
        found = ranks(scratch)
        keys = make_keys(pathlib.Path(scratch))
        write(found, pathlib.Path(scratch), keys)
        remove(found)
        run(["docker", "network", "create", "--subnet", SUBNET, NETWORK])
        try:
            talk(found, keys[f"{NAME}-client"])
        except LabError:
            for rank in found:
                say(
                    f"log of {name_of(rank)}:\n{attempt(['sh', '-c', f'docker logs {name_of(rank)} 2>&1 | tail -n 40'])}"
                )
            raise
        finally:
            remove(found)


def remove(found: list[Rank]) -> None:
    """Remove containers and network."""
    for rank in found:
        attempt(["docker", "rm", "--force", name_of(rank)])
    attempt(["docker", "network", "rm", NETWORK])


def talk(found: list[Rank], key: str) -> None:
    """All that is proven of two running ranks."""
    first, second = found
    say(" ".join(first["argv"]))
    say(" ".join(second["argv"]))
    begun, seen = time.monotonic(), [0]
    run(["docker", *arguments(first)])
    # As the supervisors do it: the others follow.
    time.sleep(5)
    run(["docker", *arguments(second)])
    wait_for(lambda: health(seen), "readiness", "See the logs above.", timeout_seconds=90)
    say(f"ready after {time.monotonic() - begun:.0f} s, /health said {seen}")
    world = json.loads(ask("/world")[1])["world"]
    must([one["host"] for one in world] == ["one"] * GPUS + ["two"] * GPUS, f"an MPI world of {len(world)}: {world}")
    must(
        [one["gloo"] for one in world] == [INTERFACES[one["host"]] for one in world],
        "each rank has its own environment",
    )
    answer = json.loads(ask("/v1/completions", {"model": NAME, "prompt": "1", "max_tokens": 9})[1])
    must(answer["usage"]["completion_tokens"] > 0, f"a completion through rank 0: {answer['choices'][0]['text']!r}")
    left = run(["docker", "exec", name_of(first), "ls", "/dev/shm"]).split()
    must(all(one.startswith("vader_segment.") for one in left), f"what a killed rank leaves is swept: {left}")
    refusals(name_of(first), name_of(second))
    shown = "".join(run(["docker", "inspect", name_of(rank)]) + run(["docker", "top", name_of(rank)]) for rank in found)
    must(key.splitlines()[1] not in shown, "no private key in `docker inspect` or among the processes")
    run(["docker", "exec", name_of(first), "python3", "-c", KILL, "trtllm-serve"])
    time.sleep(2)
    must(running(first) and ask("/health")[0] == 0, "the launcher stays when the server dies: the supervisor must look")
    begun = time.monotonic()
    run(["docker", "kill", name_of(second)])
    wait_for(lambda: not running(first), "the end of rank 0", "See the logs above.", timeout_seconds=90)
    must(True, f"rank 0 ends {time.monotonic() - begun:.0f} s after rank 1 was killed")


def refusals(first: str, second: str) -> None:
    """Try what must not be let in."""
    to = ADDRESSES["two"]
    must("logged-in" in login(first, to), "the first rank logs in with its key")
    must("Permission denied" in login(second, to), "the same key from another address is refused")
    must("Permission denied" in login(first, to, "-o", "PubkeyAuthentication=no"), "without the key nobody is let in")
    stranger = ("-o", "UserKnownHostsFile=/dev/null")
    must("Host key verification failed" in login(first, to, *stranger), "an unknown host key is refused")


def running(rank: Rank) -> bool:
    """Tell whether the container of a rank runs."""
    return attempt(["docker", "inspect", "--format", "{{.State.Running}}", name_of(rank)]) == "true"


#: Kills the process of that name in the container, which has no pkill of its own users.
KILL = """
import os, pathlib, sys
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit() and (entry / "comm").read_text().strip() == sys.argv[1]:
        os.kill(int(entry.name), 9)
"""
