# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A value that could not be read, as plain data: it can be sent as JSON, and nobody takes it for a zero.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

#: NVML_ERROR_NOT_SUPPORTED, nvml.h: this card does not have it. Every other code means that nobody could look.
NOT_SUPPORTED = 3

#: The code of what failed outside the library that was asked.
OUTSIDE = -1


def unread(name: str, code: int = OUTSIDE) -> dict[str, t.Any]:
    """Return the mark of a value that could not be read: the name of the error and its number."""
    return {"unread": name, "code": code}


def is_unread(value: t.Any) -> bool:
    """Tell whether a value is such a mark."""
    return isinstance(value, dict) and "unread" in value


def not_supported(value: t.Any) -> bool:
    """Tell whether a value is missing because the card does not have it, which is no fault."""
    return is_unread(value) and value["code"] == NOT_SUPPORTED


def value_or_none(value: t.Any) -> t.Any:
    """Return the value, or None for one that could not be read."""
    return None if is_unread(value) else value
