"""Root file systems on their way to boards: as piman's clients load them (connect and read), and over HTTP."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...common.errors import OckleError
from ..service import BootContext
from ..stages import Stage
from .boards_here import BoardsHere, Installation
from .http_get import MOST_HEAD, HttpRefused, Wanted, header, parse_request, refusal
from .images import Image, Images
from .sender import SendFailed, all_taken, reset, send_file, until_closed

LOOK_S = 1.0
REQUEST_S = 10.0
DIGEST_S = 600.0
LINGER_S = 60.0
MIB = 1 << 20
MOVING = ("sending", "ending")
SHOWN_S = 30.0
MOST_SHOWN = 100
"""How long, and how many of those that have ended are shown."""


@dataclass(eq=False)
class Transfer:
    """``sent`` counts from the beginning of the file; ``state``: waiting, sending, ending; done, cut off."""

    mac: str
    ip: str
    file: str
    size: int
    begun: float
    sent: int = 0
    state: str = "waiting"
    rate: float = 0.0
    resumable: bool = False
    moved_at: float = 0.0
    why: str = ""
    """Why it was stopped from outside."""
    limit: asyncio.Timeout = field(default_factory=lambda: asyncio.timeout(None), repr=False)
    _counted: int = 0

    def stop(self, why: str) -> None:
        if self.state in MOVING and not self.why:
            self.limit.reschedule(asyncio.get_running_loop().time())
        self.why = self.why or why

    def tick(self, seconds: float) -> None:
        """Take the rate anew, in bytes a second."""
        self.rate = max(0.0, self.sent - self._counted) / seconds
        self._counted = self.sent

    def live(self) -> dict[str, Any]:
        return {
            "mac": self.mac, "ip": self.ip, "file": self.file, "size": self.size, "sent": self.sent,
            "begun": self.begun, "state": self.state, "rate": round(self.rate),
        }  # fmt: skip


class Transfers:
    """Sends root file systems, ``install_transfers`` at a time; who comes later waits, connected, for its turn."""

    def __init__(self, context: BootContext, here: BoardsHere, images: Images) -> None:
        self._context = context
        self._here = here
        self._images = images
        self._slots = asyncio.Semaphore(context.settings["install_transfers"])
        self._running: list[Transfer] = []
        self._ended: deque[tuple[float, Transfer]] = deque(maxlen=MOST_SHOWN)

    def live(self) -> list[dict[str, Any]]:
        now = self._context.clock.now()
        ended = [transfer for at, transfer in self._ended if now - at < SHOWN_S]
        return [transfer.live() for transfer in (*self._running, *ended)]

    async def watch(self) -> None:
        """Take rates, and stop what does not move any more; runs until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            now, most = self._context.clock.now(), self._context.settings["install_stall"]
            for transfer in list(self._running):
                transfer.tick(LOOK_S)
                if transfer.state in MOVING and now - transfer.moved_at > most:
                    transfer.stop(f"the board has taken nothing for {most:g} s")

    async def serve_root(self, sock: socket.socket, ip: str) -> None:
        """Give the root file system to whoever connects, as piman does. Raises OckleError for the log."""
        mac = self._known(ip)
        if self._context.settings["install_token"].reveal():
            self._here.installation(mac).cut = "its client does not say the install_token"
            raise OckleError("wants a root file system without saying the install_token")
        try:
            image = await self._images.open(self._here.image_of(mac))
        except OckleError as error:
            self._failed(mac, self._here.installation(mac), str(error), resumable=False)
            reset(sock)
            return
        await self._give(sock, Transfer(mac, ip, image.name, image.size, self._context.clock.wall()), image)

    async def serve_get(self, sock: socket.socket, ip: str) -> None:
        """Answer one HTTP request. Raises OckleError for the log."""
        mac = self._known(ip)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(REQUEST_S):
                wanted = await _request(sock)
        except (TimeoutError, ConnectionError):
            return
        except HttpRefused as error:
            await self._refuse(sock, error)
            return
        try:
            image, head, offset = await self._found(mac, wanted)
        except HttpRefused as error:
            self._context.boards.log(mac, f"asks for a root file system and is refused: {error}")
            await self._refuse(sock, error)
            return
        begun = self._context.clock.wall()
        transfer = Transfer(mac, ip, image.name, image.size, begun, sent=offset, resumable=True)
        if wanted.head:
            image.close()
            await loop.sock_sendall(sock, head)
            return
        await self._give(sock, transfer, image, head)

    async def _found(self, mac: str, wanted: Wanted) -> tuple[Image, bytes, int]:
        """Return the open image, the header and the offset of what follows it. Raises HttpRefused."""
        if not wanted.knows(self._context.settings["install_token"].reveal()):
            raise HttpRefused(401, "the install_token is needed, as a bearer token")
        try:
            image = await self._images.open(self._here.image_of(mac))
        except OckleError as error:
            raise HttpRefused(503, str(error)) from error
        try:
            async with asyncio.timeout(DIGEST_S):
                digest = await asyncio.shield(self._images.digest(image))
            return image, *header(wanted, image.size, digest)
        except BaseException as error:
            image.close()
            if isinstance(error, (OckleError, TimeoutError)):
                raise HttpRefused(503, str(error) or "its checksum is not known yet") from error
            raise

    async def _refuse(self, sock: socket.socket, error: HttpRefused) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(REQUEST_S):
                await asyncio.get_running_loop().sock_sendall(sock, refusal(error))
                sock.shutdown(socket.SHUT_WR)
                await until_closed(sock)

    def _known(self, ip: str) -> str:
        mac = self._here.mac_of(ip)
        if not mac:
            raise OckleError("wants a root file system, and no known board has this address")
        return mac

    # -- one transfer

    async def _give(self, sock: socket.socket, transfer: Transfer, image: Image, head: bytes = b"") -> None:
        """Send it when its turn comes, and note what became of it. A board that comes anew has given up the former."""
        for other in self._running:
            if other.mac == transfer.mac:
                other.stop("the board has connected anew")
        installation = self._here.installation(transfer.mac)
        installation.loading.add(transfer)
        self._running.append(transfer)
        try:
            async with self._slots:
                if not transfer.why:
                    await self._send(sock, transfer, image, head)
                if transfer.why:
                    raise SendFailed(transfer.why)
        except SendFailed as error:
            reset(sock)
            transfer.state = "cut off"
            where = f"{transfer.file} was cut off after {transfer.sent // MIB} of {transfer.size // MIB} MiB: {error}"
            self._failed(transfer.mac, installation, where, resumable=transfer.resumable)
        except BaseException:  # the server stops: an orderly end would look like that of the file
            reset(sock)
            raise
        else:
            self._whole(transfer, installation)
        finally:
            installation.loading.discard(transfer)
            self._running.remove(transfer)
            self._ended.append((self._context.clock.now(), transfer))
            image.close()
        if transfer.state == "done":
            await _linger(sock)

    async def _send(self, sock: socket.socket, transfer: Transfer, image: Image, head: bytes) -> None:
        clock, boards = self._context.clock, self._context.boards
        transfer.state, transfer.moved_at = "sending", clock.now()
        size, quarters = transfer.size, transfer.sent * 4 // transfer.size

        def moved(count: int) -> None:
            nonlocal quarters
            transfer.sent += count
            transfer.moved_at = clock.now()
            if transfer.sent * 4 // size > quarters:
                quarters = transfer.sent * 4 // size
                if quarters < 4:
                    boards.note(transfer.mac, Stage.INSTALLING, f"{transfer.file}: {quarters * 25} %")

        whence = f", from {transfer.sent // MIB} MiB on" if transfer.sent else ""
        boards.note(transfer.mac, Stage.INSTALLING, f"{transfer.file}, {size // MIB} MiB{whence}", ip=transfer.ip)
        try:
            async with transfer.limit:
                if head:
                    await asyncio.get_running_loop().sock_sendall(sock, head)
                await send_file(image.file.fileno(), sock, transfer.sent, size, moved)
                if problem := image.problem():
                    raise SendFailed(problem)
                transfer.state, transfer.moved_at = "ending", clock.now()
                self._here.installation(transfer.mac).loading.discard(transfer)
                await all_taken(sock)
        except TimeoutError as error:
            raise SendFailed(transfer.why) from error
        except OSError as error:
            raise SendFailed(error.strerror or str(error)) from error

    def _whole(self, transfer: Transfer, installation: Installation) -> None:
        transfer.state = "done"
        seconds = max(self._context.clock.wall() - transfer.begun, 0.001)
        transfer.rate = transfer.size / seconds
        text = f"has loaded {transfer.file}, {transfer.size // MIB} MiB, in {seconds:.0f} s"
        self._context.boards.log(transfer.mac, text)
        installation.cut = ""
        # it may have said so before, as some of piman's clients do; but a quick one has come further than this by now
        if installation.formatted and self._here.board(transfer.mac).stage is Stage.INSTALLING:
            self._context.boards.note(transfer.mac, Stage.INSTALLED)

    def _failed(self, mac: str, installation: Installation, why: str, *, resumable: bool) -> None:
        installation.cut = why
        if resumable:
            self._context.boards.log(mac, why)
        else:
            self._context.boards.note(mac, Stage.FAILED, why)
        self._context.report.warn(f"install cut {mac}", f"{self._here.name_of(mac)}: {why}")


async def _request(sock: socket.socket) -> Wanted:
    """Read one request. Raises HttpRefused, or ConnectionError when the client goes away."""
    data = b""
    while True:
        more = await asyncio.get_running_loop().sock_recv(sock, MOST_HEAD)
        if not more:
            raise ConnectionError
        data += more
        wanted = parse_request(data)
        if wanted is not None:
            return wanted


async def _linger(sock: socket.socket) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            await until_closed(sock)
