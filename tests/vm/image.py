# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk of all guests: Debian 12 with its stock kernel, GRUB, systemd, sshd, Python and the RDMA tools.

Made by mmdebstrap from this machine's own apt sources; where this machine is no Debian, from mmdebstrap's default archive.
"""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import tempfile
import typing as t

from tests.lab import apt_sources
from tests.lab import paths as lab_paths
from tests.lab.shell import install, run
from tests.vm import disk, paths, ssh
from tests.vm.say import say

RELEASE = "bookworm"
MEBIBYTES = 1400
FILES = pathlib.Path(__file__).parent / "image_files"

#: The kernel's own initramfs and boot loader tools are what is proven; systemd-timesyncd, as guests have no network to
#: install it from.
PACKAGES = (
    "linux-image-amd64 initramfs-tools zstd grub-pc systemd systemd-sysv systemd-timesyncd udev dbus openssh-server "
    "python3 python3-apt kmod iproute2 procps pciutils rdma-core ibverbs-providers ibverbs-utils infiniband-diags perftest"
)
#: Modules that no guest here has a device for, and papers: a third of the bytes.
LEFT_OUT = (
    *(f"/lib/modules/*/kernel/{one}/*" for one in ("sound", "drivers/staging", "drivers/net/wireless")),
    *(f"/usr/share/{one}/*" for one in ("doc", "man", "locale", "i18n")),
)
#: Before the kernel comes: which modules its initial RAM disk holds. A list keeps every rebuild short under emulation.
PREPARE = """set -e
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\\n' > "$1/etc/initramfs-tools/conf.d/gpufleet-vm"
printf '%s\\n' virtio_pci virtio_blk ext4 > "$1/usr/share/initramfs-tools/modules.d/gpufleet-vm"
"""
#: Modules in GRUB's core image: what it takes to reach /boot/grub, where the others are.
GRUB_MODULES = ("biosdisk", "part_msdos", "ext2", "normal")
#: Guests have no network: no name server, no package sources, nothing that would work for itself while we look.
#: rdma-core loads modules when it sees a device; here the role's modules-load.d has to.
FINISH = f"""
chmod 0600 "$1/etc/ssh/ssh_host_ed25519_key" "$1/root/.ssh/authorized_keys"
chmod 0755 "$1/usr/local/sbin/"*
rm -f "$1/etc/apt/sources.list" "$1/etc/apt/sources.list.d/"*
: > "$1/etc/resolv.conf"
echo gpufleet-vm > "$1/etc/hostname"
echo 67706600000000000000000000000001 > "$1/etc/machine-id"
rm -f "$1/etc/ssh/ssh_host_rsa_key"* "$1/etc/ssh/ssh_host_ecdsa_key"*
cp "$1/usr/lib/grub/i386-pc/"*.mod "$1/usr/lib/grub/i386-pc/"*.lst "$1/boot/grub/i386-pc/"
chroot "$1" grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o /boot/grub/i386-pc/core.img {" ".join(GRUB_MODULES)}
chroot "$1" systemctl --quiet enable systemd-networkd.service ssh.service gpufleet-vm-rxe.service
chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
chroot "$1" systemctl --quiet mask rdma-load-modules@rdma.service rdma-load-modules@roce.service
"""


def build() -> None:
    """Make the disk when it is missing or its inputs changed."""
    install("qemu-system-x86_64", ["qemu-system-x86"])
    ssh.ensure_keys()
    sources, options = _sources(), apt_sources.shared_options(run(["apt-config", "dump"]))
    inputs = digest(sources, options)
    if paths.DISK.exists() and lab_paths.read_json(paths.RECORD).get("inputs") == inputs:
        return
    say("making the disk of the guests")
    install("mmdebstrap", ["mmdebstrap", "debian-archive-keyring"])
    install("mke2fs", ["e2fsprogs"])
    paths.RECORD.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpufleet-vm-") as scratch:
        tree = pathlib.Path(scratch, "root")
        _bootstrap(pathlib.Path(scratch), tree, sources, options)
        grub = tree / "boot/grub/i386-pc"
        boot_code = (tree / "usr/lib/grub/i386-pc/boot.img").read_bytes()
        # A guest that still runs keeps the disk that it has.
        fresh = paths.DISK.with_suffix(".new")
        disk.write(fresh, tree, boot_code, (grub / "core.img").read_bytes(), MEBIBYTES)
        fresh.replace(paths.DISK)
        kernel = _only(tree.glob("boot/vmlinuz-*"))
        shutil.copy(kernel, paths.KERNEL)
        shutil.copy(_only(tree.glob("boot/initrd.img-*")), paths.INITRD)
    lab_paths.write_json(paths.RECORD, {"inputs": inputs, "kernel": kernel.name.partition("-")[2]})


def digest(sources: list[str], options: list[str]) -> str:
    """Return the hash of everything that the disk is made from."""
    parts = [RELEASE, str(MEBIBYTES), PACKAGES, *LEFT_OUT, PREPARE, FINISH, *GRUB_MODULES, *sources, *options]
    parts += [disk.FEATURES, *(f"{path.name}\n{path.read_text('utf-8')}" for path in sorted(FILES.iterdir()))]
    parts += [path.with_suffix(".pub").read_text("ascii") for path in (paths.SSH_KEY, paths.HOST_KEY)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


#: Where the files of image_files/ go; the keys come from the cache.
PLACES = {
    "gpufleet-vm-init": "usr/local/sbin",
    "gpufleet-vm-rxe": "usr/local/sbin",
    "gpufleet-vm-rxe.service": "etc/systemd/system",
    "10-gpufleet-vm.network": "etc/systemd/network",
    "gpufleet-vm.cfg": "etc/default/grub.d",
    "grub.cfg": "boot/grub",
    "fstab": "etc",
}


def _bootstrap(scratch: pathlib.Path, tree: pathlib.Path, sources: list[str], options: list[str]) -> None:
    """Make the root file system as a directory."""
    overlay = scratch / "overlay"
    for name, folder in PLACES.items():
        (overlay / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(FILES / name, overlay / folder / name)
    for source, target in (
        (paths.HOST_KEY, "etc/ssh/ssh_host_ed25519_key"),
        (paths.HOST_KEY.with_suffix(".pub"), "etc/ssh/ssh_host_ed25519_key.pub"),
        (paths.SSH_KEY.with_suffix(".pub"), "root/.ssh/authorized_keys"),
    ):
        (overlay / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, overlay / target)
    (overlay / "boot/grub/i386-pc").mkdir()
    argv = ["mmdebstrap", "--variant=minbase", "--format=directory", f"--include={','.join(PACKAGES.split())}"]
    argv += [f"--aptopt={line}" for line in options] + [f"--dpkgopt=path-exclude={one}" for one in LEFT_OUT]
    argv += [
        # Nobody minds a half-written image after a crash.
        "--dpkgopt=force-unsafe-io",
        f"--essential-hook={PREPARE}",
        f'--customize-hook=set -e\ncp -r {overlay}/. "$1/"{FINISH}',
        RELEASE,
        str(tree),
    ]
    listed = scratch / "sources.list"
    listed.write_text("\n".join(sources) + "\n", encoding="utf-8")
    run([*argv, *([str(listed)] if sources else [])])


def _sources() -> list[str]:
    """Return the machine's own Debian archive entries; [] on a machine that has none."""
    own = apt_sources.codename(pathlib.Path("/etc/os-release").read_text(encoding="utf-8"))
    return [one.line() for one in apt_sources.debian_archive(apt_sources.machine_sources(), own, RELEASE)]


def _only(found: t.Iterable[pathlib.Path]) -> pathlib.Path:
    (path,) = found
    return path
