"""A board in a folder: runs the scripts of the initramfs with busybox, without a kernel of its own.

Its disk is a file, on which a real file system is made; what would be mounted from it is a folder beside.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from ockle.netboot.initramfs.builder import APPLETS
from peers import peer


def root_file_system(**files: bytes) -> bytes:
    """Return a small system as rootfs.tgz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in {"sbin/init": b"#!/bin/sh\n", "bin/sh": b"", **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o755
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


OVERRIDES = """
filesystem=ext4
mkfs=make_file_system
table=none
root_number=
make_file_system() { rm -rf "$new_root"; mkdir -p "$new_root"; /sbin/mkfs.ext4 -q -F "$1"; }
mount_root() { [ -e "$work/disk.broken" ] && return 1; mkdir -p "$new_root"; }
unmount_root() { :; }
date() { echo "$*" >>"$work/dates"; }
usleep() { :; }
disk_wait=0
fetch_pause=0
fetch_stall=2
fetch_tries=4
"""


@dataclass
class FolderBoard:
    """``folder``    its own; ``root`` in it is what its root file system holds
    ``settings``  more assignments for the scripts;  ``functions``: in the place of theirs
    ``cmdline``   of the kernel
    """

    folder: Path
    cmdline: str = "console=tty1"
    settings: Mapping[str, str | int | Path] = field(default_factory=dict)
    functions: str = ""
    said: str = ""
    """What it has written to its console."""

    def __post_init__(self) -> None:
        self.busybox = peer("busybox")
        peer("mkfs.ext4")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.disk.write_bytes(bytes(4 << 20))
        applets = self.folder / "applets"
        applets.mkdir(exist_ok=True)
        for applet in (*APPLETS, "busybox"):
            (applets / applet).symlink_to(self.busybox)

    @property
    def disk(self) -> Path:
        return self.folder / "disk"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def formatted(self) -> bool:
        """Whether a file system was made: the magic number of ext4."""
        return self.disk.read_bytes()[1080:1082] == b"\x53\xef"

    def install(self) -> None:
        """Put a system on it, as an earlier installation would have."""
        (self.root / "bin").mkdir(parents=True)
        (self.root / "sbin").mkdir()
        (self.root / "sbin" / "init").touch()
        (self.root / "old").touch()

    def hello(self, host: str, port: int, timeout: float = 30.0) -> str:
        """Have it speak with a boot server; return what it wants to do then: "boot" or ""."""
        (self.folder / "cmdline").write_text(self.cmdline)
        values = {
            "devices": self.disk,
            "token": "",
            "root_port": 0,
            "patience": 0,
            "work": self.folder,
            **self.settings,
        }
        lines = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
        (self.folder / "settings").write_text("\n".join([OVERRIDES, *lines, self.functions, ""]))
        library = resources.files("ockle.netboot.initramfs").joinpath("scripts")
        environment = {
            "PATH": str(self.folder / "applets"),
            "OCKLE_LIB": str(library),
            "OCKLE_SETTINGS": str(self.folder / "settings"),
            "OCKLE_RUN": str(self.folder / "run"),
            "OCKLE_ROOT": str(self.root),
            "OCKLE_CMDLINE": str(self.folder / "cmdline"),
            "master": host,
            "COVERAGE_PROCESS_START": os.environ.get("COVERAGE_PROCESS_START", ""),
        }
        script = f"exec {self.busybox} ash {shlex.quote(str(library / 'hello.sh'))}"
        speak = [self.busybox, "nc", "-w", "10", host, str(port), "-e", self.busybox, "ash", "-c", script]
        # a file: who holds a pipe open, such as a watcher that is still asleep, would have to be waited for
        with (self.folder / "console").open("w+") as console:
            subprocess.run(
                speak,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                timeout=timeout,
                check=False,
            )
            console.seek(0)
            self.said += console.read()
        result = self.folder / "run" / "result"
        return result.read_text().strip() if result.exists() else ""
