# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's DOCUMENTATION and its argument_spec say the same, and its papers are complete."""

from __future__ import annotations

import importlib
import pathlib
import typing as t

import pytest
import yaml
from ansible.module_utils import basic

from tests.laws._repository import COLLECTION, documentation, name, plugins

MODULES = plugins("modules")
#: Beside ``description``, in which documentation and spec must agree; with the value that an absent key means.
FACETS: dict[str, t.Any] = {
    "type": "str",
    "default": None,
    "required": False,
    "elements": None,
    "choices": None,
    "aliases": None,
}

Options = dict[str, dict[str, t.Any]]


class _Spec(Exception):
    """Carries the keyword arguments that a module gives to AnsibleModule."""

    def __init__(self, given: dict[str, t.Any]) -> None:
        super().__init__()
        self.given = given


def given_to_ansible(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> tuple[t.Any, dict[str, t.Any]]:
    """Return the module and the keyword arguments that its ``main()`` gives to AnsibleModule."""

    def capture(self: basic.AnsibleModule, argument_spec: Options, **rest: t.Any) -> None:
        raise _Spec({"argument_spec": argument_spec, **rest})

    module = importlib.import_module(f"{COLLECTION}.plugins.modules.{path.stem}")
    monkeypatch.setattr(basic.AnsibleModule, "__init__", capture)
    with pytest.raises(_Spec) as captured:
        module.main()
    return module, captured.value.given


def differences(documented: Options, spec: Options, where: str = "") -> t.Iterator[str]:
    """Return a sentence for each way in which documented options and an argument_spec differ."""
    for option in sorted(set(documented) ^ set(spec)):
        yield f"{where}{option} is only in the {'documentation' if option in documented else 'argument_spec'}"
    for option in sorted(set(documented) & set(spec)):
        for facet, absent in FACETS.items():
            said, true = documented[option].get(facet, absent), spec[option].get(facet, absent)
            if said != true:
                yield f"{where}{option}: {facet} is {said!r} in the documentation, {true!r} in the argument_spec"
        inner = documented[option].get("suboptions", {}), spec[option].get("options", {})
        yield from differences(inner[0], inner[1], f"{where}{option}.")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_documentation_is_the_argument_spec(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, given = given_to_ansible(path, monkeypatch)
    found = list(differences(documentation(module).get("options", {}), given["argument_spec"]))
    assert not found, f"{name(path)}: " + "; ".join(found)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_check_mode_is_promised_and_given(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, given = given_to_ansible(path, monkeypatch)
    attributes = documentation(module)["attributes"]
    assert {"check_mode", "diff_mode", "idempotent"} <= set(attributes)
    assert (attributes["check_mode"]["support"] != "none") == bool(given.get("supports_check_mode"))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_papers(path: pathlib.Path) -> None:
    module = importlib.import_module(f"{COLLECTION}.plugins.modules.{path.stem}")
    assert documentation(module)["module"] == path.stem
    assert yaml.safe_load(module.EXAMPLES), "EXAMPLES is empty"
    assert yaml.safe_load(module.RETURN), "RETURN is empty"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_examples_use_the_full_name(path: pathlib.Path) -> None:
    module = importlib.import_module(f"{COLLECTION}.plugins.modules.{path.stem}")
    assert f"gpufleet.inference.{path.stem}:" in module.EXAMPLES


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem.endswith("_health")], ids=name)
def test_proof_modules_have_the_contract(path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, given = given_to_ansible(path, monkeypatch)
    assert {"fail_on", "strict"} <= set(given["argument_spec"])
    assert {"verdict", "checks", "facts"} <= set(yaml.safe_load(module.RETURN))
