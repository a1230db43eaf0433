# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the laws read: roles, tasks, plugins and files of the repository, as plain data."""

from __future__ import annotations

import ast
import functools
import importlib
import pathlib
import subprocess
import typing as t

import jinja2
import jinja2.nodes
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COLLECTION = "ansible_collections.gpufleet.inference"

Task = dict[str, t.Any]

#: Task keys whose strings are Jinja expressions without braces.
EXPRESSION_KEYS = frozenset({"when", "that", "changed_when", "failed_when", "until"})
#: Keys of plays and blocks that hold tasks.
HOLDING = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")


class _Loader(yaml.SafeLoader):
    """Reads Ansible's YAML: a value with a tag of Ansible's own is its plain text."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: loader.construct_scalar(node))


def name(path: pathlib.Path) -> str:
    """Return a path as a test id and for messages: relative to the repository."""
    return str(path.relative_to(ROOT))


def files(pattern: str) -> list[pathlib.Path]:
    """Return the files under the repository that match the pattern, sorted."""
    return sorted(path for path in ROOT.glob(pattern) if path.is_file())


@functools.cache
def committed() -> list[pathlib.Path]:
    """Return all files that are, or will be, in git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / one for one in sorted(set(listed.stdout.split("\0"))) if one]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


@functools.cache
def load(path: pathlib.Path) -> t.Any:
    """Return the content of a YAML file; an empty one is None."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def documentation(module: t.Any) -> dict[str, t.Any]:
    """Return a module's DOCUMENTATION with the fragments that it names."""
    said = yaml.safe_load(module.DOCUMENTATION)
    for fragment in said.get("extends_documentation_fragment", []):
        _collection, _, rest = fragment.partition(f"{COLLECTION.removeprefix('ansible_collections.')}.")
        stem, _, part = rest.partition(".")
        source = importlib.import_module(f"{COLLECTION}.plugins.doc_fragments.{stem}").ModuleDocFragment
        for key, value in yaml.safe_load(getattr(source, part.upper() or "DOCUMENTATION")).items():
            said[key] = {**value, **said.get(key, {})}
    return dict(said)


def roles() -> list[str]:
    return sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def role_file(role: str, path: str) -> pathlib.Path:
    return ROOT / "roles" / role / path


def load_role(role: str, path: str) -> dict[str, t.Any]:
    """Return the content of a role's YAML file; a missing one is empty here, and the law about papers names it."""
    file = role_file(role, path)
    return (load(file) or {}) if file.is_file() else {}


def role_files(*folders: str) -> list[pathlib.Path]:
    """Return the YAML files in these folders of all roles."""
    return [path for folder in folders for path in files(f"roles/*/{folder}/**/*.yml")]


def role_of(path: pathlib.Path) -> str:
    """Return the role that a path under ``roles/`` belongs to."""
    return path.relative_to(ROOT / "roles").parts[0]


def tasks(path: pathlib.Path) -> list[Task]:
    """Return all tasks of a task file or playbook, those in blocks and plays included."""

    def walk(items: t.Any) -> t.Iterator[Task]:
        for item in items or []:
            inner = [key for key in HOLDING if key in item]
            if not inner:
                yield item
            for key in inner:
                yield from walk(item[key])

    return list(walk(load(path)))


def action(task: Task, *names: str) -> t.Any:
    """Return the arguments of the task's action if it is one of ``names`` (builtin, short), else None."""
    for one in names:
        for key in (one, f"ansible.builtin.{one}"):
            if key in task:
                return task[key] if task[key] is not None else {}
    return None


def strings(value: t.Any, key: str = "") -> t.Iterator[tuple[str, str]]:
    """Return (key, text) of every string in nested data; ``key`` is the nearest mapping key above it."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for inner_key, inner in value.items():
            yield from strings(inner, str(inner_key))
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, key)


def variables(template: str) -> set[str]:
    """Return the names that a Jinja template reads and does not set itself."""
    parsed = jinja2.Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"]).parse(template)
    names = list(parsed.find_all(jinja2.nodes.Name))
    own = {one.name for one in names if one.ctx != "load"}
    macros = {one.name for one in parsed.find_all(jinja2.nodes.Macro)}
    return {one.name for one in names if one.ctx == "load"} - own - macros


def variables_in(data: t.Any) -> set[str]:
    """Return the variables that nested YAML data reads, in templates and in bare expressions."""
    found: set[str] = set()
    for key, text in strings(data):
        if "{{" in text or "{%" in text:
            found |= variables(text)
        elif key in EXPRESSION_KEYS:
            found |= variables("{{ " + text + " }}")
    return found


def imports(path: pathlib.Path) -> set[str]:
    """Return the full names that a Python file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names}
    return found


def plugins(kind: str) -> list[pathlib.Path]:
    """Return the Python files of a kind of plugin, without ``__init__.py``."""
    return [path for path in files(f"plugins/{kind}/**/*.py") if path.name != "__init__.py"]
