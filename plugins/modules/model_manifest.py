#!/usr/bin/python

# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: model_manifest
short_description: Make manifests of models, and check models against them
version_added: 0.1.0
description:
  - Makes a manifest (size and SHA-256 of each file) of each model, or names every file that differs from a given one.
  - A file is read again only when its size, mtime or inode is not that of the seal, a file of the module's own that
    keeps the hashes and when they were made. A flipped byte under an unchanged mtime is therefore seen only by
    O(check=full).
  - Looks at the structure too - C(config.json), the shards that the index names, truncated safetensors files, Git LFS
    pointers - which needs no hashing.
  - Hashing of large models is done in portions of O(budget_seconds); call again until C(facts.finished).
attributes:
  check_mode:
    description: Reads only; in check mode the seal is not written, and no portions are made.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
  idempotent:
    description: It changes no model; the seal is a cache.
    support: full
extends_documentation_fragment:
  - gpufleet.inference.proof
author:
  - The gpufleet founders (@gpufleet)
options:
  models:
    description: The models.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the model.
        type: str
        required: true
      directory:
        description: Where its files lie.
        type: path
        required: true
      archive:
        description: Tarball that is unpacked into O(models[].directory) first, unless that was done already.
        type: path
      seal:
        description: Path of the seal; it must lie outside of the model.
        type: path
        required: true
      expected:
        description: Manifest that the model must have; without it, a manifest is made.
        type: dict
  check:
    description: Whether unchanged files are believed to their seal.
    type: str
    choices: [quick, full]
    default: quick
  round:
    description: Name of a full check; what was hashed under this name is not hashed again. Without one, there are no portions.
    type: str
    default: ""
  budget_seconds:
    description: After this time no file is begun; 0 is without limit.
    type: float
    default: 60
  store:
    description: Directory whose other directories are reported as models that nobody declared.
    type: path
"""

EXAMPLES = r"""
- name: Make the manifest
  gpufleet.inference.model_manifest:
    models:
      - name: deepseek-v3
        directory: /srv/models/deepseek-v3
        seal: /srv/models/deepseek-v3.seal.json
  register: made

- name: Check a copy
  gpufleet.inference.model_manifest:
    models:
      - name: deepseek-v3
        directory: /var/lib/gpufleet/models/deepseek-v3
        seal: /var/lib/gpufleet/seals/deepseek-v3.json
        expected: "{{ made.facts.models['deepseek-v3'].manifest }}"
"""

RETURN = r"""
verdict:
  description: The worst verdict.
  returned: always
  type: str
  sample: pass
checks:
  description: One entry per check, with C(name), C(verdict), C(observed), C(expected), C(remedy) and C(source).
  returned: always
  type: list
  elements: dict
facts:
  description:
    - C(finished), C(progress), C(undeclared) (paths), and C(models), by name with C(directory), C(files), C(bytes),
      C(manifest) (only without RV(ignore:models[].expected)), C(bad) (entries of C(path), C(problem) - V(missing),
      V(extra), V(size) or V(content) -, C(observed) and C(expected)), C(problems) of the structure, C(read_files),
      C(read_bytes), C(pending_files), C(pending_bytes), C(sealed_at) (oldest hash) and C(config), the content of
      C(config.json).
  returned: always
  type: dict
