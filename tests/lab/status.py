# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab has now."""

from __future__ import annotations

from tests.lab import engine_build, engine_daemon, hosts, model, paths, platforms


def show() -> None:
    """Print the Docker Engine, the engine image, the model, and every host that exists."""
    answering = engine_daemon.answers()
    print(f"docker engine: {'answers' if answering else 'does not answer'}")
    print(f"engine image:  {paths.read_json(engine_build.RECORD).get('id', 'not built')}")
    made = [name for name in model.NAMES if model.record(name).exists()]
    print(f"models:        {', '.join(made) or 'not made'}")
    if answering:
        for host in platforms.HOSTS.values():
            state = hosts.container_state(host)
            if state:
                print(f"{host.name:14} {host.platform:10} {host.address:12} {state}")
