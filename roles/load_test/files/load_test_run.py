#!/usr/bin/env python3
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Become the load generator, with the API key in its environment and nowhere else.

``load_test_run.py [--key-file FILE] [--ca-file FILE] -- COMMAND...``. A key among the arguments of `docker run` would stand in
`docker inspect`, and one among the arguments of the tool in the process list; so it comes by a file that only root reads.
"""

from __future__ import annotations

import argparse
import os
import sys


def environment(base: dict[str, str], key: str, ca_path: str) -> dict[str, str]:
    """Return the environment of the tool: the names are those that vLLM's benchmark and OpenSSL read."""
    found = dict(base)
    # A key of whoever built the image is not ours to send.
    found.pop("OPENAI_API_KEY", None)
    if key:
        found["OPENAI_API_KEY"] = key
    if ca_path:
        found["SSL_CERT_FILE"] = ca_path
    # The endpoint is asked directly: the tool obeys the proxy variables of its environment.
    return {**found, "NO_PROXY": "*", "no_proxy": "*"}


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--key-file", default="")
    parser.add_argument("--ca-file", default="")
    parser.add_argument("command", nargs="+")
    wish = parser.parse_args(words)
    key = ""
    if wish.key_file:
        with open(wish.key_file, encoding="utf-8") as file:
            key = file.read().strip()
        if not key:
            sys.exit(f"{wish.key_file} is empty")
    try:
        os.execvpe(wish.command[0], wish.command, environment(dict(os.environ), key, wish.ca_file))
    except OSError as error:
        sys.exit(f"{wish.command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
