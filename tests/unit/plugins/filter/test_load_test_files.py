# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpufleet.inference.plugins.filter import load_test_files
from tests.unit.plugins.plugin_utils import load_samples as samples

files = load_test_files.FilterModule().filters()["load_test_files"]
KEYS = "# who may\nalice:aaaaaaaaaaaaaaaaaaaaaaaa\nbob:bbbbbbbbbbbbbbbbbbbbbbbb\n"
TEXTS = {"/secrets/keys": KEYS, "/secrets/ca.crt": "-----BEGIN CERTIFICATE-----\n"}


def test_one_key_goes_to_the_host_and_nobody_else_reads_it() -> None:
    key, authority = files([samples.target("a engine"), samples.target()], TEXTS, "/d")
    assert key == {"path": "/d/keys/1.key", "content": "aaaaaaaaaaaaaaaaaaaaaaaa\n", "mode": "0600", "secret": True}
    assert (authority["path"], authority["content"], authority["secret"]) == (
        "/d/keys/1.crt",
        TEXTS["/secrets/ca.crt"],
        False,
    )


def test_an_engine_needs_no_file() -> None:
    assert files([samples.target("a engine")], {}, "/d") == []


def test_a_file_without_a_key_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="/secrets/keys holds no key"):
        files([samples.target()], {**TEXTS, "/secrets/keys": "# none\n"}, "/d")
