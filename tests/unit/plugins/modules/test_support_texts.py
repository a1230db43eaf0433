# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.gpufleet.inference.plugins.module_utils import _support

Run = t.Callable[..., dict[str, t.Any]]


def test_it_returns_what_was_read(run_module: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_support, "texts", lambda lines: {"uname.txt": f"{lines} lines"})
    result = run_module("support_texts", lines=7)
    assert (result["changed"], result["texts"]) == (False, {"uname.txt": "7 lines"})
