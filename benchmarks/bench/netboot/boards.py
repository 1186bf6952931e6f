"""Simulated boards: each asks for its address, loads its boot files, installs itself and says that it boots.

One asyncio loop for all of them. What they get is compared byte by byte; a board that gets something else, or nothing
for too long, has failed. They speak as piman's client does, and keep its order.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from .loads import BootFile
from .space import FIRST_BOARD, SERVER, WIRE

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
COOKIE = bytes((99, 130, 83, 99))
XID = 0x4F000000
PATIENCE_S = 4.0
TRIES = 5
TFTP_PATIENCE_S = 1.0
INSTALL_S = 90.0


class BoardFailedError(Exception):
    """What a board did not get."""


def mac_of(number: int) -> bytes:
    """Return the MAC address of a client, as ``dhcp_load.c`` numbers them."""
    return b"\x02\x4f" + struct.pack("!I", number * 2654435761 & 0xFFFFFFFF)


def address_of(place: int) -> str:
    return str(IPv4Address(FIRST_BOARD) + place)


def hosts(first: int, count: int) -> str:
    """Return a hosts.csv with ``count`` boards, from the client number ``first`` on."""
    return "".join(
        f"{mac_of(first + place).hex(':').upper()};{address_of(place)};b{place};0\n" for place in range(count)
    )


class Asker:
    """One socket for the DHCP messages of all boards. Answers come to who has that MAC address."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, WIRE.encode())
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("0.0.0.0", 68))  # noqa: S104 - one wire only
        self._socket.setblocking(False)
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                packet = self._socket.recv(2048)
            except BlockingIOError:
                return
            waiting = self._waiting.get(packet[28:34])
            if waiting is not None and not waiting.done():
                waiting.set_result(packet)

    async def ask(self, mac: bytes, number: int, kind: int, options: bytes, wanted: int) -> bytes:
        fixed = struct.pack("!BBBBIHH16x", 1, 1, 6, 0, XID + number & 0xFFFFFFFF, 0, 0x8000)
        packet = fixed + mac.ljust(16, b"\0") + bytes(192) + COOKIE + bytes((53, 1, kind)) + options + b"\xff"
        for _ in range(TRIES):
            self._socket.sendto(packet.ljust(300, b"\0"), ("255.255.255.255", 67))
            end = asyncio.get_running_loop().time() + PATIENCE_S
            while (left := end - asyncio.get_running_loop().time()) > 0:
                waiting = self._waiting[mac] = asyncio.get_running_loop().create_future()
                try:
                    answer: bytes = await asyncio.wait_for(waiting, left)
                except TimeoutError:
                    break
                if bytes((53, 1, wanted)) in answer[240:]:
                    return answer
        raise BoardFailedError(f"no answer to DHCP message {kind}")


class Reader:
    """Reads files by TFTP from a board's address, block by block, with tsize and blksize as boards ask for them."""

    BLKSIZE = 1024

    def __init__(self, address: str) -> None:
        self._address = address

    async def read(self, file: BootFile) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
            here.setblocking(False)
            here.bind((self._address, 0))
            words = (file.name, "octet", "tsize", "0", "blksize", str(self.BLKSIZE))
            last = b"\0\1" + b"".join(word.encode() + b"\0" for word in words)
            to = (SERVER, 69)
            expected = file.path.read_bytes() if file.path else None
            got, block, size, tries = 0, 0, 512, 0
            here.sendto(last, to)
            while True:
                try:
                    async with asyncio.timeout(TFTP_PATIENCE_S):
                        packet, sender = await loop.sock_recvfrom(here, 2048)
                except TimeoutError:
                    tries += 1
                    if tries == TRIES:
                        raise BoardFailedError(f"{file.name} ends after {got} bytes") from None
                    here.sendto(last, to)
                    continue
                if to[1] == 69:
                    to = sender
                elif sender != to:  # of a request that was sent twice
                    continue
                tries = 0
                code, number = struct.unpack_from("!HH", packet)
                if code == 5:
                    if expected is None:
                        return
                    raise BoardFailedError(f"{file.name}: {packet[4:-1].decode('ascii', 'replace')}")
                if code == 6:
                    size = self.BLKSIZE
                elif code == 3 and number == block + 1 & 0xFFFF:
                    piece = packet[4:]
                    if expected is None or expected[got : got + len(piece)] != piece:
                        raise BoardFailedError(f"{file.name}: other bytes at {got}")
                    got, block = got + len(piece), block + 1
                    last = struct.pack("!HH", 4, block & 0xFFFF)
                    here.sendto(last, to)
                    if len(piece) < size:
                        if got != len(expected):
                            raise BoardFailedError(f"{file.name}: {got} bytes")
                        return
                    continue
                else:
                    continue
                last = struct.pack("!HH", 4, 0)
                here.sendto(last, to)


