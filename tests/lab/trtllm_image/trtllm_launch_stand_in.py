#!/usr/bin/python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs in the lab's image only, where mpi4py is.
# mypy: disable-error-code="import-not-found"

"""LAB ONLY: a stand-in for TensorRT-LLM's trtllm-llmapi-launch, under the real mpirun.

usage: trtllm-llmapi-launch PROGRAM WORD...

As the real one: every process joins the MPI world; rank 0 runs the program beside, cut at spaces and without the variables
of MPI, and the others wait. As releases that stop at the first failed command, it stays when the program fails.
It hands the world to the program in GPUFLEET_LAB_WORLD: JSON [{rank, host, gloo}], asked of all ranks by MPI.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

#: Variables of MPI, which a program beside an MPI process must not have.
OF_MPI = ("OMPI_", "PMIX_", "PMI_", "SLURM_", "MPI_", "UCX_")

END = 7


def cleaned(environment: dict[str, str], size: int, world: object) -> dict[str, str]:
    """Return the environment of the program."""
    kept = {name: value for name, value in environment.items() if not name.startswith(OF_MPI)}
    return {**kept, "tllm_mpi_size": str(size), "GPUFLEET_LAB_WORLD": json.dumps(world)}


def cut(words: list[str]) -> list[str]:
    """Return the program's words as the real one runs them: unquoted, so that spaces cut."""
    return " ".join(words).split()


def main(words: list[str]) -> int:
    """Take part in the world; return the exit status."""
    if "OMPI_COMM_WORLD_SIZE" not in os.environ:
        print("stand-in: not started by mpirun", file=sys.stderr)
        return 1
    from mpi4py import MPI

    everybody = MPI.COMM_WORLD
    rank, size = everybody.Get_rank(), everybody.Get_size()
    if size != int(os.environ["OMPI_COMM_WORLD_SIZE"]):
        print(f"stand-in: MPI counts {size} processes, mpirun {os.environ['OMPI_COMM_WORLD_SIZE']}", file=sys.stderr)
        return 1
    own = {"rank": rank, "host": socket.gethostname(), "gloo": os.environ.get("GLOO_SOCKET_IFNAME", "")}
    world = everybody.allgather(own)
    print(f"stand-in: rank {rank} of {size} on {own['host']}", file=sys.stderr, flush=True)
    if rank:
        # Open MPI's own waiting takes a whole core.
        while not everybody.iprobe(source=0, tag=END):
            time.sleep(0.2)
        return 0
    status = subprocess.run(cut(words), env=cleaned(dict(os.environ), size, world), check=False).returncode
    if status:
        print(f"stand-in: the program ended with {status}, and the launcher stays", file=sys.stderr, flush=True)
        while True:
            time.sleep(60)
    for other in range(1, size):
        everybody.send(None, dest=other, tag=END)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
