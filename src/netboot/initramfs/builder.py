"""Puts an initramfs together: busybox, the tools that format a disk, kernel modules, and the scripts of this folder."""

from __future__ import annotations

import gzip
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ...common.errors import OckleError
from .cpio import Entry, archive, character_device, file, folder, link
from .modules import gather_modules
from .programs import Gatherer, Sysroot, read_file
from .settings import InitramfsSettings

_CALLED = """
    cat chmod cp cut date dd dmesg echo env grep gunzip hostname insmod ip kill ln ls mdev mkdir mke2fs mount mv nc od
    printf readlink reboot rm route sed sh sha256sum sleep stat switch_root sync tar tr udhcpc umount uname unxz
    usleep wget
"""
APPLETS = tuple(_CALLED.split())
"""What the scripts, and a person at the console, call of busybox."""
SCRIPTS = {
    "init": "init",
    "hello.sh": "lib/ockle/hello.sh",
    "common.sh": "lib/ockle/common.sh",
    "disk.sh": "lib/ockle/disk.sh",
    "fetch.sh": "lib/ockle/fetch.sh",
    "udhcpc.sh": "lib/ockle/udhcpc.sh",
}
"""File of the package -> path in the archive."""
FOLDERS = ("dev", "proc", "sys", "run/ockle", "new_root", "tmp", "etc")
ASK_S = 5.0


@dataclass(frozen=True, slots=True)
class Initramfs:
    """``data``  the archive, packed;  ``machine``  the processor that it runs on;  ``files``  how many it holds"""

    data: bytes
    machine: str
    files: int


def build(settings: InitramfsSettings, sysroot: Sysroot, busybox: Path | None = None) -> Initramfs:
    """Return an initramfs; the same programs and settings give the same bytes.

    ``sysroot``  where programs and libraries are taken from
    ``busybox``  its file, None = that of the sysroot
    Raises OckleError when something is missing.
    """
    programs = Gatherer(sysroot)
    _add_busybox(programs, sysroot, busybox)
    mkfs = _mkfs(programs, settings)
    if settings.table != "none":
        programs.add_program("sfdisk")
    for program in settings.programs:
        programs.add_program(program)
    modules = gather_modules(settings.modules, Path(settings.modules_folder))
    entries = [
        *(folder(path) for path in FOLDERS),
        character_device("dev/console", 5, 1),
        character_device("dev/null", 1, 3, 0o666),
        *(file(path, data, 0o755) for path, data in programs.files.items()),
        *(link(f"bin/{applet}", "busybox") for applet in APPLETS if f"bin/{applet}" not in programs.files),
        *(file(f"lib/modules/{name}", data) for name, data in modules.items()),
        file("etc/ockle/modules", "".join(f"/lib/modules/{name}\n" for name in modules).encode()),
        file("etc/ockle/settings", settings.shell(mkfs).encode(), 0o600),
        file("etc/ockle/table", settings.sfdisk_script.encode()),
        *_scripts(),
    ]
    return Initramfs(gzip.compress(archive(entries), 6, mtime=0), programs.machine, len(entries))


def _scripts() -> list[Entry]:
    scripts = resources.files(__package__).joinpath("scripts")
    return [file(path, scripts.joinpath(name).read_bytes(), 0o755) for name, path in SCRIPTS.items()]


def _add_busybox(programs: Gatherer, sysroot: Sysroot, given: Path | None) -> None:
    if given is None:
        try:
            found = sysroot.find("busybox")
        except OckleError as error:
            raise OckleError(f"{error}; the package is called busybox-static, or name one with --busybox") from error
        real = sysroot.resolve(found)
        given = real if real is not None else Path(found)
    if lacking := missing_applets(given):
        raise OckleError(f"{given} lacks {', '.join(lacking)}: take a full busybox, such as that of busybox-static")
    programs.add("/bin/busybox", read_file(given), str(given), str(given.parent))


def missing_applets(busybox: Path) -> list[str]:
    """Return what a busybox lacks; nothing for one that cannot run here: then it shows on the board."""
    try:
        listed = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return []
    has = set(listed.stdout.split())
    return [applet for applet in APPLETS if applet not in has] if has else []


def _mkfs(programs: Gatherer, settings: InitramfsSettings) -> str:
    """Return the command that makes the root file system, with its program in the archive."""
    try:
        place = programs.add_program(f"mkfs.{settings.filesystem}")
    except OckleError as error:
        if settings.filesystem != "ext2":
            raise OckleError(f"{error}; without it only filesystem = ext2 can be made") from error
        return "/bin/busybox mke2fs -F"
    return f"{place} -q -F"
