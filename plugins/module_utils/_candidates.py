# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a package manager which versions of which packages there are, without changing anything on the node.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

apt gets a scratch directory for its sources, lists and caches, so that a repository can be asked before it is set up;
dnf gets the repository on its command line. Both return ``{name: [{"version", "repository", "transitional"}]}``.
"""

from __future__ import annotations

import fnmatch
import os
import pathlib
import re
import shutil
import tempfile
import typing as t

from ansible_collections.gpufleet.inference.plugins.module_utils._command import Outcome, bounded

Candidates = dict[str, list[dict[str, t.Any]]]

#: What apt says when a repository cannot be trusted, and what to do. sqv, apt's verifier on Debian 13, refuses SHA-1
#: signatures since 2026-02-01 (sequoia's policy).
KEY_TROUBLE = (
    ("NO_PUBKEY", "its key is another one than the given; check the fingerprint"),
    ("EXPKEYSIG", "its key has expired; take the present one"),
    ("REVKEYSIG", "its key was revoked; take the present one"),
    ("BADSIG", "its signature is wrong; the mirror is broken or was tampered with"),
    ("SHA1 is not considered secure", "it is signed with SHA-1, which this release refuses; take a newer repository"),
    ("is not signed", "it is not signed; sign it, or take the source `directory`"),
)


class Unavailable(Exception):
    """The package manager could not be asked; the message says why and what to do."""


def madison(text: str) -> Candidates:
    """Parse ``apt-cache madison``: ``name | version | repository …`` lines. Source packages are left out."""
    found: Candidates = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 3 and not fields[2].endswith("Sources"):
            one = {"version": fields[1], "repository": fields[2].split(" ")[0], "transitional": False}
            if one not in found.setdefault(fields[0], []):
                found[fields[0]].append(one)
    return found


def transitional(text: str) -> set[tuple[str, str]]:
    """Return (name, version) of the packages in ``apt-cache show`` that are empty and pull in another branch.

    Canonical's ``nvidia-fabricmanager-570`` at 570.211 is such a one: it depends on ``nvidia-fabricmanager-580``.
    """
    found: set[tuple[str, str]] = set()
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Depends|Description(?:-en)?): (.*)$", paragraph, re.MULTILINE))
        name, said = (
            fields.get("Package", ""),
            " ".join(fields.get(key, "") for key in ("Description", "Description-en")),
        )
        stem = re.match(r"(.*-)\d{3}(-.*)?$", name)
        others = re.findall(r"[a-z0-9.+-]+", fields.get("Depends", ""))
        another = stem is not None and any(
            one != name and re.fullmatch(rf"{re.escape(stem[1])}\d{{3}}{re.escape(stem[2] or '')}", one)
            for one in others
        )
        if re.search(r"transitional|dummy", said, re.IGNORECASE) or another:
            found.add((name, fields.get("Version", "")))
    return found


def key_problem(stderr: str) -> str:
    """Return what is wrong with a repository's signature, from apt's words; "" when it is something else."""
    return next((meaning for sign, meaning in KEY_TROUBLE if sign in stderr), "")


def apt_options(scratch: str) -> list[str]:
    """Return the options that keep apt inside a scratch directory."""
    places = {
        "Dir::Etc::SourceList": f"{scratch}/sources.list",
        "Dir::Etc::SourceParts": f"{scratch}/sources.list.d",
        "Dir::State::Lists": f"{scratch}/lists",
        "Dir::Cache": f"{scratch}/cache",
        "APT::Update::Error-Mode": "any",
        "APT::Update::Post-Invoke-Success::": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    return [word for name, value in places.items() for word in ("-o", f"{name}={value}")]


def own_sources(folder: pathlib.Path = pathlib.Path("/etc/apt")) -> dict[str, str]:
    """Return {file name: text} of the node's own apt sources."""
    found: dict[str, str] = {}
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            found[path.name] = path.read_text(encoding="utf-8", errors="replace")
    return found


def ask_apt(patterns: t.Sequence[str], sources: t.Mapping[str, str], timeout_seconds: float) -> Candidates:
    """Ask apt, of these ``sources`` ({file name: text}) or, without any, of the node's own. Raises Unavailable."""
    scratch = tempfile.mkdtemp(prefix="gpufleet-apt-")
    try:
        # apt fetches as its own user.
        os.chmod(scratch, 0o755)
        parts = pathlib.Path(scratch, "sources.list.d")
        for folder in (parts, pathlib.Path(scratch, "lists/partial"), pathlib.Path(scratch, "cache/archives/partial")):
            folder.mkdir(parents=True)
        for name, text in (sources or own_sources()).items():
            (parts / name).write_text(text, encoding="utf-8")
        options = apt_options(scratch)
        _refreshed(bounded(["apt-get", "-qq", *options, "update"], timeout_seconds))
        names = bounded(["apt-cache", *options, "pkgnames"], 60).stdout.split()
        wanted = sorted(name for name in names if any(fnmatch.fnmatchcase(name, one) for one in patterns))
        if not wanted:
            return {}
        found = madison(bounded(["apt-cache", *options, "madison", *wanted], 60).stdout)
        empty = transitional(bounded(["apt-cache", *options, "show", *found], 60).stdout) if found else set()
        for name, versions in found.items():
            for one in versions:
                one["transitional"] = (name, one["version"]) in empty
        return found
    finally:
        # What the caller asked for is answered by now; a scratch folder that stays is no reason to lose it.
        shutil.rmtree(scratch, ignore_errors=True)


def _refreshed(outcome: Outcome) -> None:
    if outcome.ok:
        return
    trouble = key_problem(outcome.stderr)
    if trouble:
        named = re.findall(r"(https?://\S+|file:\S+)", outcome.stderr)
        raise Unavailable(f"The repository {named[0] if named else ''} is not trusted: {trouble}.")
    raise Unavailable(
        "The package lists could not be fetched; check the address of the repository, the node's proxy and its other "
        f"sources. {outcome.problem}"
    )


def repoquery(text: str) -> Candidates:
    """Parse ``name|epoch|version-release|repository|summary`` lines of dnf; epoch 0 is left out."""
    found: Candidates = {}
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) == 5:
            version = fields[2] if fields[1] in ("0", "(none)") else f"{fields[1]}:{fields[2]}"
            found.setdefault(fields[0], []).append(
                {"version": version, "repository": fields[3], "transitional": "transitional" in fields[4].lower()}
            )
    return found


def ask_dnf(patterns: t.Sequence[str], repositories: t.Mapping[str, str], timeout_seconds: float) -> Candidates:
    """Ask dnf. ``repositories``: {name: address} beside the node's own. Raises Unavailable."""
    argv = ["dnf", "repoquery", "--quiet", "--available", "--showduplicates", "--refresh"]
    for name, address in repositories.items():
        # Module streams would hide all branches but one.
        argv += [f"--repofrompath={name},{address}", f"--setopt={name}.module_hotfixes=1"]
    asked = bounded(
        [*argv, "--qf", r"%{name}|%{epoch}|%{version}-%{release}|%{repoid}|%{summary}\n", *patterns], timeout_seconds
    )
    if not asked.ok:
        raise Unavailable(f"dnf could not be asked; check the addresses of the repositories. {asked.problem}")
    found = repoquery(asked.stdout)
    for one in (one for versions in found.values() for one in versions):
        one["repository"] = repositories.get(one["repository"], one["repository"])
    return found
