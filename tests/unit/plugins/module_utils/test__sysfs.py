# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _sysfs


def test_what_cannot_be_read_is_told_apart(tmp_path: pathlib.Path) -> None:
    (tmp_path / "there").write_text(" 4: ACTIVE\n")
    assert _sysfs.attempt(f"{tmp_path}/there") == ("4: ACTIVE", "")
    assert _sysfs.attempt(f"{tmp_path}/nowhere") == (None, "ENOENT")
    assert _sysfs.attempt(str(tmp_path)) == (None, "EISDIR")
    assert _sysfs.text(f"{tmp_path}/nowhere") is None
    assert _sysfs.names(f"{tmp_path}/nowhere") == []


@pytest.mark.parametrize(
    ("said", "base", "value"), [("0x1c", 0, 28), ("-1", 10, -1), ("", 10, None), (None, 0, None), ("x", 10, None)]
)
def test_numbers(said: str | None, base: int, value: int | None) -> None:
    assert _sysfs.number(said, base) == value


@pytest.mark.parametrize(
    ("names", "last"),
    [
        (["6.1.0-9-amd64", "6.1.0-20-amd64", "5.10.0-30-amd64"], "6.1.0-20-amd64"),
        (["mlx5_10", "mlx5_9", "mlx5_bond_0"], "mlx5_bond_0"),
        (["mlx5_10", "mlx5_9"], "mlx5_10"),
    ],
)
def test_natural_order(names: list[str], last: str) -> None:
    assert sorted(names, key=_sysfs.natural)[-1] == last


@pytest.mark.parametrize(
    ("said", "speed"),
    [("32.0 GT/s PCIe", 32.0), ("2.5 GT/s PCIe", 2.5), ("16 GT/s", 16.0), ("Unknown", None), (None, None)],
)
def test_speed(said: str | None, speed: float | None) -> None:
    assert _sysfs.speed_gts(said) == speed


@pytest.mark.parametrize(("said", "lanes"), [("16", 16), ("0", None), ("255", None), (None, None), ("?", None)])
def test_width(said: str | None, lanes: int | None) -> None:
    assert _sysfs.link_width(said) == lanes


def test_components_are_those_below_devices(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sys/devices/pci0000:15/0000:15:01.0").mkdir(parents=True)
    (tmp_path / "link").symlink_to("sys/devices/pci0000:15/0000:15:01.0")
    assert _sysfs.components(str(tmp_path), f"{tmp_path}/link") == ["pci0000:15", "0000:15:01.0"]
    assert _sysfs.components(str(tmp_path), f"{tmp_path}/sys") == []
    assert _sysfs.components(str(tmp_path), f"{tmp_path}/nowhere") == []
    assert (_sysfs.link_name(f"{tmp_path}/link"), _sysfs.link_name(str(tmp_path))) == ("0000:15:01.0", "")
