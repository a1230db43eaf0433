# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two guests and a cable: soft-RoCE as the kernel shows it, our modules and our burn-in over it, and the same with the cable pulled."""

from __future__ import annotations

import contextlib
import pathlib
import shutil

from tests.lab import paths as lab_paths
from tests.vm import ansible, image, paths
from tests.vm.guest import Guest, Shape, free_port
from tests.vm.say import must

ACCEPTANCE = paths.LOGS / "acceptance"
BURN_IN = lab_paths.ROOT / "playbooks" / "burn_in.yml"


def pair() -> tuple[Shape, Shape]:
    """Return two guests joined by a cable; the first one has to run when the second one starts."""
    port = free_port()
    return Shape("n1", 1, f"listen=127.0.0.1:{port}"), Shape("n2", 2, f"connect=127.0.0.1:{port}")


def prove() -> None:
    """Bring the guests up, run the playbooks, remove them."""
    image.build()
    # The figures of an earlier run prove nothing.
    if ACCEPTANCE.exists():
        shutil.rmtree(ACCEPTANCE)
    with contextlib.ExitStack() as running:
        guests = []
        for shape in pair():
            guests.append(running.enter_context(Guest(shape)))
            guests[-1].wait_for_monitor()
        for guest in guests:
            guest.wait_for_ssh()
        inventory = ansible.inventory("verbs", guests)
        burn_in = (BURN_IN, inventory, "--tags", "fabric", "-e", f"@{ansible.PLAYBOOKS / 'vars/verbs.yml'}")
        ansible.play(ansible.PLAYBOOKS / "verbs.yml", inventory)
        ansible.play(*burn_in)
        speeds(ACCEPTANCE / "latest.json")
        blamed(ACCEPTANCE / "latest.json", {"fabric": "pass"})
        guests[1].plug(False)
        ansible.play(ansible.PLAYBOOKS / "verbs_unplugged.yml", inventory)
        ansible.play(*burn_in, fails=True, name="burn_in_unplugged")
        blamed(ACCEPTANCE / "latest.json", {"fabric: rxe0 of n2": "fail"})


def speeds(acceptance: pathlib.Path) -> None:
    """Hold the figures of the burn-in: bandwidth and latency between the two, both from perftest."""
    measured = lab_paths.read_json(acceptance).get("measurements", [])
    for kind in ("rdma_write_bw", "rdma_write_lat"):
        figures = [one for one in measured if one["kind"] == kind and one["value"]]
        told = ", ".join(f"{one['value']} {one['unit']}" for one in figures) or "nothing"
        between = [{one["node"], one["peer"]} for one in figures]
        must(between == [{"n1", "n2"}], f"{kind}: {told}")


def blamed(acceptance: pathlib.Path, verdicts: dict[str, str]) -> None:
    """Hold who is to blame for the pairs of the burn-in, by the names of its checks; what it could not look at is left out."""
    checks = [one for one in lab_paths.read_json(acceptance).get("checks", []) if one["name"].startswith("fabric")]
    told = {one["name"]: one["verdict"] for one in checks if one["verdict"] != "not_verified"}
    must(told == verdicts, f"the burn-in says {told}")
