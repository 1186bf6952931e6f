"""One connection to the daemon over the socket protocol (docs/protocol.md). Standard library only, no asyncio."""

from __future__ import annotations

import itertools
import socket
import time
from _thread import RLock  # what threading.RLock is, without importing threading for it
from collections import deque

try:
    from ...common.CommunicationMessage import EVENT, MAX_REPLY, UNKNOWN_COMMAND, Message, MessageError
    from ...common.lines import LineBuffer, LineTooLong
except ImportError:  # the documented old form, with src/ itself on the path: there `common` is a top-level package
    from common.CommunicationMessage import (  # type: ignore[import-not-found, no-redef]
        EVENT,
        MAX_REPLY,
        UNKNOWN_COMMAND,
        Message,
        MessageError,
    )
    from common.lines import LineBuffer, LineTooLong  # type: ignore[import-not-found, no-redef]

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ssl import SSLContext
    from typing import Any


DEFAULT_PORT = 8088
KEPT_EVENTS = 10_000
"""Events that may arrive while a call waits for its reply; older ones are dropped beyond that."""
_CHUNK = 1 << 16


class ClientError(Exception):
    """The daemon answered that it will not or cannot.

    ``code``  stable for programs, as listed in docs/protocol.md; ``unknown_command`` for a name it does not know
    ``data``  what the reply holds besides, such as the new plan of a ``conflict``
    """

    def __init__(self, code: str, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data or {}


class ConnectionFailed(Exception):
    """No connection, a lost one, or one that does not speak the protocol; the text names the address."""


class ReplyTimeout(ConnectionFailed):
    """No (whole) reply within the limit. The daemon may still be carrying the command out."""


class Connection:
    """Calls commands, and receives events once subscribed.

    Threads may share it: calls take turns, and events that arrive meanwhile are kept for ``next_event``. A thread that
    waits for events keeps the others waiting; give it a connection of its own.
    After ConnectionFailed it is closed; the next call connects anew, but a subscription is not taken up again.

    ``unix``     path of a Unix socket, in place of host and port
    ``token``    sent once per connection; needed from other machines
    ``tls``      True: the system's authorities; a path: a file with the daemon's or its authority's certificate
    ``timeout``  seconds for connecting and, unless a call says otherwise, for a reply
    ``via``      ``cli``, ``gui``, ``api`` or ``socket``, with ``user`` for the daemon's records
    ``role``     the most that this connection may do, whatever its token or its place gives; "" for all of that
    ``address``  of a web server: the IP address of its client, for the daemon's records
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        unix: str = "",
        token: str = "",
        tls: bool | str | SSLContext = False,
        timeout: float = 10.0,
        via: str = "",
        user: str = "",
        address: str = "",
        role: str = "",
    ) -> None:
        self.host, self.port, self.unix = host, port, unix
        self.address = f"unix:{unix}" if unix else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.timeout = timeout
        login = {"token": token, "via": via, "user": user, "address": address, "role": role}
        self._login = {key: value for key, value in login.items() if value}
        self._tls = tls
        self._lock = RLock()
        self._ids = itertools.count(1)
        self._socket: socket.socket | None = None
        self._buffer = LineBuffer(MAX_REPLY)
        self._events: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; commands that the daemon has begun go on there."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            self._buffer.clear()

    def connect(self) -> None:
        """Connect and log in, unless that is done. Raises ConnectionFailed, and ClientError for a wrong token."""
        with self._lock:
            if self._socket is not None:
                return
            try:
                self._socket = self._open()
            except (OSError, ValueError) as error:  # ValueError: a host name that cannot be encoded
                raise ConnectionFailed(f"cannot reach the daemon at {self.address}: {_why(error)}") from error
            if self._login:
                try:
                    self._exchange("login", self._login, self.timeout)
                except ClientError:
                    self.close()
                    raise

    def call(self, command: str, data: dict[str, Any] | None = None, timeout: float | None = None) -> dict[str, Any]:
        """Send a command and return the data of its reply.

        Raises ClientError when the daemon answers with an error, ReplyTimeout after ``timeout`` seconds, and
        ConnectionFailed when the connection cannot be made or is lost.
        """
        with self._lock:
            self.connect()
            return self._exchange(command, data, self.timeout if timeout is None else timeout)

    def send(self, command: str, data: dict[str, Any] | None = None) -> None:
        """Send a command whose reply nobody will read, such as one that stops the daemon."""
        with self._lock:
            self.connect()
            self._write(Message(command, data, next(self._ids)).encode())

    def subscribe(self, kinds: Sequence[str] = (), server: str = "", since_seq: int | None = None) -> dict[str, Any]:
        """Ask for events: of these kinds (all if none are named), of one server, after a sequence number.

        Returns the daemon's reply: ``{"seq": number of the newest event}``. Then call ``next_event``, or iterate
        over ``events``; ``call`` goes on working in between.
        """
        data: dict[str, Any] = {"kinds": list(kinds)} if kinds else {}
        if server:
            data["server"] = server
        if since_seq is not None:
            data["since_seq"] = since_seq
        return self.call("subscribe", data)

    def next_event(self, timeout: float | None = 0.0) -> dict[str, Any] | None:
        """Return the next event within ``timeout`` seconds (None: however long it takes), or None.

        Raises ClientError ``too_slow`` when the daemon dropped this subscriber because it did not keep up.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            if not self._events:
                try:
                    self._take_event(self._read(deadline, "an event"))
                except ReplyTimeout:
                    return None
            return self._events.popleft() if self._events else None

    def events(self, keep_alive: float = 30.0) -> Iterator[dict[str, Any]]:
        """Yield events for ever. After ``keep_alive`` quiet seconds the daemon is asked whether it is still there.

        Raises ConnectionFailed when it is not.
        """
        while True:
            event = self.next_event(keep_alive)
            if event is not None:
                yield event
            elif not self._events:
                self.call("ping")

    # -- bytes

    def _open(self) -> socket.socket:
        if self.unix:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.settimeout(self.timeout)
                link.connect(self.unix)
            except OSError:
                link.close()
                raise
            return link
        link = socket.create_connection((self.host, self.port), self.timeout)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._tls:
            return link
        import ssl

        try:
            if isinstance(self._tls, ssl.SSLContext):
                context = self._tls
            else:
                context = ssl.create_default_context(cafile=self._tls if isinstance(self._tls, str) else None)
            return context.wrap_socket(link, server_hostname=self.host)
        except OSError:  # SSLError is one, too
            link.close()
            raise

    def _exchange(self, command: str, data: dict[str, Any] | None, timeout: float) -> dict[str, Any]:
        number = next(self._ids)
        deadline = time.monotonic() + timeout
        self._write(Message(command, data, number).encode())
        while True:
            message = self._read(deadline, command)
            if message.command == EVENT:
                self._take_event(message)
            elif message.id == number or (message.id is None and message.error):
                return _result(message, command)
            # else: the late reply to a call that was given up

    def _take_event(self, message: Message) -> None:
        if message.command != EVENT:
            return
        if message.error:
            self.close()
            raise ClientError(message.error.get("code", "internal"), message.error.get("message", ""))
        self._events.append(message.data)

    def _write(self, line: bytes) -> None:
        if self._socket is None:
            raise ConnectionFailed(f"not connected to {self.address}")
        try:
            self._socket.settimeout(self.timeout)
            self._socket.sendall(line)
        except OSError as error:
            self.close()
            raise ConnectionFailed(f"lost the daemon at {self.address}: {_why(error)}") from error

    def _read(self, deadline: float | None, what: str) -> Message:
        """Return the next message; a part of one stays in the buffer when the time is over."""
        while True:
            try:
                line = self._buffer.take()
                if line is not None:
                    return Message.parse(line)
            except LineTooLong as error:
                self.close()
                raise ConnectionFailed(f"{self.address}: a reply of more than {MAX_REPLY} bytes") from error
            except MessageError as error:
                self.close()
                raise ConnectionFailed(f"{self.address} does not speak Ockle's protocol: {error}") from error
            self._buffer.feed(self._receive(deadline, what))

    def _receive(self, deadline: float | None, what: str) -> bytes:
        if self._socket is None:
            raise ConnectionFailed(f"not connected to {self.address}")
        wait = None if deadline is None else deadline - time.monotonic()
        try:
            # 0 would mean "do not block"; what has arrived already is still read when the time is over
            self._socket.settimeout(None if wait is None else max(wait, 1e-4))
            chunk = self._socket.recv(_CHUNK)
        except TimeoutError as error:
            raise ReplyTimeout(f"{self.address}: no reply to {what} in time") from error
        except OSError as error:
            self.close()
            raise ConnectionFailed(f"lost the daemon at {self.address}: {_why(error)}") from error
        if not chunk:
            self.close()
            raise ConnectionFailed(f"the daemon at {self.address} closed the connection")
        return chunk


def _result(message: Message, command: str) -> dict[str, Any]:
    if message.command == UNKNOWN_COMMAND:
        raise ClientError("unknown_command", f"the daemon does not know the command {command}")
    if message.error:
        error = message.error
        raise ClientError(str(error.get("code", "internal")), str(error.get("message", "")), message.data)
    return message.data


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
