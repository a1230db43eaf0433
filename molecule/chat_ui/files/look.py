# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at the chat page of this host from beside it, and print what was seen as JSON. Secrets are on stdin, one per line."""

from __future__ import annotations

import glob
import json
import pathlib
import pwd
import re
import subprocess
import sys

UNIT = "gpufleet-chat.service"


def said(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


def holders(secrets: list[str]) -> list[str]:
    """Return command lines, units, open settings and logs that hold a secret."""
    patterns = ("/proc/[0-9]*/cmdline", "/etc/systemd/system/*.service", "/etc/gpufleet/chat_ui/settings.env")
    texts = {path: pathlib.Path(path).read_bytes().decode("utf-8", "replace") for path in _existing(patterns)}
    texts["journal"] = said("journalctl", "--no-pager", "--quiet")
    texts["unit"] = said("systemctl", "show", UNIT)
    return sorted(name for name, text in texts.items() if any(secret in text for secret in secrets))


def _existing(patterns: tuple[str, ...]) -> list[str]:
    return [path for pattern in patterns for path in glob.glob(pattern) if pathlib.Path(path).is_file()]


def peers() -> list[str]:
    """Return the addresses with which processes of the page have connections, loopback aside."""
    pid = said("systemctl", "show", "--property=MainPID", "--value", UNIT).strip()
    lines = [
        line
        for line in said("ss", "--tcp", "--numeric", "--processes", "--no-header").splitlines()
        if f"pid={pid}," in line
    ]
    ends = {line.split()[4].rpartition(":")[0] for line in lines}
    return sorted(end for end in ends if not re.match(r"\[?(127\.|::1|::ffff:127\.)", end))


def main() -> None:
    secrets = [line.strip() for line in sys.stdin if line.strip()]
    pid = said("systemctl", "show", "--property=MainPID", "--value", UNIT).strip()
    listening = [
        line.split()[3] for line in said("ss", "--tcp", "--listening", "--numeric", "--no-header").splitlines()
    ]
    seen = {
        "secrets": len(secrets),
        "holders": holders(secrets),
        "mode": oct(pathlib.Path("/etc/gpufleet/chat_ui/secrets.env").stat().st_mode & 0o777),
        "user": pwd.getpwuid(pathlib.Path(f"/proc/{pid}").stat().st_uid).pw_name,
        "listening": [one for one in listening if one.endswith(":8480")],
        "peers": peers(),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