async def install(address: str, image: Path) -> None:
    """Say that there is nothing on the disk, take the root file system, say that it is there and that it boots."""
    reader, writer = await asyncio.open_connection(SERVER, 3333, local_addr=(address, 0))

    async def until(word: str) -> None:
        while (line := (await reader.readline()).decode().rstrip("\n")) != word:
            if not line:
                raise BoardFailedError(f"the connection ended before {word}")
        await reader.readuntil(b"EOM\n")

    try:
        writer.write(b"IS_UNINSTALLED\n")
        await until("format")
        await _take(address, image)
        writer.write(b"IS_FORMATTED\nRECEIVED_BOOT\n")
        writer.write_eof()
        await reader.read()
    finally:
        writer.close()


async def _take(address: str, image: Path) -> None:
    expected = memoryview(image.read_bytes())
    loop = asyncio.get_running_loop()
    with socket.socket() as here:
        here.setblocking(False)
        here.bind((address, 0))
        await loop.sock_connect(here, (SERVER, 4444))
        got, piece = 0, bytearray(1 << 18)
        while count := await loop.sock_recv_into(here, piece):
            if expected[got : got + count] != memoryview(piece)[:count]:
                raise BoardFailedError(f"the root file system has other bytes after {got}")
            got += count
        if got != len(expected):
            raise BoardFailedError(f"the root file system ends after {got} bytes")


@dataclass
class Storm:
    """What became of the boards. ``took``: seconds of each that booted, from its power to its word that it boots."""

    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def boot(asker: Asker, first: int, place: int, files: Sequence[BootFile], image: Path) -> None:
    mac, address = mac_of(first + place), address_of(place)
    wanted = socket.inet_aton(address)
    pxe = b"\x3c\x20PXEClient:Arch:00000:UNDI:002001\x5d\x02\0\0\x5e\x03\1\2\1"
    answer = await asker.ask(mac, first + place, DISCOVER, pxe, OFFER)
    if answer[16:20] != wanted:
        raise BoardFailedError(f"was offered {socket.inet_ntoa(answer[16:20])} instead of {address}")
    chosen = pxe + b"\x32\x04" + wanted + b"\x36\x04" + socket.inet_aton(SERVER)
    answer = await asker.ask(mac, first + place, REQUEST, chosen, ACK)
    if answer[16:20] != wanted:
        raise BoardFailedError(f"was given {socket.inet_ntoa(answer[16:20])} instead of {address}")
    for file in files:
        await Reader(address).read(file)
    async with asyncio.timeout(INSTALL_S):
        await install(address, image)


async def storm(first: int, count: int, files: Sequence[BootFile], image: Path) -> Storm:
    """Switch them all on at once."""
    asker, outcome, loop = Asker(), Storm(), asyncio.get_running_loop()

    async def one(place: int) -> None:
        began = loop.time()
        try:
            await boot(asker, first, place, files, image)
        except (BoardFailedError, OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            outcome.failed.append(f"b{place}: {error!r}")
        else:
            outcome.took.append(loop.time() - began)

    try:
        await asyncio.gather(*(one(place) for place in range(count)))
    finally:
        asker.close()
    return outcome
