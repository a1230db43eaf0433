# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value that could not be read is told from every value that could."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils._unread import (
    is_unread,
    not_supported,
    unread,
    value_or_none,
)


@pytest.mark.parametrize("value", [0, "", None, False, [], {}, {"code": 3}, "unread", [1]])
def test_values_are_values(value: t.Any) -> None:
    assert not is_unread(value)
    assert not not_supported(value)
    assert value_or_none(value) is value


@pytest.mark.parametrize(
    ("mark", "missing_by_design"),
    [
        (unread("NVMLError_NotSupported", 3), True),
        (unread("NVMLError_GpuIsLost", 15), False),
        (unread("NVMLError_FunctionNotFound", 13), False),
        (unread("NotReached"), False),
    ],
)
def test_marks(mark: dict[str, t.Any], missing_by_design: bool) -> None:
    assert is_unread(mark)
    assert not_supported(mark) is missing_by_design
    assert value_or_none(mark) is None


def test_the_shape() -> None:
    assert unread("NVMLError_Unknown", 999) == {"unread": "NVMLError_Unknown", "code": 999}
    assert unread("NotReached") == {"unread": "NotReached", "code": -1}
