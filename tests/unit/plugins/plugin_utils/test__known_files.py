# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is left alone only when every wanted path is known to be as wanted."""

from __future__ import annotations

import hashlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.plugin_utils._known_files import differing

TEXT = "größe = 1\n"
FILE = {"path": "/etc/a", "content": TEXT}
KNOWN = {
    "kind": "file",
    "mode": "0644",
    "owner": "root",
    "group": "root",
    "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
}
DIRECTORY = {"path": "/etc/d", "mode": "0750"}
KNOWN_DIRECTORY = {"kind": "directory", "mode": "0750", "owner": "root", "group": "root"}


def test_all_as_wanted() -> None:
    known = {"/etc/a": KNOWN, "/etc/d": KNOWN_DIRECTORY, "/etc/gone": {"kind": "absent"}, "/etc/other": KNOWN}
    gone = {"path": "/etc/gone", "state": "absent", "content": "left over"}
    assert differing([DIRECTORY, {"path": "/etc/gone", "state": "absent"}], [FILE, gone], known) == []


@pytest.mark.parametrize(
    ("item", "known"),
    [
        (FILE, {}),
        (FILE, {"kind": "absent"}),
        (FILE, KNOWN_DIRECTORY),
        (FILE, {**KNOWN, "mode": "0600"}),
        (FILE, {**KNOWN, "owner": "nobody"}),
        (FILE, {**KNOWN, "group": "nogroup"}),
        (FILE, {**KNOWN, "sha256": "0" * 64}),
        ({**FILE, "content": TEXT.rstrip()}, KNOWN),
        ({**FILE, "mode": "0600"}, KNOWN),
        ({**FILE, "owner": "nobody"}, KNOWN),
        ({**FILE, "state": "absent"}, KNOWN),
        ({**FILE, "secret": True}, KNOWN),
        ({"path": "/etc/a"}, KNOWN),
    ],
)
def test_a_file_that_must_be_compared_on_the_node(item: dict[str, t.Any], known: dict[str, t.Any]) -> None:
    assert differing([], [item], {"/etc/a": known}) == ["/etc/a"]


@pytest.mark.parametrize("known", [{"kind": "absent"}, KNOWN, {**KNOWN_DIRECTORY, "mode": "0755"}])
def test_a_directory_that_must_be_compared_on_the_node(known: dict[str, t.Any]) -> None:
    assert differing([DIRECTORY], [], {"/etc/d": known}) == ["/etc/d"]
