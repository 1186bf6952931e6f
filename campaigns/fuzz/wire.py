"""Targets on the wire of the daemon and of its devices: frames, messages, SNMP, HTTP, host keys."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import h11
from paramiko.hostkeys import HostKeys

from ockle.common.CommunicationMessage import MAX_DEPTH, Message, MessageError
from ockle.common.device import Device
from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceRefused
from ockle.common.http import Target as Place
from ockle.common.http import encoded, json_object, receive
from ockle.common.lines import LineBuffer, LineTooLong
from ockle.common.snmp import Answer, Missing, Pair, SnmpSettings, SnmpValue
from ockle.common.snmp_session import SnmpSession
from ockle.common.ssh_hostkeys import KnownHosts, pinned
from ockle.outlets.poe import PoE
from ockle.outlets.raritan import Raritan
from ockle.outlets.snmp_outlet import SnmpOutlet
from ockle.simulator import snmp_ber
from ockle.testers.http_metrics import HTTPMetrics

from .target import Target

T = TypeVar("T")


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; it must not wait for anything, so it needs no event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise AssertionError("it waits for more")


# -- socket


def frames(data: bytes) -> None:
    """Bytes in pieces of any size give the same lines as at once, and never more is kept than the limit allows."""
    limit, size, stream = (data[0] + 1, data[1] + 1, data[2:]) if len(data) > 2 else (1, 1, b"")
    buffer = LineBuffer(limit)
    lines: list[bytes] = []
    too_long = False
    try:
        for start in range(0, len(stream), size):
            buffer.feed(stream[start : start + size])
            while (line := buffer.take()) is not None:
                lines.append(line)
            assert len(buffer) <= limit
    except LineTooLong:
        too_long = True
        assert len(buffer) <= limit + size
    whole = stream.split(b"\n")[:-1]
    assert lines == whole[: len(lines)]
    assert too_long == any(len(line) > limit for line in stream.split(b"\n"))
    assert too_long or len(lines) == len(whole)


def messages(data: bytes) -> None:
    """Whatever was understood can be answered in one line of JSON, and comes back as it was."""
    line = data.replace(b"\n", b" ")  # a frame has none
    try:
        message = Message.parse_request(line)
    except MessageError:
        return
    for reply in (message.reply(message.data), message.refuse("denied", message.command)):
        encoded = reply.encode()
        assert encoded.count(b"\n") == 1 and encoded.endswith(b"\n")
        json.loads(encoded, parse_constant=_refuse_constant)
        again = Message.parse(encoded)
        assert again.command == message.command
        assert json.loads(again.encode()) == json.loads(encoded)


def _refuse_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is not JSON")


_DEEP = b'{"command":"a","id":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"

_LOOP = asyncio.new_event_loop()
"""For what wants one (SNMP reads set timers, a StreamReader asks for it); nothing has to wait on it."""

# -- SNMP

_TAGS = (None, "noSuchObject", "noSuchInstance", "endOfMibView", "Null")


class _AnyAnswer:
    """A wire whose agent answers with what the bytes say."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.left = 64

    def _next(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def _value(self) -> SnmpValue | Missing:
        kind = self._next() % 8
        if kind < 3:
            return self._next() - 128
        if kind == 3:
            return int.from_bytes(bytes(self._next() for _ in range(self._next() % 9)), "big", signed=True)
        if kind == 4:
            return bytes(self._next() for _ in range(self._next() % 9))
        if kind == 5:
            return ".".join(str(self._next()) for _ in range(self._next() % 9))
        return Missing(_TAGS[self._next() % len(_TAGS)] or "Opaque")

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        self.left -= 1
        if self.left < 0:
            raise DeviceAnswerError("enough")
        status = max(0, self._next() - 200)  # mostly no error
        index = self._next() - 2
        count = len(pairs) if self._next() % 8 else self._next()
        asked = [oid for oid, _ in pairs]
        names = [asked[place % len(asked)] if self._next() % 16 else "1.3.9" for place in range(count)]
        return Answer(status, index, [(name, self._value()) for name in names])

    async def close(self) -> None:
        return


def _snmp_outlets() -> list[SnmpOutlet]:
    def device(kind: str) -> dict[str, object]:
        return {"type": kind, "host": "127.0.0.1", "community": "c"}

    found: list[SnmpOutlet] = [Raritan(f"r{number}", device("Raritan"), {"outlet": number}) for number in (1, 2, 24)]
    for proof in ("auto", "delivering", "admin"):
        found += [PoE(f"{proof}{port}", device("PoE"), {"port": port, "proof": proof}) for port in (1, 48)]
    return found


_OUTLETS = _snmp_outlets()
_WHERE = SnmpSettings("127.0.0.1")


def snmp_answers(data: bytes) -> None:
    """Whatever an agent answers, an outlet is on, off, or an error: nothing else, and never without an end."""
    _LOOP.run_until_complete(_snmp_answers(data))


async def _snmp_answers(data: bytes) -> None:
    wire = _AnyAnswer(data)
    session = SnmpSession(_WHERE, wire)
    for outlet in _OUTLETS:
        outlet.device = Device("fuzz")
        outlet.device.shared("snmp", partial(outlet.watched, session))
        work: Any
        for work in (outlet._getOutletState(), outlet._setOutletState(True), outlet.updateData()):
            try:
                found = work and await work
            except DeviceError:
                continue
            assert found is None or found is True or found is False
        assert all(isinstance(value, int | float) for value in outlet.data.values())


def snmp_requests(data: bytes) -> None:
    """The lab's own decoder: what it understands it can write, and it understands that again."""
    try:
        message = snmp_ber.decode(data)
    except snmp_ber.BerError:
        return
    assert snmp_ber.decode(message.encode()) == message


_GET = snmp_ber.Message(1, b"public", snmp_ber.GET, 7, 0, 0, (snmp_ber.VarBind((1, 3, 6, 1, 2, 1, 1, 3, 0)),))
_ANSWER = _GET.answer([snmp_ber.VarBind((1, 3, 6, 1), snmp_ber.Value(snmp_ber.INTEGER, -1))])

# -- HTTP

_PLACE = Place("127.0.0.1", 80, "/events")
_METRICS = HTTPMetrics(
    "metrics", {"type": "HTTPMetrics"}, {"host": "127.0.0.1", "max_cpu_percent": 90, "max_num_pids": 9, "max_age": 60}
)


def http_answers(data: bytes) -> None:
    """Any bytes of a web server are an answer within the limits, or a DeviceError; so are the figures in it."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=512)
    encoded(connection, _PLACE)
    reader = asyncio.StreamReader(loop=_LOOP)
    reader.feed_data(data)
    reader.feed_eof()
    try:
        response = at_once(receive(connection, reader, _PLACE, 1024))
        assert len(response.body) <= 1024
        figures = json_object(response.text(), _PLACE.where)
    except DeviceError:
        return
    for problem in (*_METRICS._above_limits(figures), *_METRICS._too_old(figures)):
        assert len(problem) < 200


def urls(data: bytes) -> None:
    """Any text in place of a URL can be asked for or is refused."""
    try:
        place = Place.of(data.decode("utf-8", "surrogateescape"))
        asked = encoded(h11.Connection(h11.CLIENT), place)
    except DeviceRefused:
        return
    assert asked.startswith(b"GET /") and asked.count(b"\r\n\r\n") == 1


# -- SSH

_FOLDER = tempfile.TemporaryDirectory(prefix="ockle-fuzz-")
_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPqUMjHp1rQwTkrHYD3AJU9BUdDGY1xKpUsfQPr0OwnL"


def host_keys(data: bytes) -> None:
    """A file of known hosts that anybody wrote makes no connection fail that it does not concern."""
    path = Path(_FOLDER.name) / "known_hosts"
    path.write_bytes(data)
    keys = HostKeys()
    KnownHosts(str(path)).fill(keys, "web1")
    try:
        pinned(data.decode("utf-8", "replace"))
    except DeviceRefused:
        return


TARGETS = {
    "frames": Target(frames, (b"\x20\x05hello\nworld\n", b"\x03\x01too long\n", b"\xff\xff\n\n\n"), most=512),
    "messages": Target(
        messages,
        (b'{"command":"status","id":1,"data":{"servers":["web[1-4]"]}}', b'{"command":"\\ud800","id":1e999}', _DEEP),
    ),
    "snmp_answers": Target(snmp_answers, (bytes(range(64)), b"\x00\x01\x02\x00\x81" * 9), most=1024),
    "snmp_requests": Target(snmp_requests, (_GET.encode(), _ANSWER.encode()), most=1024),
    "http_answers": Target(
        http_answers,
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"cpu_percent": 1e3}',
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            b"HTTP/1.0 100 Continue\r\n\r\nHTTP/1.0 301 Moved\r\nLocation: /\r\n\r\n",
        ),
        most=2048,
    ),
    "urls": Target(urls, (b"http://127.0.0.1:8080/a?b=c", b"https://[::1]/", b"http://u:p@h/ \r\n"), most=512),
    "host_keys": Target(
        host_keys,
        (b"web1 " + _KEY + b"\n", b"@revoked * " + _KEY, b"|1|c2FsdA==|aGFzaA== " + _KEY),
        most=1024,
    ),
}
