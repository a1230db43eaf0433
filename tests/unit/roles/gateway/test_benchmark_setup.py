# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark renders the role's templates outside of Ansible, so a variable that they gained must reach it too."""

from __future__ import annotations

import hashlib
import pathlib

from benchmarks import gateway_setup


def test_the_role_s_templates_render(tmp_path: pathlib.Path) -> None:
    gateway_setup.haproxy(tmp_path, [{"name": "one", "served_name": "m", "upstreams": ["127.0.0.1:8000"]}], 8443)
    text = (tmp_path / "haproxy.cfg").read_text(encoding="utf-8")
    assert "server one" in text
    assert ":8443" in text
    digest = hashlib.sha256(gateway_setup.KEY.encode()).hexdigest().upper()
    assert digest in (tmp_path / "keys.map").read_text(encoding="utf-8")
