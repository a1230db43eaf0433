# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils import _gateway_keys

KEY = "A1b2C3d4E5f6G7h8J9k0"
OTHER = "Z1b2C3d4E5f6G7h8J9k0"

MISTAKES = {
    "empty": ("# nothing\n", "holds no key"),
    "short": ("ann:abc", "line 1: a key has 20 or more"),
    "strange": (f'ann:{KEY}"; }}', "line 1: a key has 20 or more"),
    "strange name": (f"Ann Lee:{KEY}", "line 1: a name has"),
    "placeholder": ("CHANGE_ME_CHANGE_ME_CHANGE_ME", "line 1: this is a placeholder"),
    "placeholder in the style of a key": ("sk-your-key-goes-here-0000", "line 1: this is a placeholder"),
    "name twice": (f"ann:{KEY}\n\nann:{OTHER}", "line 3: the name ann is used twice"),
    "key twice": (f"ann:{KEY}\nbob:{KEY}", "line 2: this key is used twice"),
}


@pytest.mark.parametrize(("text", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_in_keys(text: str, mistake: str) -> None:
    _keys, mistakes = _gateway_keys.read_keys(text)
    assert len(mistakes) == 1
    assert mistake in mistakes[0]
    assert KEY not in mistakes[0]


def test_keys() -> None:
    keys, mistakes = _gateway_keys.read_keys(f"# all\n\nann:{KEY}\n{OTHER}\n")
    assert keys == [{"name": "ann", "key": KEY}, {"name": "default", "key": OTHER}]
    assert mistakes == []


def test_the_digest_is_written_as_haproxy_does() -> None:
    # printf %s abc | sha256sum, in capitals.
    assert _gateway_keys.digest("abc") == "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


KEYS = [{"name": "ann", "key": KEY}, {"name": "bob", "key": OTHER}]


def test_a_key_has_its_own_limits_where_it_has_some() -> None:
    default = {"requests_per_minute": 120, "concurrent": 4}
    users, mistakes = _gateway_keys.limited(KEYS, {"bob": {"requests_per_minute": "7"}}, default)
    assert mistakes == []
    assert [(user["requests_per_minute"], user["concurrent"]) for user in users] == [(120, 4), (7, 4)]
    assert [user["retry_after_seconds"] for user in users] == [1, 9]
    assert KEY not in str(users)


def test_nothing_said_is_no_limit() -> None:
    users, _mistakes = _gateway_keys.limited(KEYS, {}, {})
    assert [(user["requests_per_minute"], user["concurrent"], user["retry_after_seconds"]) for user in users] == [
        (0, 0, 1),
        (0, 0, 1),
    ]


LIMITS: dict[str, tuple[dict[str, t.Any], t.Any, str]] = {
    "unknown": ({"ann": {"tokens": 1}}, {}, "gateway_limits.ann.tokens: is unknown"),
    "no number": ({"ann": {"concurrent": "many"}}, {}, "gateway_limits.ann.concurrent: must be a whole number"),
    "a truth": ({}, {"concurrent": True}, "gateway_default_limits.concurrent: must be a whole number"),
    "no dictionary": ({"ann": 5}, {}, "gateway_limits.ann: must be a dictionary"),
    "nobody": ({"eve": {}}, {}, "gateway_limits.eve: no key has this name"),
}


@pytest.mark.parametrize(("limits", "default", "mistake"), LIMITS.values(), ids=LIMITS)
def test_mistakes_in_limits(limits: dict[str, t.Any], default: t.Any, mistake: str) -> None:
    users, mistakes = _gateway_keys.limited(KEYS, limits, default)
    assert users == []
    assert len(mistakes) == 1
    assert mistake in mistakes[0]
