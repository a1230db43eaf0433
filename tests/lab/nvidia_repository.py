# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.lab.nvidia_repository``: small signed apt repositories of stand-in packages, for the driver's role.

They lie under ``.cache/lab/nvidia``, one flat repository per folder, with the public key ``lab.pub`` and its fingerprint
in ``fingerprint``; each is also one archive, to be sent. ``bundle`` holds packages for nodes without a network. A file
``inputs`` says what they were made from; nothing is made twice.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pathlib
import shutil
import sys
import tarfile
import tempfile

from tests.lab import nvidia_packages, paths
from tests.lab.nvidia_packages import Package
from tests.lab.shell import LabError, install, run, say

ROOT = paths.CACHE / "nvidia"
#: The archives' times: the same bytes at every build.
EPOCH = 1_767_225_600
DATE = "Thu, 01 Jan 2026 00:00:00 UTC"


def control(package: Package) -> str:
    """Return the control file of a package."""
    fields = {
        "Package": package.name,
        "Version": package.version,
        "Architecture": "amd64",
        "Maintainer": "gpufleet lab <lab@example.com>",
        "Section": "lab",
        "Priority": "optional",
        "Depends": package.depends,
        **dict(package.more),
        "Description": f"{package.summary or 'Lab stand-in'} ({package.name} {package.version} of the gpufleet lab)",
    }
    text = "".join(f"{key}: {value}\n" for key, value in fields.items() if value)
    return f"{text} A stand-in for a package of NVIDIA: it has its name, version and relations, and no driver inside.\n"


def deb(package: Package) -> bytes:
    """Return the package file: an ar archive of a version, control.tar.gz and data.tar.gz (deb(5))."""
    said = f"{package.name} {package.version}: stand-in of the gpufleet lab\n"
    data = {f"usr/share/doc/{package.name}/stand-in": said, **package.files}
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", tar({"control": control(package)})),
        ("data.tar.gz", tar(data)),
    ]
    packed = b"!<arch>\n"
    for name, content in members:
        header = f"{name:<16}{EPOCH:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        packed += header.encode("ascii") + content + (b"\n" if len(content) % 2 else b"")
    return packed


def tar(files: dict[str, str]) -> bytes:
    """Return a gzipped tar of text files with their parent directories, owned by root."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folders = {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents}
        for folder in sorted(folders):
            entry = tarfile.TarInfo(f"./{folder}" if folder != "." else "./")
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, EPOCH
            archive.addfile(entry)
        for path, text in sorted(files.items()):
            entry = tarfile.TarInfo(f"./{path}")
            entry.mode, entry.mtime, entry.size = 0o755 if "bin/" in path else 0o644, EPOCH, len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(plain.getvalue(), mtime=EPOCH)


def stanza(package: Package, name: str, content: bytes) -> str:
    """Return the package's paragraph in the index."""
    digest = hashlib.sha256(content).hexdigest()
    return f"{control(package)}Filename: ./{name}\nSize: {len(content)}\nSHA256: {digest}\n"


def release(folder: str, index: bytes) -> str:
    """Return the Release file of a flat repository."""
    lines = "".join(
        f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n"
        for name, content in (("Packages", index), ("Packages.gz", gzip.compress(index, mtime=EPOCH)))
    )
    return f"Origin: gpufleet lab\nLabel: stand-ins\nSuite: {folder}\nDate: {DATE}\nSHA256:\n{lines}"


def write(folder: str, packages: list[Package], home: pathlib.Path) -> None:
    """Write one flat repository and sign it."""
    target = ROOT / folder
    target.mkdir(parents=True)
    paragraphs = []
    for package in {(one.name, one.version): one for one in packages}.values():
        name, content = f"{package.name}_{package.version}_amd64.deb", deb(package)
        (target / name).write_bytes(content)
        paragraphs.append(stanza(package, name, content))
    index = "\n".join(paragraphs).encode()
    (target / "Packages").write_bytes(index)
    (target / "Packages.gz").write_bytes(gzip.compress(index, mtime=EPOCH))
    (target / "Release").write_text(release(folder, index), encoding="utf-8")
    gpg(home, "--yes", "--clearsign", "--output", str(target / "InRelease"), str(target / "Release"))
    shutil.copy(ROOT / "lab.pub", target / "lab.pub")
    with tarfile.open(ROOT / f"{folder}.tar", "w") as archive:
        archive.add(target, folder)


def gpg(home: pathlib.Path, *arguments: str) -> str:
    """Run GnuPG with the lab's own key ring."""
    return run(["gpg", "--homedir", str(home), "--batch", "--quiet", *arguments])


def make_key(home: pathlib.Path) -> None:
    """Make the signing key, and write its public half and fingerprint."""
    gpg(home, "--passphrase", "", "--quick-generate-key", "gpufleet lab stand-ins", "ed25519", "sign", "never")
    (ROOT / "lab.pub").write_text(gpg(home, "--armor", "--export"), encoding="ascii")
    listed = gpg(home, "--with-colons", "--list-keys").splitlines()
    fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
    (ROOT / "fingerprint").write_text(f"{fingerprint}\n", encoding="ascii")


def inputs() -> str:
    """Return the hash of everything that the repositories are made from."""
    sources = [pathlib.Path(__file__), pathlib.Path(nvidia_packages.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def build() -> None:
    """Make the repositories when they are missing or their inputs changed."""
    made = ROOT / "inputs"
    if made.is_file() and made.read_text(encoding="ascii") == inputs():
        return
    say("making the stand-ins of NVIDIA's repositories")
    install("gpg", ["gnupg"])
    if ROOT.exists():
        shutil.rmtree(ROOT)
    ROOT.mkdir(parents=True)
    # The private key is gone when the repositories are signed.
    with tempfile.TemporaryDirectory(prefix="gpufleet-gpg-") as scratch:
        home = pathlib.Path(scratch)
        make_key(home)
        for folder, packages in nvidia_packages.REPOSITORIES.items():
            write(folder, packages(), home)
        run(["gpgconf", "--homedir", scratch, "--kill", "gpg-agent"])
    for folder in ("debian12", "debian13"):
        target = ROOT / "bundle" / folder
        target.mkdir(parents=True)
        for package in nvidia_packages.bundle(folder):
            (target / f"{package.name}.deb").write_bytes(deb(package))
    made.write_text(inputs(), encoding="ascii")


if __name__ == "__main__":
    try:
        build()
    except LabError as error:
        sys.exit(f"lab: error: {error}")
