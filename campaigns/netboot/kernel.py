"""Debian's kernel for virtual machines, and iPXE, unpacked below build/.

``python3 -m campaigns.netboot.kernel`` fetches the kernel. It is not installed: a kernel that is would
become the next one of this machine. Needs apt-get, dpkg and depmod, and no rights.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "linux-image-cloud-amd64"
FOLDER = Path(__file__).resolve().parents[2] / "build" / "kernel"
IPXE = FOLDER.with_name("ipxe")
LONGEST_S = 120


@dataclass(frozen=True)
class Kernel:
    """``modules``: the folder of its modules, with modules.dep."""

    image: Path
    modules: Path


def find(folder: Path = FOLDER) -> Kernel | None:
    """Return the kernel that was fetched, if any."""
    for image in sorted(folder.glob("boot/vmlinuz-*")):
        modules = folder / "lib" / "modules" / image.name.removeprefix("vmlinuz-")
        if (modules / "modules.dep").exists():
            return Kernel(image, modules)
    return None


def fetch(folder: Path = FOLDER) -> Kernel:
    """Return the kernel, fetched if need be. Raises RuntimeError when that is not possible."""
    if (found := find(folder)) is None:
        _unpack(_newest(), folder)
        found = find(folder)
    if found is None:
        raise RuntimeError(f"{PACKAGE} has no kernel with modules in {folder}")
    return found


def fetch_ipxe(folder: Path = IPXE) -> Path:
    """Return iPXE as UEFI loads it over the network, fetched if need be. Raises RuntimeError as ``fetch`` does."""
    found = folder / "usr/lib/ipxe/snponly.efi"
    if not found.exists():
        _unpack("ipxe", folder)
    return found


def _unpack(package: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            scratch = Path(name)
            _run("apt-get", "-qq", "download", package, folder=scratch)
            (archive,) = scratch.glob("*.deb")
            _run("dpkg", "-x", str(archive), "tree", folder=scratch)
            for modules in scratch.glob("tree/lib/modules/*"):
                _run("depmod", "-b", "tree", modules.name, folder=scratch)
            (scratch / "tree").rename(folder)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"the package {package} cannot be fetched: {error}") from error


def _newest() -> str:
    """Return the package that the general name stands for now."""
    try:
        found = re.search(r"Depends: (linux-image-\S+)", _run("apt-cache", "depends", PACKAGE))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise RuntimeError(f"nothing is known of the package {PACKAGE}: {error}") from error
    return found[1] if found else PACKAGE


def _run(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    if done.returncode:
        raise ValueError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        print(fetch().image)
    except RuntimeError as problem:
        sys.exit(str(problem))
