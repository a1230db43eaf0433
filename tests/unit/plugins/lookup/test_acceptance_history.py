# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader

from tests.unit.plugins.plugin_utils import acceptance_samples as samples


def look(**options: object) -> dict[str, object]:
    (found,) = lookup_loader.get("gpufleet.inference.acceptance_history").run([], None, **options)
    return dict(found)


def test_what_is_known_from_before(tmp_path: pathlib.Path) -> None:
    old = samples.document(samples.healthy(started="2026-11-20T00:00:00Z"))
    (tmp_path / "20261120T000000Z").mkdir()
    (tmp_path / "20261120T000000Z/acceptance.json").write_text(json.dumps(old))
    found = look(run=samples.healthy(), directory=str(tmp_path))
    assert found["previous"] == json.loads(json.dumps(old))
    assert (found["baseline"], found["root"]) == ({}, str(tmp_path))


def test_a_run_in_another_form_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(AnsibleLookupError, match="no ISO 8601 time"):
        look(run=samples.healthy(started="soon"), directory=str(tmp_path))
