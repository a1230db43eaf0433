# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of a gateway's users, and what each may ask for.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import math
import re
import typing as t

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
KEY = re.compile(r"[A-Za-z0-9_-]{20,}")
#: What examples write in place of a key. Generated keys hold no - or _, so that none is taken for a placeholder.
PLACEHOLDER = re.compile(r"(?:sk-)?(?:<|change.?me|place.?holder|example|(?:secret|your|replace)[-_])", re.IGNORECASE)

#: What a key may be limited in; 0 is no limit.
LIMITS = ("requests_per_minute", "concurrent")


def read_keys(text: str) -> tuple[list[dict[str, str]], list[str]]:
    """Return the keys of a key file, ``[{"name", "key"}]``, and its mistakes, which never hold a key.

    A line is ``key`` or ``name:key``; empty lines and comments (``#``) are skipped.
    """
    keys: list[dict[str, str]] = []
    mistakes: list[str] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        given, _colon, key = line.rpartition(":")
        name = given or "default"
        where = f"gateway_api_keys_path, line {number}"
        if not NAME.fullmatch(name):
            mistakes.append(f"{where}: a name has small letters, digits, - and _")
        if PLACEHOLDER.match(key):
            mistakes.append(f"{where}: this is a placeholder; write a random key")
        elif not KEY.fullmatch(key):
            mistakes.append(f"{where}: a key has 20 or more letters, digits, - and _")
        if any(known["name"] == name for known in keys):
            mistakes.append(f"{where}: the name {name} is used twice")
        if any(known["key"] == key for known in keys):
            mistakes.append(f"{where}: this key is used twice")
        keys.append({"name": name, "key": key})
    if not keys:
        mistakes.append("gateway_api_keys_path: the file holds no key")
    return keys, mistakes


def digest(key: str) -> str:
    """Return what the gateway compares in place of a key: the SHA-256 as HAProxy's converter ``hex`` writes it."""
    return hashlib.sha256(key.encode()).hexdigest().upper()


def limited(
    keys: t.Iterable[t.Mapping[str, str]] | None,
    limits: t.Mapping[str, t.Any],
    default: t.Any,
) -> tuple[list[dict[str, t.Any]], list[str]]:
    """Return ``[{"name", "digest", "requests_per_minute", "concurrent", "retry_after_seconds"}]`` and mistakes.

    ``keys`` is None when the file is still to be made. ``limits`` maps a key's name to its own limits; what these do not say
    comes from ``default``. A refused client shall wait as long as one request of its rate takes, at least a second.
    """
    where = {name: f"gateway_limits.{name}" for name in limits}
    mistakes = _mistakes("gateway_default_limits", default)
    for name, wish in limits.items():
        mistakes += _mistakes(where[name], wish)
    if keys is not None:
        known = {one["name"] for one in keys}
        mistakes += [f"{where[name]}: no key has this name" for name in limits if name not in known]
    if mistakes:
        return [], mistakes
    found = []
    for one in keys or ():
        wish = {**dict.fromkeys(LIMITS, 0), **default, **limits.get(one["name"], {})}
        rate = int(wish["requests_per_minute"])
        retry = max(1, math.ceil(60 / rate)) if rate else 1
        found.append(
            {
                "name": one["name"],
                "digest": digest(one["key"]),
                **{limit: int(wish[limit]) for limit in LIMITS},
                "retry_after_seconds": retry,
            }
        )
    return found, []


def _mistakes(where: str, wish: t.Any) -> list[str]:
    if not isinstance(wish, t.Mapping):
        return [f"{where}: must be a dictionary with {' and '.join(LIMITS)}"]
    found = [f"{where}.{name}: is unknown; known are {' and '.join(LIMITS)}" for name in wish if name not in LIMITS]
    found += [
        f"{where}.{name}: must be a whole number, 0 for no limit, not {value!r}"
        for name, value in wish.items()
        if name in LIMITS and (isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", str(value)))
    ]
    return found
