"""The control port: hears what boards say, and does what follows (``protocol``)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ...common.allowance import Allowance
from ...common.errors import OckleError
from ...common.lines import LineBuffer, LineTooLong
from ..service import BootContext
from ..stages import MarkState, Stage
from .boards_here import BoardsHere
from .images import Images
from .protocol import (
    MOST_LINE,
    Conversation,
    Do,
    Effect,
    Facts,
    Know,
    Log,
    Note,
    Said,
    Send,
    Word,
    greeting,
    parse_line,
)

FIRST_LINE_S = 60.0
SEND_S = 10.0
LINES_PER_S, LINES_AT_ONCE = 100.0, 1000.0
"""What a board may say; it is then read no faster."""


class Gone(Exception):
    """The connection is to be ended, or the board has ended it."""


class ControlPort:
    """``get_port``  returns the port from which clients that know checksums load"""

    def __init__(self, context: BootContext, here: BoardsHere, images: Images, get_port: Callable[[], int]) -> None:
        self._context = context
        self._here = here
        self._images = images
        self._get_port = get_port

    async def serve(self, sock: socket.socket, ip: str) -> None:
        """Speak with the board that has connected; raises OckleError for what its log should not be told."""
        mac = self._here.mac_of(ip)
        if not mac:
            raise OckleError("connects to the hello protocol, and no known board has this address")
        self._context.boards.touch(mac, ip=ip)
        await _Call(self._context, self._here, self._images, self._get_port, sock, ip, mac).run()


class _Call:
    """One connection of a board."""

    def __init__(
        self,
        context: BootContext,
        here: BoardsHere,
        images: Images,
        get_port: Callable[[], int],
        sock: socket.socket,
        ip: str,
        mac: str,
    ) -> None:
        self._context = context
        self._boards = context.boards
        self._here = here
        self._images = images
        self._get_port = get_port
        self._sock = sock
        self._ip = ip
        self._mac = mac
        self._talk = Conversation(context.settings["install_token"].reveal())
        self._allowance = Allowance(LINES_PER_S, LINES_AT_ONCE, context.clock.now())

    async def run(self) -> None:
        try:
            if self._context.settings["install_date"]:
                await self._send(greeting(self._context.clock.wall()))
            await self._listen()
        except Gone:
            return
        except OSError:  # as good as an end: who hands over to another system does not close first
            pass
        for effect in self._talk.ended(await self._facts(None)):
            await self._do(effect)

    async def _listen(self) -> None:
        """Hear lines until the board ends the connection."""
        lines = LineBuffer(MOST_LINE)
        patience = FIRST_LINE_S
        while data := await self._receive(patience):
            lines.feed(data)
            try:
                while (raw := lines.take()) is not None:
                    patience = self._context.settings["install_idle"]
                    await asyncio.sleep(self._allowance.take(self._context.clock.now()))
                    await self._hear(parse_line(raw))
            except LineTooLong:
                self._boards.log(self._mac, f"says more than {MOST_LINE} bytes in one line; the connection is ended")
                raise Gone from None

    async def _receive(self, patience: float) -> bytes:
        try:
            async with asyncio.timeout(patience):
                return await asyncio.get_running_loop().sock_recv(self._sock, 4096)
        except TimeoutError:
            self._boards.log(self._mac, f"has said nothing for {patience:g} s; the connection is ended")
            raise Gone from None

    async def _hear(self, said: Said) -> None:
        self._boards.touch(self._mac)
        for effect in self._talk.answer(said, await self._facts(said)):
            if effect is not Do.TAKE:
                await self._do(effect)
                continue
            try:
                taken = self._boards.take_reinstall(self._mac)
            except OckleError as error:
                for instead in self._talk.not_taken(said, str(error)):
                    await self._do(instead)
                return
            if taken is None:  # somebody was quicker, or has taken it back
                await self._hear(said)
                return

    async def _facts(self, said: Said | None) -> Facts:
        word = said.word if said else Word.OTHER
        if word in (Word.UNINSTALLED, Word.INSTALLED):
            try:
                self._boards.poll()  # the mark may be another process's, and as new as this line
            except OckleError as error:
                self._context.report.warn("boards", str(error))
        mark = self._here.board(self._mac).reinstall
        image = self._here.image_of(self._mac)
        installation = self._here.installation(self._mac)
        asked = word in (Word.UNINSTALLED, Word.IMAGE) or (word is Word.INSTALLED and mark is MarkState.WANTED)
        problem = await self._images.problem(image) if asked else ""
        return Facts(mark, image, problem, installation.cut, bool(installation.loading))

    async def _do(self, effect: Effect) -> None:
        match effect:
            case Send():
                await self._send(effect)
            case Note():
                self._note(effect)
            case Know():
                self._boards.touch(self._mac, **dict(effect.known))
            case Log():
                self._boards.log(self._mac, effect.text)
                if effect.warn:
                    self._warn(effect.text)
            case Do.CONFIRM:
                self._confirm()
            case Do.OFFER:
                await self._offer()
            case Do.FINISH:
                self._sock.shutdown(socket.SHUT_WR)
            case Do.CLOSE:
                raise Gone

    def _note(self, note: Note) -> None:
        installation = self._here.installation(self._mac)
        if note.stage is Stage.FORMATTING:
            installation.formatted, installation.cut = False, ""
        elif note.stage is Stage.INSTALLED:
            installation.formatted = True
        elif note.stage is Stage.FAILED:
            self._warn(note.text)
        known: dict[str, Any] = dict(note.known)
        self._boards.note(self._mac, note.stage, note.text, ip=self._ip, **known)

    def _warn(self, text: str) -> None:
        self._context.report.warn(f"install {self._mac} {text[:40]}", f"{self._here.name_of(self._mac)} {text}")

    def _confirm(self) -> None:
        try:
            if self._boards.confirm_reinstall(self._mac):
                self._boards.log(self._mac, "was installed anew, as it was wanted")
        except OckleError as error:
            self._warn(f"is installed anew, which could not be written down: {error}")

    async def _offer(self) -> None:
        """Tell name, size and checksum of the root file system; a checksum that takes long is announced."""
        name = self._here.image_of(self._mac)
        try:
            image = await self._images.open(name)
            image.close()
            digest = self._images.digest(image)
            if not digest.done():
                await self._send(Send(("wait",)))
            text = f"image {quote(name)} {image.size} {await asyncio.shield(digest)} {self._get_port()}"
        except OckleError as error:
            text = f"noimage {error}"
        await self._send(Send((text,)))

    async def _send(self, command: Send) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await asyncio.get_running_loop().sock_sendall(self._sock, command.encode())
        except TimeoutError:
            self._boards.log(self._mac, "does not read what it is told; the connection is ended")
            raise Gone from None
