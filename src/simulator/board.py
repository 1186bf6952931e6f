"""A board without a system of its own: gets address, boot files and orders from a boot server, then runs its services.

It is a machine behind a relay: on loopback nobody may broadcast, or listen on port 68.
"""

from __future__ import annotations

import asyncio
import socket
import zlib
from dataclasses import dataclass
from ipaddress import IPv4Address

from typing_extensions import override

from . import board_wire as wire
from .ledger import Ledger
from .machine import Machine, MachineState
from .spec import BoardSpec, MachineSpec

FIRMWARE_AT = 0.2
"""Part of the boot after which the firmware asks for an address, and the switch has seen the board."""
TRIES = 5
TRY_S = 2.0
BLOCK = 1024
HELLO_S = 60.0


@dataclass(frozen=True, slots=True)
class BootServerAt:
    """Where a boot server listens."""

    host: str
    dhcp: int
    tftp: int
    hello: int
    root: int


class BootFailedError(Exception):
    """The board hangs until its power is taken away."""


class Board(Machine):
    """``relay`` is the address from which it asks; ``boot_server`` may be set while it is off."""

    def __init__(self, spec: MachineSpec, board: BoardSpec, ledger: Ledger, speed: float, relay: str) -> None:
        super().__init__(spec, ledger, speed)
        self.board = board
        self.boot_server: BootServerAt | None = None
        self.installed = board.installed
        self.image_crc = 0
        self._relay = IPv4Address(relay)
        self._sent = False
        self._boot: asyncio.Task[None] | None = None

    @override
    def seen_mac(self) -> str:
        return self.board.mac if self._sent and self.powered else ""

    # -- power

    @override
    def _begin_boot(self) -> None:
        self._boot = asyncio.get_running_loop().create_task(self._boot_or_hang())

    @override
    def _cancel(self) -> None:
        super()._cancel()
        self._sent = False
        if self._boot is not None:
            self._boot.cancel()
            self._boot = None

    async def _boot_or_hang(self) -> None:
        try:
            await self._netboot()
        except (BootFailedError, TimeoutError, OSError) as error:
            self._hang_because(str(error) or type(error).__name__)
        else:
            self._mount()
            self._later(self.spec.boot_s * (1 - FIRMWARE_AT), self._up)

    def _hang_because(self, reason: str) -> None:
        self.state = MachineState.HUNG
        self._ledger.add("boot-failed", self.name, reason)

    # -- what it does

    async def _netboot(self) -> None:
        await self._pause(self.spec.boot_s * FIRMWARE_AT)
        self._sent = True
        server = self.boot_server
        if server is None:
            raise BootFailedError("nobody answers: there is no boot server")
        lease = await self._ask(server)
        self._ledger.add("leased", self.name, str(lease.address))
        await self._load(lease, server)
        if not await self._hello(lease, server):
            raise BootFailedError("the boot server ended the conversation")

    async def _ask(self, server: BootServerAt) -> wire.Lease:
        xid = zlib.crc32(self.boot_id.encode())
        with _udp(str(self._relay), server.dhcp) as sock:
            offer = await self._until(sock, server, wire.ask(wire.DISCOVER, xid, self.board.mac, self._relay), xid)
            if self.knobs.netboot_hangs == "dhcp":
                raise BootFailedError("hangs with an offer in its hand")
            request = wire.ask(wire.REQUEST, xid, self.board.mac, self._relay, offer)
            return await self._until(sock, server, request, xid)

    async def _until(self, sock: socket.socket, server: BootServerAt, data: bytes, xid: int) -> wire.Lease:
        """Send until there is an answer; raises BootFailedError when there is none, or a refusal."""
        loop = asyncio.get_running_loop()
        for _ in range(TRIES):
            await loop.sock_sendto(sock, data, (server.host, server.dhcp))
            end = loop.time() + max(0.3, TRY_S * self._speed)
            while (left := end - loop.time()) > 0:
                try:
                    async with asyncio.timeout(left):
                        got = await loop.sock_recv(sock, 1500)
                except TimeoutError:
                    break
                lease = wire.answer(got, xid, self.board.mac)
                if lease is not None and lease.kind == wire.NAK:
                    raise BootFailedError("its address was refused")
                if lease is not None:
                    return lease
        raise BootFailedError("nobody gives it an address")

    async def _load(self, lease: wire.Lease, server: BootServerAt) -> None:
        """Read the boot files; those that are not there are asked for all the same, as firmware does."""
        loaded = 0
        for name in (f"{self.board.serial}/start.elf", *self.board.files):
            with _udp(str(lease.address), 0) as sock:
                loaded += await self._fetch(sock, (str(lease.boot), server.tftp), name)
        if not loaded:
            raise BootFailedError("there are no boot files")
        self._ledger.add("loaded", self.name, bytes=loaded)

    async def _fetch(self, sock: socket.socket, where: tuple[str, int], name: str) -> int:
        """Return the length of a file, 0 when it is not there."""
        loop = asyncio.get_running_loop()
        await loop.sock_sendto(sock, wire.read_request(name, BLOCK), where)
        length, block, size = 0, 1, 512
        while True:
            async with asyncio.timeout(TRIES * TRY_S):
                data, peer = await loop.sock_recvfrom(sock, 65536)
            code, number, rest = wire.opened(data)
            if code == wire.ERROR:
                return 0
            if self.knobs.netboot_hangs == "tftp":
                raise BootFailedError(f"hangs while it loads {name}")
            if code == wire.OACK:
                size = wire.granted_block(rest)
            elif code != wire.DATA or number != block & 0xFFFF:
                continue
            else:
                length, block = length + len(rest), block + 1
            await loop.sock_sendto(sock, wire.acknowledge(number), peer)
            if code == wire.DATA and len(rest) < size:
                return max(length, 1)

    async def _hello(self, lease: wire.Lease, server: BootServerAt) -> bool:
        """Talk to the boot server as piman's client does; True when the board may go on."""
        reader, writer = await asyncio.open_connection(
            str(lease.boot), server.hello, local_addr=(str(lease.address), 0)
        )

        def say(line: str) -> None:
            writer.write(line.encode() + b"\n")

        try:
            async with asyncio.timeout(HELLO_S):
                if self.knobs.netboot_hangs == "hello":
                    await asyncio.Event().wait()
                for line in ("MAKING NODES", "MADE NODES", "CHECKING IF INSTALLED"):
                    say(line)
                empty = self.knobs.disk_empty or not self.installed
                say("IS_UNINSTALLED" if empty else "IS_INSTALLED")
                while line := (await reader.readline()).decode("utf-8", "replace").strip():
                    if line == "format":
                        say("RECEIVED_FORMAT")
                        await self._install(lease, server)
                        say("IS_FORMATTED")
                        await writer.drain()
                        await reader.read()
                        return True
                    if line == "boot":
                        if self.knobs.netboot_hangs != "booted":
                            say("RECEIVED_BOOT")
                        await writer.drain()
                        return True
                return False
        finally:
            writer.close()

    async def _install(self, lease: wire.Lease, server: BootServerAt) -> None:
        """Load the root file system to its end. A disk whose power is cut meanwhile has none."""
        self.installed = False
        reader, writer = await asyncio.open_connection(str(lease.boot), server.root, local_addr=(str(lease.address), 0))
        crc, length = 0, 0
        try:
            while data := await reader.read(65536):
                crc, length = zlib.crc32(data, crc), length + len(data)
                if self.knobs.netboot_hangs == "root":
                    raise BootFailedError("hangs while it loads its root file system")
        finally:
            writer.close()
        if not length:
            raise BootFailedError("there is no root file system")
        self.image_crc, self.installed = crc, True
        self.knobs.disk_empty = False
        self._ledger.add("installed", self.name, bytes=length, crc=crc)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._speed)


def _udp(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
