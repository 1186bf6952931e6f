"""Runs the transfers: sockets on one side, the machines of ``transfer`` on the other.

The engine has an epoll of its own. Whoever runs it waits until ``fileno`` is readable, then calls ``service``, which
handles what comes in a tight loop for a few milliseconds: an event loop's callback per datagram would cost more than
the datagram. ``tick`` is for what has timed out.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable

from ...common.allowance import Allowance
from . import packet
from .clients import Client, Clients, Session
from .content import Content
from .events import Begun, Ended, Event, Moved, Refused, Trouble
from .files import BootFiles
from .names import View
from .negotiation import PLAIN_BLOCK, Limits, negotiate
from .packet import Code, Op, Request, TftpError
from .rules import MOST_BLOCKS, Rules, blocks_warning
from .sockets import Address, Link, Listener, Tids, answer_stranger
from .transfer import Ending, Transfer

SLICE_S = 0.005
"""How long ``service`` works before others have their turn."""
LINGER_S = 0.001
"""How long it waits for the next datagram: the answer to what was just sent comes sooner, mostly."""
TICK_S = 0.1
RESET_S = 0.5
"""Who asks again and was heard within this time was only answered late; a board that was reset is silent for longer."""
_REQUESTS_AT_ONCE = 16
_MOST_ADDRESSES = 64
_STRANGERS_PER_S = 100.0
_CONFIRM = int(socket.MSG_CONFIRM)
_ANSWER = 256
"""Bytes of what a client says in a transfer: an ACK has 4, the rest of a long error text is not missed."""


class Engine:
    """Serves ``files`` by ``rules``; may be used from one thread.

    ``view_of``  client's address -> how it sees the files
    ``tell``     is given every event
    """

    def __init__(
        self, files: BootFiles, rules: Rules, view_of: Callable[[str], View], tell: Callable[[Event], None]
    ) -> None:
        self._files = files
        self.rules = rules
        self._tell = tell
        self._epoll = select.epoll()
        self._listeners: dict[int, Listener] = {}
        self._strangers: dict[int, socket.socket] = {}
        self._tids: dict[str, Tids] = {}
        self._sessions: dict[int, Session] = {}  # by the descriptor of their socket
        self._peers: dict[Address, Session] = {}
        self._clients = Clients(rules, view_of, tell)
        self._count = 0
        self._gso = True
        self._stranger_allowance = Allowance(_STRANGERS_PER_S, _STRANGERS_PER_S, time.monotonic())

    def listen(self, address: str, port: int, interface: int = 0) -> tuple[str, int]:
        """Take requests at ``address`` too, from ``interface`` only unless it is 0; return where that is.

        Raises OckleError.
        """
        listener = Listener(address, port, interface)
        self._listeners[listener.socket.fileno()] = listener
        self._epoll.register(listener.socket, select.EPOLLIN)
        return listener.name

    def fileno(self) -> int:
        """Readable when there is work for ``service``."""
        return self._epoll.fileno()

    def close(self) -> None:
        """End everything; clients that were loading are told."""
        for session in list(self._sessions.values()):
            self._stop(session, Ending.STOPPED)
        for one in self._listeners.values():
            one.socket.close()
        for tids in self._tids.values():
            tids.close()
        self._files.close()
        self._epoll.close()

    def forget_views(self) -> None:
        """Ask anew how clients see the files."""
        self._clients.forget_views()

    # -- datagrams

    def service(self) -> None:
        """Handle what has come, and what comes soon after; returns after ``SLICE_S``, or when nothing comes."""
        end = time.monotonic() + SLICE_S
        poll, sessions = self._epoll.poll, self._sessions
        while True:
            events = poll(LINGER_S if sessions else 0, 64)
            now = time.monotonic()
            for descriptor, _ in events:
                session = sessions.get(descriptor)
                if session is not None:
                    self._serve(session, now)
                elif descriptor in self._listeners:
                    self._take_requests(self._listeners[descriptor], now)
                elif descriptor in self._strangers:
                    self._answer_stranger(self._strangers[descriptor], now)
            if not events or now >= end:
                return

    def _serve(self, session: Session, now: float) -> None:
        transfer = session.transfer
        try:
            data = session.receive(_ANSWER)
        except BlockingIOError:  # it is another one's descriptor since
            return
        except OSError:
            transfer.gone()
        else:
            session.heard = now
            out = transfer.receive(data, now)
            if out:
                self._send(session, out, _CONFIRM)
        if transfer.ending is not None:
            self._finish(session, now)

    def _send(self, session: Session, datagrams: list[bytes], flags: int = 0) -> None:
        try:
            session.link.send(datagrams, flags)
        except ConnectionRefusedError:
            session.transfer.gone()
        except OSError as error:
            session.transfer.stop(Ending.BROKEN, f"cannot send: {error.strerror}")

    def _answer_stranger(self, door: socket.socket, now: float) -> None:
        try:
            if self._stranger_allowance.peek(now) < 1:
                door.recv(1)
                return
            self._stranger_allowance.take(now)
            answer_stranger(door)
        except OSError:  # gone again, or it cannot be told: it was a stranger
            return

    # -- requests

    def _take_requests(self, listener: Listener, now: float) -> None:
        for _ in range(_REQUESTS_AT_ONCE):
            try:
                found = listener.receive()
            except OSError:  # mostly: there is no more
                return
            if found is not None:
                self._take_request(*found, now)

    def _take_request(self, data: bytes, peer: Address, asked: str, now: float) -> None:
        if packet.opcode(data) not in (Op.RRQ, Op.WRQ):
            return  # RFC 1350 has no answer to anything else here
        before = self._peers.get(peer)
        if before is not None:
            self._serve(before, now)  # its last ACK may wait there: it came before this
            before = self._peers.get(peer)
        if before is not None:
            if before.request == data and (not before.transfer.acked or now - before.heard < RESET_S):
                return  # asked again because the answer was late; that is repeated when its time comes
            self._stop(before, Ending.REPLACED, quiet=True)
        client = self._clients.asking(str(peer[0]), now)
        if client is None:
            return
        tids = self._tids_at(asked)
        if tids is None:
            return
        name = ""
        try:
            request = packet.parse_request(data)
            name = packet.printable(request.name)
            if request.write:
                raise TftpError(Code.ACCESS, "this server only reads")
            self._begin(request, data, client, peer, tids, now)
        except TftpError as error:
            with contextlib.suppress(OSError):  # as good as lost; it will ask again
                tids.sockets[0].sendto(packet.error(error.code, str(error)), peer)
            self._tell(Refused(client.view.mac, client.ip, name, error.code, _reason(error)))

    def _begin(self, request: Request, data: bytes, client: Client, peer: Address, tids: Tids, now: float) -> None:
        """Open what is asked for and send its first datagram. Raises TftpError for what is refused."""
        try:
            loser = self._clients.who_gives_way(client, len(self._sessions), now)
        except LookupError:
            self._tell(Trouble("tftp-full", f"TFTP: all {self.rules.transfers} transfers are taken; {client.ip} waits"))
            return
        file, content = self._files.open(request.name, request.mode, client.view, tids.address.partition("%")[0])
        try:
            link = Link(tids.next(), peer)
        except OSError as error:
            content.close()
            raise TftpError(Code.UNDEFINED, f"no socket: {error.strerror}") from error
        try:
            transfer = self._transfer(request, file, content, link)
            self._epoll.register(link.socket, select.EPOLLIN)
        except BaseException:
            link.socket.close()
            content.close()
            raise
        if loser is not None:
            self._stop(loser, Ending.CROWDED)
        self._count += 1
        session = Session(self._count, client, peer, data, link, content, transfer, now, now)
        self._sessions[link.socket.fileno()] = self._peers[peer] = session
        client.sessions.add(session)
        size = -1 if content.size is None else content.size
        asked, served = packet.printable(request.name), packet.printable(file)
        self._tell(Begun(session.number, client.view.mac, client.ip, asked, served, size))
        self._send(session, transfer.start(now))
        if transfer.ending is not None:
            self._finish(session, now)

    def _transfer(self, request: Request, file: str, content: Content, link: Link) -> Transfer:
        rules = self.rules
        frame = link.frame_block() if request.options else PLAIN_BLOCK
        terms = negotiate(request.options, Limits(rules.max_block or frame, rules.max_window), content.size)
        if terms.window > 1 and self._gso and terms.block <= frame:
            link.segments(terms.block)
        if warning := blocks_warning(packet.printable(file), content.size or 0, terms.block):
            self._tell(Trouble(f"tftp-blocks {file}", warning))
            if rules.rollover == "refuse":
                raise TftpError(Code.UNDEFINED, f"more than {MOST_BLOCKS} blocks")
        return Transfer(content.read, terms, timeout_s=rules.timeout_s, tries=rules.tries, modulus=rules.modulus)

    def _tids_at(self, address: str) -> Tids | None:
        tids = self._tids.get(address)
        if tids is None and len(self._tids) < _MOST_ADDRESSES:
            try:
                tids = self._tids[address] = Tids(address)
            except OSError as error:
                self._tell(Trouble(f"tftp-bind {address}", f"TFTP: no sockets at {address}: {error.strerror}"))
                return None
            for one in tids.sockets:
                self._strangers[one.fileno()] = one
                self._epoll.register(one, select.EPOLLIN)
        return tids

    # -- time and ends

    def tick(self) -> bool:
        """Repeat what has timed out and tell how far transfers are; call it every ``TICK_S``. Tells whether any run."""
        now = time.monotonic()
        for session in list(self._sessions.values()):
            transfer = session.transfer
            if transfer.deadline <= now:
                out = transfer.expired(now)
                if out:
                    self._send(session, out)
                if transfer.ending is not None:
                    self._finish(session, now)
                    continue
            if transfer.acked != session.told:
                session.told = transfer.acked
                self._tell(Moved(session.number, session.sent, transfer.retries))
        return bool(self._sessions)

    def forget(self) -> None:
        """Forget clients that have been quiet; call it now and then."""
        self._clients.forget(time.monotonic())

    def _stop(self, session: Session, ending: Ending, *, quiet: bool = False) -> None:
        session.transfer.stop(ending)
        if not quiet:
            with contextlib.suppress(OSError):  # it will find out
                session.link.socket.send(packet.error(Code.UNDEFINED, str(ending)))
        self._finish(session, time.monotonic())

    def _finish(self, session: Session, now: float) -> None:
        del self._sessions[session.link.socket.fileno()]
        self._peers.pop(session.peer, None)
        session.client.sessions.discard(session)
        if self._gso and session.link.refused:
            self._gso = False
            self._tell(Trouble("tftp-gso", "TFTP: this network card or kernel wants every datagram by itself"))
        session.link.socket.close()
        session.content.close()
        transfer = session.transfer
        ending = transfer.ending or Ending.BROKEN
        self._tell(
            Ended(
                session.number, ending.name, transfer.why, session.sent, transfer.retries, max(0.0, now - session.begun)
            )
        )


def _reason(error: TftpError) -> str:
    cause = error.__cause__
    return (cause.strerror or str(cause)) if isinstance(cause, OSError) else str(error)
