# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's own apt sources, read as data, so that the images get the same and no host name stands in a file."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t
import urllib.parse

#: Options of the machine's apt that a host on the same network needs too.
SHARED_OPTIONS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date", "Acquire::http::Proxy", "Acquire::https::Proxy")


@dataclasses.dataclass(frozen=True)
class Source:
    """One archive: where, which suite, which components."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def line(self) -> str:
        return f"deb {self.uri} {self.suite} {' '.join(self.components)}"


def parse_list(text: str) -> list[Source]:
    """Read the one-line format (``sources.list``). Source packages and comments are left out."""
    found = []
    for raw in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", raw.split("#", 1)[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            found.append(Source(words[1], words[2], tuple(words[3:])))
    return found


def parse_deb822(text: str) -> list[Source]:
    """Read the stanza format (``*.sources``). Disabled stanzas and source packages are left out."""
    found = []
    for stanza in re.split(r"\n\s*\n", _without_comments(text)):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([A-Za-z-]+):((?:.*\n?)(?:[ \t]+.*\n?)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        components = tuple(fields.get("components", []))
        found += [Source(uri, suite, components) for uri in fields.get("uris", []) for suite in fields["suites"]]
    return found


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


def debian_archive(sources: t.Iterable[Source], codename: str, target: str) -> list[Source]:
    """Return the entries of Debian's own archive for ``codename``, with the suite of ``target`` in its place.

    Only the release itself, its updates and its security suite count; third-party archives often use the same
    suite names, so the path has to be Debian's as well.
    """
    wanted = {codename, f"{codename}-updates", f"{codename}-security"}
    return [
        dataclasses.replace(one, suite=one.suite.replace(codename, target, 1))
        for one in dict.fromkeys(sources)
        if one.suite in wanted
        and "main" in one.components
        and re.search(r"/debian(-security)?(/|$)", urllib.parse.urlsplit(one.uri).path)
    ]


def machine_sources(folder: pathlib.Path = pathlib.Path("/etc/apt")) -> list[Source]:
    """Return every enabled source of binary packages of this machine."""
    found: list[Source] = []
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            parse = parse_deb822 if path.suffix == ".sources" else parse_list
            found += parse(path.read_text(encoding="utf-8"))
    return found


def codename(os_release: str) -> str:
    """Return VERSION_CODENAME of an os-release text; "" when it has none."""
    match = re.search(r'^VERSION_CODENAME="?(\w+)"?$', os_release, re.MULTILINE)
    return match.group(1) if match else ""


def shared_options(apt_config_dump: str) -> list[str]:
    """Return the lines of ``apt-config dump`` that hosts on this machine need as well."""
    lines = [line for line in apt_config_dump.splitlines() if line.split(" ", 1)[0] in SHARED_OPTIONS]
    return [line for line in lines if not line.endswith(' "";')]
