"""``ockle netboot build-initramfs``: what a board without a system boots first."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from ..common.errors import OckleError
from .codes import OK
from .output import safe, show
from .parser import Commands


def register(netboot: Commands) -> None:
    parser = netboot.add(
        "build-initramfs",
        run_build,
        "make the initramfs that installs and boots a board",
        text="Puts busybox, the tools that format a disk and the scripts of the hello protocol into one file. Which\n"
        "disks may be formatted, and how, stands in etc/initramfs.ini; without that file a Raspberry Pi's card.\n"
        "For a board with another processor name an unpacked root file system of it with --sysroot.",
    )
    parser.add_argument("file", metavar="FILE", help="where to write it: netboot/boot/initramfs.gz")
    parser.add_argument("--config", metavar="FILE", help="its options (default: initramfs.ini in the configuration)")
    parser.add_argument("--busybox", metavar="FILE", help="a busybox for the board (default: that of the sysroot)")
    parser.add_argument("--sysroot", metavar="DIR", default="/", help="where programs are taken from (default: /)")


def run_build(args: argparse.Namespace) -> int:
    from ..config.paths import find_etc
    from ..netboot.initramfs.builder import build
    from ..netboot.initramfs.programs import Sysroot
    from ..netboot.initramfs.settings import load_settings

    default = find_etc(args.etc) / "initramfs.ini"
    config = Path(args.config) if args.config else default if default.is_file() else None
    settings = load_settings(config)
    made = build(settings, Sysroot(Path(args.sysroot)), Path(args.busybox) if args.busybox else None)
    target = Path(args.file)
    _write(target, made.data)
    digest = hashlib.sha256(made.data).hexdigest()
    reply = {
        "file": str(target), "bytes": len(made.data), "sha256": digest, "machine": made.machine, "files": made.files,
        "devices": list(settings.devices), "config": str(config or ""),
    }  # fmt: skip
    text = (
        f"{safe(target)}: {len(made.data)} bytes, for {safe(made.machine)}\n"
        f"sha256 {digest}\n"
        f"It may format {safe(' or '.join(settings.devices))}, and nothing else."
    )
    show(args, reply, text, [str(target)])
    return OK


def _write(target: Path, data: bytes) -> None:
    """Write beside it and rename: a board that loads it meanwhile gets the old or the new one."""
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OckleError(f"{target} cannot be written: {error.strerror}") from error
