# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may know whom: roles, variables, the group of nodes, Python imports."""

from __future__ import annotations

import pathlib
import re
import sys

import pytest

from tests.laws._repository import (
    COLLECTION,
    ROOT,
    action,
    files,
    imports,
    load,
    load_role,
    name,
    plugins,
    role_files,
    role_of,
    roles,
    tasks,
    variables,
    variables_in,
)

#: What Ansible itself offers beside ``ansible_*``, and what Jinja offers.
MAGIC = {
    *(
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "lookup",
        "now",
        "omit",
    ),
    *("play_hosts", "playbook_dir", "q", "query", "role_name", "role_path", "undef"),
    *("loop", "range", "dict", "namespace", "varargs", "kwargs", "caller", "self", "joiner", "cycler"),
}

#: A condition on what kind of system a node is.
ASKING = re.compile(r"\b(?:distribution(?:_major|_version)?|os_family|codename)\s*(?:==|!=|\bin\b)")

#: nvidia-ml-py, the one library that this collection itself brings to a node (role node_tools).
BROUGHT = "pynvml"

#: What each kind of plugin may import beside the standard library.
MAY_IMPORT = {
    "module_utils": ("ansible.module_utils.", f"{COLLECTION}.plugins.module_utils.", BROUGHT),
    "modules": ("ansible.module_utils.", f"{COLLECTION}.plugins.module_utils.", BROUGHT),
    "plugin_utils": (f"{COLLECTION}.plugins.plugin_utils.",),
    # Jinja is what Ansible itself renders with; a filter that makes HTML needs its escaping.
    "filter": ("ansible.", "jinja2", f"{COLLECTION}.plugins.plugin_utils.", f"{COLLECTION}.plugins.module_utils."),
    "lookup": ("ansible.", f"{COLLECTION}.plugins.plugin_utils.", f"{COLLECTION}.plugins.module_utils."),
    "action": ("ansible.", f"{COLLECTION}.plugins.plugin_utils."),
    "callback": ("ansible.", f"{COLLECTION}.plugins.plugin_utils."),
    "doc_fragments": (),
}


@pytest.mark.parametrize("path", role_files("tasks", "handlers"), ids=name)
def test_roles_include_no_roles(path: pathlib.Path) -> None:
    including = [task["name"] for task in tasks(path) if action(task, "include_role", "import_role") is not None]
    assert not including, f"{name(path)} includes a role in {including}: only playbooks know two roles"


@pytest.mark.parametrize("role", roles())
def test_roles_depend_on_platform_alone(role: str) -> None:
    depends = load_role(role, "meta/main.yml").get("dependencies", [])
    wanted = [] if role == "platform" else [{"role": "gpufleet.inference.platform"}]
    assert depends == wanted, f"roles/{role}/meta/main.yml: dependencies are {depends}, wanted {wanted}"


def foreign(role: str, read: set[str], also: tuple[str, ...] = ()) -> list[str]:
    """Return the variables among ``read`` that are not the role's own, Ansible's, or of the prefixes ``also``."""
    own = (f"{role}_", f"__{role}_", "ansible_", *also)
    return sorted(one for one in read - MAGIC if not one.startswith(own))


@pytest.mark.parametrize("path", role_files("tasks", "handlers", "vars", "defaults"), ids=name)
def test_roles_read_their_own_variables(path: pathlib.Path) -> None:
    also = ("platform_",) if path.parent.name == "defaults" else ()
    found = foreign(role_of(path), variables_in(load(path)), also)
    assert not found, f"{name(path)} reads variables that are not its own: {found}"


@pytest.mark.parametrize("path", files("roles/*/templates/**/*.j2"), ids=name)
def test_templates_read_their_own_variables(path: pathlib.Path) -> None:
    found = foreign(role_of(path), variables(path.read_text(encoding="utf-8")))
    assert not found, f"{name(path)} reads variables that are not its own: {found}"


def allowed(module: str, prefixes: tuple[str, ...]) -> bool:
    return module.lstrip(".").split(".")[0] in sys.stdlib_module_names or module.startswith(prefixes)


@pytest.mark.parametrize(
    ("kind", "path"),
    [(kind, path) for kind in MAY_IMPORT for path in plugins(kind)],
    ids=lambda value: getattr(value, "name", value),
)
def test_plugins_import_what_their_side_has(kind: str, path: pathlib.Path) -> None:
    bad = sorted(one for one in imports(path) if not allowed(one, MAY_IMPORT[kind]))
    assert not bad, f"{name(path)} must not import {bad}; allowed: standard library and {MAY_IMPORT[kind]}"


def test_kinds_of_plugins_are_known() -> None:
    unknown = {path.relative_to(ROOT / "plugins").parts[0] for path in files("plugins/**/*.py")} - set(MAY_IMPORT)
    assert not unknown, f"say in MAY_IMPORT what plugins of these kinds may import: {sorted(unknown)}"


@pytest.mark.parametrize("path", plugins("modules") + plugins("module_utils"), ids=name)
def test_node_side_discovers_nothing(path: pathlib.Path) -> None:
    """What is not imported by name is not sent to the node, and discovery there silently finds nothing."""
    found = sorted(one for one in imports(path) if one.split(".")[0] in ("importlib", "pkgutil"))
    assert not found, f"{name(path)} uses {found}"


def test_one_file_knows_ansible_runner() -> None:
    knows = [name(path) for path in files("**/*.py") if ".venv" not in path.parts and runner(path)]
    assert knows in ([], ["src/gpufleet/_run.py"]), knows


def runner(path: pathlib.Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "ansible_runner" in text and any(one.split(".")[0] == "ansible_runner" for one in imports(path))


@pytest.mark.parametrize("path", files("src/gpufleet/**/*.py"), ids=name)
def test_the_python_door_knows_no_plugin(path: pathlib.Path) -> None:
    bad = sorted(one for one in imports(path) if one.startswith(("ansible_collections", "ansible.")))
    assert not bad, f"{name(path)} must not import {bad}"


@pytest.mark.parametrize("path", [*files("roles/**/*.yml"), *files("roles/**/*.j2")], ids=name)
def test_no_inventory_group_in_roles(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\bgpu_nodes\b", text), f"{name(path)} names the group gpu_nodes: playbooks hand it over"


@pytest.mark.parametrize("path", role_files("tasks", "handlers"), ids=name)
def test_tasks_ask_for_no_distribution(path: pathlib.Path) -> None:
    if role_of(path) == "platform":
        return
    asked = ASKING.findall(path.read_text(encoding="utf-8"))
    assert not asked, f"{name(path)} chooses by {asked}: that is a value of the platform table"
