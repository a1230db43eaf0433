# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run ``chat.py`` in an environment of its own below ``.cache``, made from ``requirements/browser.txt``.

python -m tests.browser URL EMAIL MODEL PICTURE < password
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = ROOT / "requirements" / "browser.txt"
FOLDER = ROOT / ".cache" / "browser"
INSTALL_SECONDS = 600
RUN_SECONDS = 300


def python() -> pathlib.Path:
    """Return the interpreter of the environment; makes it when it is missing or out of date."""
    interpreter, stamp = FOLDER / "bin" / "python", FOLDER / "made-from"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == digest:
        return interpreter
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    for argv in ([sys.executable, "-m", "venv", "--clear", str(FOLDER)], [*pip, "-r", str(REQUIREMENTS)]):
        subprocess.run(argv, check=True, timeout=INSTALL_SECONDS)
    stamp.write_text(digest, encoding="utf-8")
    return interpreter


def main(words: list[str]) -> int:
    if shutil.which("chromium") is None:
        print("There is no chromium here. Remedy: apt-get install chromium", file=sys.stderr)
        return 1
    script = pathlib.Path(__file__).with_name("chat.py")
    return subprocess.run([str(python()), str(script), *words], check=False, timeout=RUN_SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
