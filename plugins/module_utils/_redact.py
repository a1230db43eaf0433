# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take secrets and prompts out of text before it leaves a fleet.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.

Two nets: values that are known to be secret, in every form in which they travel, and forms that look like a secret. The
second cuts too much rather than too little.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse

MARK = "<redacted>"

#: A known value shorter than this would take ordinary words out of the text.
SHORTEST = 8

#: Names that are secret wherever they end a name, and those that are so after a boundary only: monkey and bypass are none.
_WORDS = r"token|password|passwd|secret|credentials?|(?:api|access|private|secret|encryption)[_-]?keys?"
_SHORT_WORDS = r"pass|keys?"

#: Words in the name of a setting whose value is secret. token_path and max_tokens are no secrets.
SECRET_NAME = re.compile(rf"(?:^|[_-])(?:{_WORDS}|{_SHORT_WORDS}|auth)$", re.IGNORECASE)

_NAME = rf"(?:[\w.-]*?(?:{_WORDS})|(?:[\w.-]*[_.-])?(?:{_SHORT_WORDS}))"

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MARK),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)(?:[\w-]+[ \t]+)?[^\s\"',;}]+"), rf"\g<1>{MARK}"),
    (re.compile(r"(?i)(\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}"), rf"\g<1>{MARK}"),
    # name: value, name=value, --name value; in JSON, YAML, INI, environments and command lines.
    (
        re.compile(rf"(?i)((?<![\w.-]){_NAME}[\"']?\s*[:=]\s*[\"']?)(?!{MARK})(?:\[[^\]\n]*\]|[^\s\"',;}}\]]+)"),
        rf"\g<1>{MARK}",
    ),
    # keepalived writes a space between the two.
    (re.compile(r"(?i)(\bauth_pass\s+)[^\s:=]\S*"), rf"\g<1>{MARK}"),
    (re.compile(rf"(?i)(--{_NAME}\s+)(?!-)[^\s\"']+"), rf"\g<1>{MARK}"),
    (re.compile(r"(://[^/\s:@]+:)[^/\s@]+(@)"), rf"\g<1>{MARK}\g<2>"),
    (re.compile(r"\b(?:hf_|sk-|ghp_|glpat-|xox[abp]-)[A-Za-z0-9_-]{16,}"), MARK),
    # What users wrote: engines that are told to log requests do so in these forms.
    (
        re.compile(
            r"(?i)((?:^|[\s{,(])[\"']?(?:prompt|messages|prompt_token_ids|input_ids)[\"']?\s*[:=]\s*)(?=[\"'\[{]).*"
        ),
        rf"\g<1>{MARK}",
    ),
)


def forms(secret: str) -> list[str]:
    """Return the forms in which a secret travels: plain, in JSON, in a URL, in Base64 at each of three offsets."""
    raw = secret.encode()
    plain = {secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe="")}
    encoded = set()
    for offset, start in enumerate((0, 2, 3)):
        # Only these characters are the same whatever stands before and after the secret.
        text = base64.b64encode(b"\0" * offset + raw).decode()
        encoded.add(text[start : (offset + len(raw)) * 8 // 6])
    found = plain | encoded
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)


def redacted(text: str, secrets: t.Iterable[str] = ()) -> tuple[str, int]:
    """Return the text without secrets, and how many places were cut."""
    count = 0
    for secret in sorted(set(secrets), key=len, reverse=True):
        for form in forms(secret) if len(secret) >= SHORTEST else []:
            count += text.count(form)
            text = text.replace(form, MARK)
    for pattern, mark in PATTERNS:
        text, more = pattern.subn(mark, text)
        count += more
    return text, count


def found(text: str, secrets: t.Iterable[str]) -> bool:
    """Return whether one of the known secrets stands in the text in any form."""
    return any(form in text for secret in secrets if len(secret) >= SHORTEST for form in forms(secret))


def environment(variables: t.Iterable[str]) -> list[str]:
    """Return ``NAME=value`` entries with the value of each secret's name cut."""
    entries = []
    for entry in variables:
        name, equals, _value = entry.partition("=")
        entries.append(f"{name}={MARK}" if equals and SECRET_NAME.search(name) else entry)
    return entries


def values(texts: t.Iterable[str]) -> list[str]:
    """Return the secrets in the texts of secret files: each line, and what follows the last ``:`` of ``name:key``."""
    kept: dict[str, None] = {}
    for text in texts:
        for line in map(str.strip, text.splitlines()):
            if line.startswith(("#", "-----")):
                continue
            for one in (line, line.rpartition(":")[2]):
                if len(one) >= SHORTEST:
                    kept[one] = None
    return list(kept)
