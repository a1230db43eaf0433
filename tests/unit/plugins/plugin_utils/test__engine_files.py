# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rank has a spec and a unit; some have files of options, some log in to each other."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.gpufleet.inference.plugins.plugin_utils._engine_files import KEYS, wanted

ROOT = "/etc/gpufleet"
PLAIN: dict[str, t.Any] = {
    "unit": "gpufleet-engine-r1.service",
    "rank": 1,
    "spec": {"b": [1], "a": "x"},
    "node": "two",
    "files": {},
    "ssh": "",
}


def files(*ranks: dict[str, t.Any], keys: dict[str, str] | None = None) -> dict[str, dict[str, t.Any]]:
    return {one["path"]: one for one in wanted(ranks, ROOT, keys or {})["files"]}


def modes(*ranks: dict[str, t.Any]) -> dict[str, str]:
    return {one["path"]: one["mode"] for one in wanted(ranks, ROOT, {})["directories"]}


def test_each_rank_has_a_spec_and_a_unit() -> None:
    spec, unit = wanted([PLAIN], ROOT, {})["files"]
    assert (spec["path"], spec["mode"]) == (f"{ROOT}/plans/gpufleet-engine-r1.json", "0640")
    assert json.loads(spec["content"]) == PLAIN["spec"]
    assert spec["content"].endswith("}\n") and spec["content"].index('"a"') < spec["content"].index('"b"')
    assert unit["path"] == "/etc/systemd/system/gpufleet-engine-r1.service"
    assert unit["template_vars"]["__engine_rank"] == {"unit": PLAIN["unit"], "rank": 1, "spec_path": spec["path"]}


def test_no_ranks_need_no_files() -> None:
    assert files() == {}
    assert modes() == modes(PLAIN) == {ROOT: "0750", f"{ROOT}/plans": "0750"}


def test_files_of_options_lie_beside_the_spec() -> None:
    rank = {**PLAIN, "files": {"config.json": "{}\n"}}
    folder = f"{ROOT}/plans/gpufleet-engine-r1"
    assert files(rank)[f"{folder}/config.json"]["content"] == "{}\n"
    assert modes(rank)[folder] == "0750"


def test_keys_are_secret_and_for_root_alone() -> None:
    rank = {**PLAIN, "ssh": "r1"}
    found = files(rank, keys={f"r1-{one}": f"text of {one}\n" for one in KEYS} | {"other-client": "not mine"})
    folder = f"{ROOT}/ssh/r1"
    own = {path.removeprefix(f"{folder}/"): one for path, one in found.items() if path.startswith(folder)}
    assert {name: one["content"] for name, one in own.items() if "content" in one} == {
        "id_ed25519": "text of client\n",
        "host_key": "text of host\n",
        "authorized_keys": "restrict text of client.pub\n",
        "known_hosts": "gpufleet text of host.pub\n",
    }
    assert {name for name, one in own.items() if one.get("secret")} == {"id_ed25519", "host_key"}
    assert {name for name, one in own.items() if "template" in one} == {"ssh_config", "sshd_config"}
    assert {one["mode"] for one in own.values()} == {"0600"}
    assert modes(rank)[f"{ROOT}/ssh"] == modes(rank)[folder] == "0700"


def test_keys_that_are_not_there_yet_are_empty() -> None:
    assert files({**PLAIN, "ssh": "r1"})[f"{ROOT}/ssh/r1/id_ed25519"]["content"] == ""
