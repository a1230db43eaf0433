# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parents[4] / "roles/load_test/files/load_test_run.py"
TELL = "import os, sys; print(os.environ.get('OPENAI_API_KEY'), os.environ.get('SSL_CERT_FILE'), os.environ['NO_PROXY'], sys.argv[1:])"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def test_the_key_comes_by_a_file_and_goes_by_the_environment(tmp_path: pathlib.Path) -> None:
    key = tmp_path / "0.key"
    key.write_text("secret\n", encoding="utf-8")
    found = run(
        "--key-file", str(key), "--ca-file", "/ca.crt", "--", sys.executable, "-c", TELL, "bench", "--seed", "1"
    )
    assert found.stdout == "secret /ca.crt * ['bench', '--seed', '1']\n"
    assert found.returncode == 0


def test_a_key_of_the_image_is_not_sent(tmp_path: pathlib.Path) -> None:
    found = run("--", sys.executable, "-c", TELL, OPENAI_API_KEY="of somebody else")
    assert found.stdout.startswith("None ")


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_key_is_refused_before_anything_is_sent(tmp_path: pathlib.Path, text: str) -> None:
    key = tmp_path / "0.key"
    key.write_text(text, encoding="utf-8")
    found = run("--key-file", str(key), "--", sys.executable, "-c", TELL)
    assert found.returncode != 0 and "is empty" in found.stderr and found.stdout == ""


def test_a_tool_that_is_missing_is_named() -> None:
    found = run("--", "/nowhere/vllm")
    assert found.returncode == 1
    assert found.stderr == "/nowhere/vllm cannot be started: No such file or directory\n"


def test_the_end_of_the_tool_is_the_end_of_the_script() -> None:
    assert run("--", sys.executable, "-c", "import sys; sys.exit(3)").returncode == 3
