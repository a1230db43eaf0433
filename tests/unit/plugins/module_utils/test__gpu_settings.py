# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _gpu_settings
from ansible_collections.gpufleet.inference.plugins.module_utils._gpu_settings import changes, mistakes, pending


def card(**more: t.Any) -> dict[str, t.Any]:
    return {
        "index": 0,
        "uuid": "GPU-0",
        "power_limit_mw": 700000,
        "power_constraints_mw": [200000, 700000],
        "ecc": [1, 1],
        "mig": [0, 0],
        "compute_mode": 0,
        "max_clock_sm_mhz": 1980,
        "locked_clocks_mhz": None,
        **more,
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"fan": 1}, "unknown fan"),
        ({"power_limit_w": "700"}, "write watts"),
        ({"power_limit_w": True}, "write watts"),
        ({"power_limit_w": 800}, "takes 200 to 700 W, not 800"),
        ({"power_limit_w": 100}, "takes 200 to 700 W"),
        ({"locked_clocks_mhz": [1980]}, "[least, most]"),
        ({"locked_clocks_mhz": [1500, 1400]}, "[least, most]"),
        ({"locked_clocks_mhz": [1500, 2500]}, "goes to 1980 MHz"),
        ({"ecc": 1}, "true or false"),
        ({"compute_mode": "shared"}, "exclusive_process"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, t.Any], said: str) -> None:
    (sentence,) = mistakes(settings, [card()])
    assert said in sentence


def test_a_card_without_a_setting_is_named() -> None:
    (sentence,) = mistakes({"mig": True}, [card(), card(index=1, mig=None)])
    assert "GPU 1 has no such setting" in sentence
    assert mistakes({"mig": False}, [card(mig=None)]) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, []),
        ({"power_limit_w": 700}, []),
        ({"power_limit_w": 500}, [("power_limit_w", 700.0, 500)]),
        ({"ecc": True, "mig": False, "compute_mode": "default"}, []),
        ({"ecc": False}, [("ecc", True, False)]),
        ({"mig": True}, [("mig", False, True)]),
        ({"compute_mode": "exclusive_process"}, [("compute_mode", "default", "exclusive_process")]),
        ({"locked_clocks_mhz": [1500, 1500]}, [("locked_clocks_mhz", None, [1500, 1500])]),
        ({"locked_clocks_mhz": []}, [("locked_clocks_mhz", None, [])]),
    ],
)
def test_only_what_differs_is_set(settings: dict[str, t.Any], expected: list[tuple[str, t.Any, t.Any]]) -> None:
    assert [(one["setting"], one["before"], one["after"]) for one in changes(settings, card())] == expected


def test_a_pending_mode_is_not_set_again_and_waits_for_a_reset() -> None:
    assert changes({"ecc": False}, card(ecc=[1, 0])) == []
    assert pending(card(ecc=[1, 0])) == ["ecc"]
    assert pending(card()) == []


def test_locked_clocks_are_known_until_the_driver_ends(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "run/gpu_settings.json")
    monkeypatch.setattr(_gpu_settings, "driver_loaded_at", lambda: "100")
    assert _gpu_settings.recorded(path) == {}
    _gpu_settings.remember({"GPU-0": [1500, 1500]}, path)
    assert _gpu_settings.recorded(path) == {"GPU-0": [1500, 1500]}
    monkeypatch.setattr(_gpu_settings, "driver_loaded_at", lambda: "200")
    assert _gpu_settings.recorded(path) == {}