"""

import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.gpufleet.inference.plugins.module_utils import _manifest, _verdict

GIB = 1 << 30


def look(model: dict[str, t.Any], full_round: str | None, budget_seconds: float | None, keep: bool) -> dict[str, t.Any]:
    """Return what was found of one model; ``keep`` says whether the seal may be written. Raises ModelError, OSError."""
    directory = model["directory"]
    if model.get("archive") and keep:
        _manifest.unpack(model["archive"], directory)
    seal = _manifest.read_seal(model["seal"])
    if os.path.isdir(directory):
        done = _manifest.hashed(directory, seal, full_round, budget_seconds)
    else:
        done = _manifest.Hashed({}, {}, 0, 0, [], 0)
    if keep and done.seal != seal:
        _manifest.write_seal(model["seal"], done.seal)
    expected = model.get("expected")
    found: dict[str, t.Any] = {
        "directory": directory,
        "files": len(done.manifest) + len(done.pending),
        "bytes": sum(entry["size"] for entry in done.manifest.values()) + done.pending_bytes,
        "bad": [],
        "problems": _manifest.structure(directory),
        "read_files": done.read_files,
        "read_bytes": done.read_bytes,
        "pending_files": len(done.pending),
        "pending_bytes": done.pending_bytes,
        "sealed_at": min((entry["at"] for entry in done.seal.values()), default=None),
        "config": _manifest.configuration(directory),
    }
    if expected is None:
        found["manifest"] = done.manifest
    else:
        pending = set(done.pending)
        found["bad"] = [one for one in _manifest.differences(done.manifest, expected) if one["path"] not in pending]
    return found


def judge(name: str, found: dict[str, t.Any], compared: bool) -> list[_verdict.Check]:
    """Return the checks of one model; ``compared`` says whether there was a manifest to compare with."""
    remedy = "Run the role model_store: it sends the files that differ, and only those."
    source, title = found["directory"], f"model {name}"
    size = f"{found['files']} files, {found['bytes'] / GIB:.2f} GiB"
    problems, bad = found["problems"], found["bad"]
    whole = _verdict.check(
        f"{title}: structure",
        _verdict.FAIL if problems else _verdict.PASS,
        "; ".join(problems) or "config.json is there, every shard is there and as long as it says",
        "complete",
        remedy if compared else f"Put the whole model into {source}.",
        source,
    )
    label = f"{title}: content"
    if bad:
        named = "; ".join(f"{one['path']}: {PROBLEMS[one['problem']]}" for one in bad)
        content = _verdict.check(label, _verdict.FAIL, named, "as in the manifest", remedy, source)
    elif found["pending_files"]:
        why = f"{(found['bytes'] - found['pending_bytes']) / GIB:.2f} of {found['bytes'] / GIB:.2f} GiB hashed"
        content = _verdict.not_verified(label, why, "as in the manifest", "Run it again.", source)
    elif not compared:
        why = f"{size}; there is no manifest to compare with"
        content = _verdict.not_verified(label, why, "as in a manifest", "Give the model a source.", source)
    else:
        content = _verdict.check(label, _verdict.PASS, f"{size}, {how(found)}", "as in the manifest", "", source)
    return [whole, content]


PROBLEMS = {
    "missing": "missing",
    "extra": "does not belong to the model",
    "size": "has another size",
    "content": "has other content",
}


def how(found: dict[str, t.Any]) -> str:
    """Say honestly what the verdict on the content rests on."""
    if found["read_files"] == found["files"]:
        return "all hashed now"
    sealed = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found["sealed_at"]))
    read = f"{found['read_files']} hashed now, the others " if found["read_files"] else ""
    return f"{read}hashed since {sealed}, sizes, mtimes and inodes unchanged since then"


def undeclared(store: str | None, directories: t.Iterable[str]) -> list[str]:
    """Return the directories in ``store`` that are none of ``directories``."""
    if not store or not os.path.isdir(store):
        return []
    known = {os.path.realpath(path) for path in directories}
    found = (os.path.join(store, name) for name in sorted(os.listdir(store)))
    return [path for path in found if os.path.isdir(path) and os.path.realpath(path) not in known]


def main() -> None:
    options: dict[str, t.Any] = {
        "name": {"type": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "archive": {"type": "path"},
        "seal": {"type": "path", "required": True},
        "expected": {"type": "dict"},
    }
    proof = _verdict.proof_argument_spec()
    module = AnsibleModule(
        argument_spec={
            "models": {"type": "list", "elements": "dict", "required": True, "options": options},
            "check": {"type": "str", "choices": ["quick", "full"], "default": "quick"},
            "round": {"type": "str", "default": ""},
            "budget_seconds": {"type": "float", "default": 60.0},
            "store": {"type": "path"},
            "fail_on": proof["fail_on"],
            "strict": proof["strict"],
        },
        supports_check_mode=True,
    )
    params, keep = module.params, not module.check_mode
    full_round = params["round"] if params["check"] == "full" else None
    # A portion is of use only when the next one knows what was done.
    portions = params["budget_seconds"] > 0 and keep and full_round != ""
    deadline = time.monotonic() + params["budget_seconds"] if portions else None
    found: dict[str, dict[str, t.Any]] = {}
    checks: list[_verdict.Check] = []
    for model in params["models"]:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            found[model["name"]] = look(model, full_round, left, keep)
        except (_manifest.ModelError, OSError) as error:
            module.fail_json(msg=f"The model {model['name']} could not be looked at: {error}.")
        checks += judge(model["name"], found[model["name"]], model["expected"] is not None)
    others = undeclared(params["store"], [model["directory"] for model in params["models"]])
    if others:
        remedy = "Remove them, or set model_store_prune: true."
        checks.append(_verdict.check("models that nobody declared", _verdict.WARN, ", ".join(others), "none", remedy))
    total = sum(one["bytes"] for one in found.values())
    pending = sum(one["pending_bytes"] for one in found.values())
    facts = {
        "models": found,
        "undeclared": others,
        "finished": not any(one["pending_files"] for one in found.values()),
        "progress": f"{(total - pending) / GIB:.2f} of {total / GIB:.2f} GiB hashed",
    }
    _verdict.finish(module, checks, facts)


if __name__ == "__main__":
    main()
