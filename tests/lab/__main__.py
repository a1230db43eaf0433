# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.lab COMMAND``: see README.md beside this file."""

from __future__ import annotations

import sys
import typing as t

from tests.lab import (
    engine_build,
    engine_daemon,
    host_image,
    hosts,
    model,
    paths,
    privilege,
    status,
    trtllm_build,
    trtllm_proof,
)
from tests.lab.shell import LabError

USAGE = """usage: python -m tests.lab COMMAND
  docker                      make sure that a Docker Engine answers
  docker-stop                 stop it, when the lab started it
  host-image bookworm|trixie  build the image of a bare host
  up HOST...                  bring hosts up (lab1 ... lab8, mol-bookworm, mol-trixie)
  down HOST...|--all          remove hosts and their volumes
  reboot HOST...              restart hosts
  engine-image                build the lab's CPU engine image (vLLM, SGLang) and its archive
  trtllm-image                build the image of Open MPI, OpenSSH and stand-ins for TensorRT-LLM
  trtllm-proof                run our plan of tensorrt_llm on two containers of it
  model                       make the tiny models: DeepSeek-V3, Llama, Qwen2
  status                      what there is"""


def main(arguments: list[str]) -> int:
    """Run one command and return the exit status."""
    commands: dict[str, t.Callable[[list[str]], None]] = {
        "docker": lambda rest: engine_daemon.ensure(),
        "docker-stop": lambda rest: engine_daemon.stop(),
        "host-image": lambda rest: host_image.build(" ".join(rest)),
        "up": hosts.up,
        "down": hosts.down,
        "reboot": hosts.reboot,
        "engine-image": lambda rest: engine_build.build(),
        "trtllm-image": lambda rest: trtllm_build.build(),
        "trtllm-proof": lambda rest: trtllm_proof.prove(),
        "model": lambda rest: model.make(),
        "status": lambda rest: status.show(),
    }
    if not arguments or arguments[0] not in commands:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        commands[arguments[0]](arguments[1:])
    except LabError as error:
        print(f"lab: error: {error}", file=sys.stderr)
        return 1
    finally:
        privilege.give_back(paths.CACHE)
    return 0


if __name__ == "__main__":
    privilege.become_root("tests.lab")
    sys.exit(main(sys.argv[1:]))
