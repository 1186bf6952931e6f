"""A virtual machine with nothing but a network card and an empty disk; its firmware is Debian's iPXE, or UEFI with it.

The processor is emulated: tests run in virtual machines themselves. The kernel is that of ``campaigns.netboot.kernel``.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from campaigns.netboot.kernel import Kernel, find

from peers import missing, peer

ROM = Path("/usr/lib/ipxe/qemu/efi-virtio.rom")
"""What QEMU gives to such a card by itself; it holds iPXE for both firmwares."""
UEFI = Path("/usr/share/OVMF")
MODULES = "virtio_pci, virtio_net, virtio_blk"
DISK = "/dev/vda"
DISK_MIB = 96
MEMORY_MIB = 256
SCRIPT = """#!ipxe
kernel tftp://${{next-server}}/vmlinuz initrd=initramfs.gz console=ttyS0 {arguments}
initrd tftp://${{next-server}}/initramfs.gz
boot
"""
"""What iPXE is given to run: it fetches the rest by TFTP."""


def kernel() -> Kernel:
    found = find()
    if found is None:
        missing("there is no kernel for virtual machines: run  python3 -m campaigns.netboot.kernel")
    return found


Firmware = Literal["bios", "uefi", "edk2"]


@dataclass(frozen=True)
class Machine:
    """``folder``: where its disk, console and process number are. ``tap``: its card's other end.

    ``firmware``  iPXE of the card below a BIOS or below UEFI; edk2: no iPXE, UEFI asks for it by its own PXE client
    """

    name: str
    mac: str
    tap: str
    folder: Path
    firmware: Firmware = "bios"

    @property
    def disk(self) -> Path:
        return self.folder / f"{self.name}.disk"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    @property
    def console(self) -> Path:
        return self.folder / f"{self.name}.console"

    def said(self) -> str:
        """Return what it has written to its console."""
        return self.console.read_text("utf-8", "replace") if self.console.exists() else ""

    def make_disk(self) -> None:
        with self.disk.open("wb") as disk:
            disk.truncate(DISK_MIB << 20)

    def command(self) -> list[str]:
        """Return the command line that switches it on; it goes on in the background, its number is in ``pid_file``."""
        program = peer("qemu-system-x86_64")
        if not ROM.exists():
            missing(f"{ROM} is not there (Debian: ipxe-qemu)")
        card = f"virtio-net-pci,netdev=net,mac={self.mac},bootindex=0"  # the ROM that is named would not fit its number
        card += ",romfile=" if self.firmware == "edk2" else ""
        drive = f"file={self.disk},format=raw,if=none,id=disk,cache=unsafe"
        return [
            program, "-name", self.name, "-machine", "pc,graphics=off,accel=tcg", "-m", str(MEMORY_MIB),
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", f"file:{self.console}",
            "-no-reboot", "-boot", "n", *self._firmware(), "-device", card,
            "-netdev", f"tap,id=net,ifname={self.tap},script=no,downscript=no",
            "-device", "virtio-blk-pci,drive=disk", "-drive", drive,
            "-daemonize", "-pidfile", str(self.pid_file),
        ]  # fmt: skip

    def _firmware(self) -> list[str]:
        if self.firmware == "bios":
            return []
        code = next((path for path in (UEFI / "OVMF_CODE_4M.fd", UEFI / "OVMF_CODE.fd") if path.exists()), None)
        if code is None:
            missing("there is no UEFI firmware (Debian: ovmf)")
        own = self.folder / f"{self.name}.vars"
        shutil.copy(code.with_name(code.name.replace("CODE", "VARS")), own)
        return [
            "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,unit=1,file={own}",
        ]  # fmt: skip
