# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess

SCRIPT = pathlib.Path(__file__).parents[4] / "roles/gateway/files/acme_deploy.sh"


def test_the_certificate_is_put_where_the_gateway_reads_it_and_the_gateway_reloaded(tmp_path: pathlib.Path) -> None:
    lineage, certificates, tools = tmp_path / "live", tmp_path / "certificates", tmp_path / "bin"
    for directory in (lineage, certificates, tools):
        directory.mkdir()
    (lineage / "privkey.pem").write_text("key", encoding="utf-8")
    (lineage / "fullchain.pem").write_text("chain", encoding="utf-8")
    systemctl = tools / "systemctl"
    systemctl.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n', encoding="utf-8")
    systemctl.chmod(0o755)
    script = tmp_path / "acme_deploy.sh"
    text = SCRIPT.read_text(encoding="utf-8")
    script.write_text(text.replace("/etc/gpufleet/gateway/certificates", str(certificates)), encoding="utf-8")
    environment = {"RENEWED_LINEAGE": str(lineage), "PATH": f"{tools}:/usr/bin:/bin"}
    subprocess.run(["/bin/sh", str(script)], check=True, timeout=60, env=environment)
    assert (certificates / "acme.pem").read_text(encoding="utf-8") == "chain"
    assert (certificates / "acme.pem.key").read_text(encoding="utf-8") == "key"
    assert (certificates / "acme.pem.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "called").read_text(encoding="utf-8") == "reload gpufleet-gateway.service\n"
