# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an engine's own parser takes: flags, numbers of values, choices; and flags of older releases.

Tables are dumps of the real parsers (``_parsers/*.json``, made by ``make parsers``). The real ones also take abbreviations,
which change their meaning with the next release: here they are refused.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
import typing as t

#: Engines whose parser takes ``--some_flag`` for ``--some-flag``.
UNDERSCORES_ARE_DASHES = ("vllm",)

#: Flag of an older release → the words for it today, or a sentence where there is no word for word translation.
Renamed = t.Mapping[str, "tuple[str, ...] | str"]

_NUMBER = re.compile(r"-?[0-9.]+([eE][-+]?[0-9]+)?")
#: vLLM: one key of a JSON option, ``--hf-overrides.rope_scaling.factor 4``.
_KEY_OF_JSON = re.compile(r"(--[a-z][a-z0-9-]*)(\.[A-Za-z0-9_.+-]+)")
#: vLLM: the level of optimisation, ``-O3``.
_LEVEL = re.compile(r"-O\.?[0-9]")


@dataclasses.dataclass(frozen=True)
class Option:
    """One option of a parser. ``values`` are all it takes; empty means any. ``kind`` is the parser's name of the type."""

    nargs: int | str | None
    kind: str
    values: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """All flags of one release of an engine, each spelling written out."""

    engine: str
    release: str
    options: t.Mapping[str, Option]

    def __str__(self) -> str:
        return f"{self.engine} {self.release}"


def table(dump: t.Mapping[str, t.Any]) -> Table:
    """Return the table of a dump: ``{engine, release, options: [{flags, hidden, nargs, type, choices}], registries}``.

    ``registries`` (flag → values) are what the parser takes as any text, and the engine looks up later.
    """
    options = {}
    for one in dump["options"]:
        spellings = (*one["flags"], *one.get("hidden", []))
        known = next((dump["registries"][flag] for flag in spellings if flag in dump["registries"]), None)
        option = Option(one["nargs"], one["type"] or "", tuple(known or one["choices"] or ()))
        options.update(dict.fromkeys(spellings, option))
    return Table(dump["engine"], dump["release"], options)


def spelled(word: str, engine: str = "") -> str:
    """Return the flag in a word, without ``=value``, spelled as the engine's parser holds it."""
    flag = word.split("=", 1)[0]
    if engine and engine not in UNDERSCORES_ARE_DASHES:
        return flag
    return flag.replace("_", "-") if flag.startswith("--") else flag


def is_flag(word: str) -> bool:
    """Tell whether a word is a flag, as argparse does: a dash, and no negative number or text with spaces."""
    return (
        word.startswith("-")
        and word not in ("-", "--")
        and not _NUMBER.fullmatch(word)
        and " " not in word.split("=", maxsplit=1)[0]
    )


def today(words: t.Sequence[str], renamed: Renamed) -> tuple[list[str], list[str]]:
    """Return (the words with flags of older releases in today's words, sentences about those that have none)."""
    written: list[str] = []
    told: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        new = renamed.get(spelled(flag)) if is_flag(word) else None
        if new is None:
            written.append(word)
        elif isinstance(new, str):
            told.append(f"{flag} is of an older release; {new}")
            written.append(word)
        else:
            written += [*new, value] if equals else new
    return written, told


def problems(words: t.Sequence[str], known: Table) -> list[str]:
    """Return what the parser of that release would refuse in the words, each sentence with the flag's name."""
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not is_flag(word):
            found.append(f"{word!r} belongs to no flag")
            continue
        values = list(words[at : at + next((n for n, one in enumerate(words[at:]) if is_flag(one)), len(words))])
        option = _option(word, known)
        if option is None:
            found.append(_unknown(spelled(word, known.engine), known))
            at += len(values)
            continue
        taken, problem = _values(word, values, option)
        at += taken
        if problem:
            found.append(f"{spelled(word, known.engine)} {problem}")
    return found


def value_problem(value: str, option: Option) -> str:
    """Return why the parser refuses a value; empty when it takes it."""
    if option.values and value not in option.values:
        return f"has no {value!r}; it takes {', '.join(option.values)}"
    if option.kind in ("int", "float"):
        try:
            (int if option.kind == "int" else float)(value)
        except ValueError:
            return f"wants {'a whole number' if option.kind == 'int' else 'a number'}, not {value!r}"
    if option.kind == "parse_dataclass" and not _is_json_object(value):
        return f"wants a JSON object, not {value!r}"
    return ""


def _option(word: str, known: Table) -> Option | None:
    flag = spelled(word, known.engine)
    part = _KEY_OF_JSON.fullmatch(flag)
    if part and part[1] in known.options and known.engine in UNDERSCORES_ARE_DASHES:
        return Option(None, "", ())
    if _LEVEL.fullmatch(flag) and "--optimization-level" in known.options:
        return Option(0, "", ())
    return known.options.get(flag)


def _values(word: str, values: t.Sequence[str], option: Option) -> tuple[int, str]:
    """Return (how many of the following words belong to the flag, what is wrong with its values)."""
    if "=" in word:
        given = [word.split("=", 1)[1]]
        if option.nargs == 0:
            return 0, "takes no value"
        return 0, next((one for value in given if (one := value_problem(value, option))), "")
    many = {"None": 1, "?": min(1, len(values)), "+": max(1, len(values)), "*": len(values)}
    count = many.get(str(option.nargs), option.nargs if isinstance(option.nargs, int) else 0)
    if len(values) < count:
        return len(values), "wants a value" if count == 1 else f"wants {count} values"
    return count, next((one for value in values[:count] if (one := value_problem(value, option))), "")


def _unknown(flag: str, known: Table) -> str:
    whole = sorted(one for one in known.options if one.startswith(flag)) if flag.startswith("--") else []
    if whole:
        return f"{flag} is an abbreviation; write {' or '.join(whole[:3])}"
    near = difflib.get_close_matches(flag, known.options, n=1, cutoff=0.8)
    return f"{flag} does not exist in {known}" + (f"; is it {near[0]}?" if near else "")


def _is_json_object(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except ValueError:
        return False
