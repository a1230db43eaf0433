# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.gpufleet.inference.plugins.filter.chat_ui_plan import FilterModule

WISHES: dict[str, t.Any] = {
    **dict.fromkeys(("url", "api_key_name", "image", "wheel_archive", "python", "data_directory"), ""),
    **{key: [] for key in ("endpoints", "allowed_addresses", "images")},
    **dict.fromkeys(("keys_text", "admin_password", "session_key", "secrets_text")),
    "admin_email": "a@b",
    "environment": {},
    "gateway": {},
    "port": 1,
    "local_port": 2,
    "wheel_archive_found": False,
}


def test_the_filter_is_the_plan() -> None:
    plan = FilterModule().filters()["chat_ui_plan"]({}, WISHES)
    assert plan["form"] == "venv"
    assert len(plan["mistakes"]) == 1
    assert "neither Python 3.11 nor 3.12" in plan["mistakes"][0]
