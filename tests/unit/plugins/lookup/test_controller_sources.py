# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup as Ansible loads it: wishes in, one answer out."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader


def lookup(**options: t.Any) -> t.Any:
    """Return the one answer of the plugin."""
    [answer] = lookup_loader.get("gpufleet.inference.controller_sources").run([], {}, **options)
    return answer


def test_nothing_asked_is_nothing_seen() -> None:
    assert lookup() == {"models": {}, "images": {}}


def test_models_and_images_are_looked_at(tmp_path: pathlib.Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"a": 1}))
    seen = lookup(
        models=[{"name": "tiny", "source": str(tmp_path)}, {"name": "there"}],
        images=[{"name": "engine:1", "archive": str(tmp_path / "none.tar")}],
    )
    assert seen["models"]["tiny"]["config"] == {"a": 1}
    assert seen["models"]["tiny"]["directory"] == "/var/lib/gpufleet/models/tiny"
    assert seen["models"]["there"]["kind"] == "node"
    assert "does not exist on the controller" in seen["images"]["engine:1"]["archive_problem"]


def test_the_model_directory_is_an_option() -> None:
    assert lookup(models=[{"name": "m"}], model_directory="/data")["models"]["m"]["directory"] == "/data/m"


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(AnsibleError, match="models"):
        lookup(models=3)
