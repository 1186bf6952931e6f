"""One client of the socket server: reads its requests, has them carried out, writes replies and events."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .access import ROLES, Action, Caller, Grant, least
from .CommunicationMessage import EVENT, Message, MessageError
from .events import Event
from .lines import LineBuffer, LineTooLong

if TYPE_CHECKING:
    from .socket_server import SocketServer

log = logging.getLogger(__name__)

PIPELINE = 8
"""Requests of one connection that are carried out at the same time; reading pauses beyond that."""
EVENT_QUEUE = 1000
"""Events that may wait for a slow subscriber before it is dropped."""
WRITE_TIMEOUT_S = 30.0
LOGIN_TIMEOUT_S = 30.0
"""How long a client without a role may stay before it logs in."""
LOGIN_TRIES = 3
REFUSED_LOGIN_PAUSE_S = 0.5
LINGER_S = 1.0
VIAS = frozenset({"cli", "gui", "api", "socket"})
_CHUNK = 1 << 16
# A web page can make a browser post to a port of this machine; such a request must not get as far as its body.
_HTTP = re.compile(rb"[A-Z]{3,10} \S+ HTTP/\d")


@dataclass(slots=True)
class Subscription:
    """What a subscriber wants. ``last_seq``: the newest event that it got or that is queued for it."""

    id: Any
    kinds: frozenset[str]
    server: str
    last_seq: int

    def wants(self, event: Event) -> bool:
        return (
            event.seq > self.last_seq
            and (not self.kinds or event.kind in self.kinds)
            and (not self.server or event.server == self.server)
        )


class Session:
    """A connection. Everything here runs on the server's event loop except the commands themselves.

    ``role``  "" until the client has logged in, unless its address gives it one
    ``most``  what it asked to be held to
    """

    def __init__(
        self, server: SocketServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, role: str
    ) -> None:
        self.server = server
        self.address = address
        self.role = role
        self.most = ROLES[-1]
        self.name = "local" if role else ""
        self.via = "socket"
        self.reported = ""
        self.grant: Grant | None = None
        self.since = time.time()
        self.subscription: Subscription | None = None
        self._reader, self._writer = reader, writer
        self._buffer = LineBuffer(server.settings.max_message)
        self._slots = asyncio.Semaphore(PIPELINE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._outgoing: deque[Message | Event] = deque()
        self._waiting_events = 0
        self._event_limit = EVENT_QUEUE
        self._something = asyncio.Event()
        self._leaving = False  # no more requests and events
        self._closing = False  # all that was asked has been answered
        self._failed_logins = 0
        self._login_deadline = asyncio.get_running_loop().time() + LOGIN_TIMEOUT_S
        self._reading: asyncio.Task[None] | None = None
        self._refused = False

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": self.role,
            "address": self.address,
            "via": self.via,
            "since": self.since,
            "subscribed": self.subscription is not None,
        }

    async def serve(self) -> None:
        """Serve until the client leaves, breaks the rules, or the server stops."""
        writing = asyncio.create_task(self._write())
        self._reading = asyncio.create_task(self._read_requests())
        try:
            await asyncio.wait({self._reading})
            if self._tasks:  # what was asked is done, even for a client that does not wait for the replies
                await asyncio.wait(self._tasks)
            self._closing = True
            self._something.set()
            await writing
        finally:
            self._reading.cancel()
            writing.cancel()
            self._writer.transport.abort()  # whatever is worth it has been flushed

    # -- reading

    async def _read_requests(self) -> None:
        while True:
            try:
                line = await self._read_line()
            except TimeoutError:
                self._refuse("timeout", "the rest of the message did not come in time" if self.role else "no login")
                return
            except LineTooLong:
                self._refuse("too_long", f"a message may have {self.server.settings.max_message} bytes")
                return
            except OSError as error:
                log.debug("client %s: %s", self.address, error)
                return
            if line is None:
                return
            if not line.strip():
                continue
            if _HTTP.match(line):
                self._refuse("bad_request", "this is no web server")
                return
            await self.server.wait_turn(self.address)
            try:
                message = Message.parse_request(line)
            except MessageError as error:
                self._refuse("bad_request", str(error))
                continue
            if message.command == "login":  # in order: what follows may need the role
                self._send(await self._log_in(message))
                if self._failed_logins >= LOGIN_TRIES:
                    return
                continue
            await self._slots.acquire()
            task = asyncio.create_task(self._answer(message))
            self._tasks.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and task.exception() is not None:
            log.error("client %s: answering failed", self.address, exc_info=task.exception())

    async def _read_line(self) -> bytes | None:
        """Return the next line, None at the end. An idle connection may stay; a begun message has a limit of time."""
        clock = asyncio.get_running_loop().time
        deadline = None if self.role else self._login_deadline
        begun = False
        while (line := self._buffer.take()) is None:
            if len(self._buffer) and not begun:
                begun = True
                deadline = clock() + self.server.settings.read_timeout
            wait = None if deadline is None else max(deadline - clock(), 0.0)
            chunk = await asyncio.wait_for(self._reader.read(_CHUNK), wait)
            if not chunk:
                return None
            self._buffer.feed(chunk)
        return line

    # -- answering

    async def _answer(self, message: Message) -> None:
        self._look_again()
        if not self.role and not self.server.handler.is_open(message.command):
            self._send(message.refuse("denied", "log in first: send the command login with a token"))
        elif message.command == "subscribe":
            self._subscribe(message)
        elif message.command == "unsubscribe":
            self.subscription = None
            self._send(message.reply())
        elif message.command == "ping":
            self._send(message.reply({"time": time.time()}))
        else:
            self._send(await self.server.carry_out(message, self._caller()))

    def _caller(self) -> Caller:
        return Caller(self.name, self.role, self.via, self.address, self.reported, self.grant)

    def _look_again(self) -> None:
        """Take the role that the token gives now: a login may have ended meanwhile, a user have another role."""
        if self.grant is not None:
            self.grant = self.server.current(self.grant)
            if self.grant is None:
                self._log_out()
            else:
                self.role = least(self.grant.role, self.most)

    def _log_out(self) -> None:
        """Go on without any role, also not that of a local client: who named a token is meant to be held to it."""
        self.role, self.name, self.grant = "", "", None
        self.subscription = None
        self._login_deadline = asyncio.get_running_loop().time() + LOGIN_TIMEOUT_S

    async def _log_in(self, message: Message) -> Message:
        """Take a token for a role. Without one a client only tells who and what it is, and keeps the role it has."""
        keys = ("token", "via", "user", "address", "role")
        token, via, user, address, most = (message.data.get(key, "") for key in keys)
        if not all(isinstance(value, str) for value in (token, via, user, address, most)):
            return message.refuse("bad_request", "token, via, user, address and role are texts")
        if most and most not in ROLES:
            return message.refuse("bad_request", f"role is one of {', '.join(ROLES)}")
        if address and not _is_address(address):
            return message.refuse("bad_request", "address is an IP address")
        if via in VIAS:
            self.via = via
        self.reported = address
        who = "".join(letter for letter in user if letter.isprintable())[:64]
        if "token" in message.data and (token or not self.role):
            grant = self.server.grant(token)
            if grant is None:
                return await self._refuse_login(message, who)
            self.grant, self.role, self.name = grant, grant.role, grant.name
        if most:
            self.most = least(most, self.most)
        self.role = least(self.role, self.most)
        # what the client claims, beside what is known of it
        if who not in ("", self.name) and self.role and not (self.grant and self.grant.user):
            self.name = f"{who} ({self.name})" if not self.name.endswith(")") else self.name
        return message.reply({"role": self.role, "name": self.name, "user": self.grant.user if self.grant else ""})

    async def _refuse_login(self, message: Message, who: str) -> Message:
        self._failed_logins += 1
        self._log_out()
        log.warning("client %s: login refused", self.address)
        caller = Caller(who, "", self.via, self.address, self.reported)
        text = "wrong token, or it has ended"
        await self.server.record(Action(caller, "login", {}, "denied", text))
        await asyncio.sleep(REFUSED_LOGIN_PAUSE_S)  # slows guessing down
        return message.refuse("denied", text)

    def _subscribe(self, message: Message) -> None:
        kinds, server, since = (message.data.get(key) for key in ("kinds", "server", "since_seq"))
        if kinds is not None and not (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)):
            self._send(message.refuse("bad_request", "kinds is a list of texts"))
        elif server is not None and not isinstance(server, str):
            self._send(message.refuse("bad_request", "server is a name"))
        elif since is not None and (isinstance(since, bool) or not isinstance(since, int)):
            self._send(message.refuse("bad_request", "since_seq is a number"))
        else:
            newest = self.server.newest_seq()
            start = newest if since is None else min(since, newest)
            self.subscription = Subscription(message.id, frozenset(kinds or ()), server or "", start)
            self._send(message.reply({"seq": newest}))
            missed = self.server.events.since(start)
            # the replay of what is kept anyway does not count as slowness
            self._event_limit = EVENT_QUEUE + self._waiting_events + len(missed)
            for event in missed:
                self.offer(event)

    # -- writing

    def offer(self, event: Event) -> None:
        """Queue an event if this client wants it; drops the client when it is too slow."""
        subscription = self.subscription
        if subscription is None or self._leaving or not subscription.wants(event):
            return
        self._look_again()
        if not self.role:
            self._send(Message(EVENT, None, subscription.id, problem("denied", "the login has ended")))
            self.leave()
            return
        if self._waiting_events >= self._event_limit:
            log.warning("client %s: too slow for its events, dropped", self.address)
            self._outgoing.clear()
            self._send(Message(EVENT, None, subscription.id, problem("too_slow", "too slow for the events: dropped")))
            self.subscription = None
            self.leave()
            return
        subscription.last_seq = event.seq
        self._outgoing.append(event)
        self._waiting_events += 1
        self._something.set()

    def leave(self) -> None:
        """Have the connection closed once what was asked has been answered, and all that is queued is written."""
        self._leaving = True
        if self._reading is not None:
            self._reading.cancel()

    def _refuse(self, code: str, text: str) -> None:
        """Answer what is no request: there is no command and no id to name."""
        self._refused = True
        self._send(Message("error", error=problem(code, text)))

    def _send(self, message: Message) -> None:
        self._outgoing.append(message)
        self._something.set()

    async def _write(self) -> None:
        """Write what is queued; one task per client, so that only its own slowness can hold it up."""
        try:
            while True:
                while self._outgoing:
                    line = self._encode(self._outgoing.popleft())
                    self._writer.write(line)
                    if self._writer.transport.get_write_buffer_size() > _CHUNK:
                        await asyncio.wait_for(self._writer.drain(), WRITE_TIMEOUT_S)
                if self._closing:
                    break
                self._something.clear()
                await self._something.wait()
            self._writer.transport.set_write_buffer_limits(0)  # from here on drain means: all of it
            await asyncio.wait_for(self._writer.drain(), WRITE_TIMEOUT_S)
            if self._refused:
                await self._linger()
        except TimeoutError:
            log.info("client %s does not read its replies: dropped", self.address)
        except OSError as error:
            log.debug("client %s: %s", self.address, error)
        finally:
            self.leave()

    def _encode(self, item: Message | Event) -> bytes:
        if isinstance(item, Message):
            return item.encode()
        self._waiting_events -= 1
        if self.subscription is None:
            return b""
        return Message(EVENT, item.as_dict(), self.subscription.id).encode()

    async def _linger(self) -> None:
        """Let the client read the refusal: closing while it still sends would reset the connection under it."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while await self._reader.read(_CHUNK):
                    pass


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def problem(code: str, message: str) -> dict[str, str]:
    """Return the error part of a message."""
    return {"code": code, "message": message}
