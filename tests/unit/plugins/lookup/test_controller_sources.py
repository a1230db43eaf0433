# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup with the defaults of its documentation: wishes in, one answer out."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError

from ansible_collections.gpufleet.inference.plugins.lookup import controller_sources


@pytest.fixture
def lookup() -> t.Callable[..., t.Any]:
    """Return ``lookup(**options)``: the one answer of the plugin, set up as Ansible's loader does."""
    name = "controller_sources"
    documented = yaml.safe_load(controller_sources.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", name, documented)

    def run(**options: t.Any) -> t.Any:
        plugin = controller_sources.LookupModule()
        plugin._load_name = name
        [answer] = plugin.run([], {}, **options)
        return answer

    return run


def test_nothing_asked_is_nothing_seen(lookup: t.Callable[..., t.Any]) -> None:
    assert lookup() == {"models": {}, "images": {}}


def test_models_and_images_are_looked_at(lookup: t.Callable[..., t.Any], tmp_path: pathlib.Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"a": 1}))
    seen = lookup(
        models=[{"name": "tiny", "source": str(tmp_path)}, {"name": "there"}],
        images=[{"name": "engine:1", "archive": str(tmp_path / "none.tar")}],
    )
    assert seen["models"]["tiny"]["config"] == {"a": 1}
    assert seen["models"]["tiny"]["directory"] == "/var/lib/gpufleet/models/tiny"
    assert seen["models"]["there"]["kind"] == "node"
    assert "does not exist on the controller" in seen["images"]["engine:1"]["archive_problem"]


def test_the_model_directory_is_an_option(lookup: t.Callable[..., t.Any]) -> None:
    assert lookup(models=[{"name": "m"}], model_directory="/data")["models"]["m"]["directory"] == "/data/m"


def test_a_wrong_option_is_refused(lookup: t.Callable[..., t.Any]) -> None:
    with pytest.raises(AnsibleError, match="models"):
        lookup(models=3)
