"""The engine by itself, step by step: what comes in which order, and who gives way to whom."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ockle.netboot.tftp.clients import PATIENCE_S, Client, Clients, Session
from ockle.netboot.tftp.content import Text
from ockle.netboot.tftp.engine import Engine
from ockle.netboot.tftp.events import Begun, Ended, Event, Refused
from ockle.netboot.tftp.files import BootFiles
from ockle.netboot.tftp.names import View
from ockle.netboot.tftp.negotiation import Terms
from ockle.netboot.tftp.rules import Rules
from ockle.netboot.tftp.sockets import Link
from ockle.netboot.tftp.transfer import Transfer
from tftp_client import DATA, client, number, op, rrq


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[Engine, list[Event]]]:
    events: list[Event] = []
    one = Engine(BootFiles(tmp_path), Rules(), lambda ip: View(), events.append)
    yield one, events
    one.close()


def test_23_a_request_after_the_last_ack_is_a_new_one_although_that_was_not_read_yet(
    engine: tuple[Engine, list[Event]], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    running, events = engine
    with client(running.listen("127.0.0.1", 0)) as one:
        one.raw(rrq("f"))
        running.service()
        assert op(one.receive()) == DATA
        one.raw(b"\0\4\0\0")  # so that requests are looked at first
        one.ack(1)
        one.raw(rrq("f"))
        running.service()
        answer = one.receive()
        assert op(answer) == DATA and number(answer) == 1
    assert [type(event) for event in events] == [Begun, Ended, Begun]
    assert isinstance(events[1], Ended) and events[1].ending == "DONE" and events[1].sent == 100


def test_what_is_told_can_be_printed(engine: tuple[Engine, list[Event]], tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xe9\x1b[2J")).write_bytes(b"x")
    running, events = engine
    with client(running.listen("127.0.0.1", 0)) as one:
        for name in (b"\xe9\x1b[2J", b"\xe9\n"):
            one.raw(rrq(name))
            running.service()
            one.receive()
    begun, _, refused = events[0], events[1], events[-1]
    assert isinstance(begun, Begun) and begun.asked == begun.file == "??[2J"
    assert isinstance(refused, Refused) and refused.asked == "??"


def play(engine: Engine, events: list[Event], seconds: float = 5.0) -> Ended:
    """Run the engine until a transfer has ended."""
    deadline = time.monotonic() + seconds
    while not any(isinstance(event, Ended) for event in events):
        assert time.monotonic() < deadline
        engine.service()
        engine.tick()
    return next(event for event in events if isinstance(event, Ended))


@pytest.mark.parametrize("leaves", [False, True])
def test_14_a_client_that_never_acknowledges_or_has_left(tmp_path: Path, leaves: bool) -> None:
    (tmp_path / "f").write_bytes(b"x" * 5000)
    events: list[Event] = []
    engine = Engine(BootFiles(tmp_path), Rules(timeout_s=0.02, tries=3), lambda ip: View(), events.append)
    try:
        with client(engine.listen("127.0.0.1", 0)) as one:
            one.raw(rrq("f"))
            engine.service()
            if not leaves:
                ended = play(engine, events)
                assert ended.ending == "SILENT" and ended.retries == 3
                assert [number(one.receive()) for _ in range(4)] == [1] * 4 and one.silence()
        if leaves:
            ended = play(engine, events)
            assert ended.ending == "CLIENT" and ended.why == "port closed" and ended.retries < 3
    finally:
        engine.close()


def test_a_kernel_that_does_not_cut_datagrams_gets_them_one_by_one() -> None:
    with client(("127.0.0.1", 9)) as one:
        link = Link(("127.0.0.1", 0), one.socket.getsockname())
        try:
            link.segments(512)
            datagrams = [bytes([at]) * 516 for at in range(70)] + [b"last"]
            link.send(datagrams, 0)
            assert not link.refused and [one.receive() for _ in datagrams] == datagrams
            link.socket.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK: without checksums it cannot
            link.send(datagrams, 0)
            assert link.refused and [one.receive() for _ in datagrams] == datagrams
            link.send(datagrams[:3], 0)
            assert [one.receive() for _ in range(3)] == datagrams[:3]
        finally:
            link.socket.close()


class Crowd:
    """Clients with sessions of which each was heard at a moment."""

    def __init__(self, stack: ExitStack, rules: Rules) -> None:
        self._stack = stack
        self.clients = Clients(rules, lambda ip: View(), lambda event: None)
        self.count = 0

    def client(self, ip: str, *heard: float) -> Client:
        found = self.clients.asking(ip, 0.0)
        assert found is not None
        for moment in heard:
            self.count += 1
            link = Link(("127.0.0.1", 0), ("127.0.0.1", 9))
            self._stack.callback(link.socket.close)
            transfer = Transfer(Text(b"").read, Terms(), timeout_s=1.0, tries=1)
            session = Session(self.count, found, (ip, 9), b"", link, Text(b""), transfer, moment, moment)
            found.sessions.add(session)
        return found

    def loser(self, asking: Client, now: float) -> tuple[str, float] | None:
        session = self.clients.who_gives_way(asking, self.count, now)
        return None if session is None else (session.client.ip, session.heard)


def test_21_who_gives_way() -> None:
    with ExitStack() as stack:
        crowd = Crowd(stack, Rules(transfers=6, client_transfers=4))
        greedy = crowd.client("10.0.0.1", 5.0, 3.0, 4.0)
        modest = crowd.client("10.0.0.2", 1.0)
        assert crowd.loser(greedy, 9.0) is None  # there is room
        crowd.client("10.0.0.1", 6.0)
        assert crowd.loser(greedy, 9.0) == ("10.0.0.1", 3.0)  # its own share is used up
        crowd.client("10.0.0.3", 2.0)
        assert crowd.loser(modest, 9.0) == ("10.0.0.1", 3.0)  # no room: the one with most loses one
        assert crowd.loser(crowd.client("10.0.0.4"), 9.0) == ("10.0.0.1", 3.0)


def test_21_where_all_have_one_only_a_silent_one_gives_way() -> None:
    with ExitStack() as stack:
        crowd = Crowd(stack, Rules(transfers=3))
        for at in (1, 2, 3):
            crowd.client(f"10.0.0.{at}", float(at))
        late = crowd.client("10.0.0.9")
        with pytest.raises(LookupError):
            crowd.loser(late, 1.0 + PATIENCE_S - 0.1)
        assert crowd.loser(late, 1.0 + PATIENCE_S) == ("10.0.0.1", 1.0)


def test_clients_are_forgotten_once_they_are_quiet() -> None:
    with ExitStack() as stack:
        crowd = Crowd(stack, Rules())
        quiet, busy = crowd.client("10.0.0.1"), crowd.client("10.0.0.2", 1.0)
        crowd.clients.forget(1.0)
        assert crowd.clients.asking("10.0.0.1", 1.0) is quiet
        crowd.clients.forget(1000.0)
        assert crowd.clients.asking("10.0.0.1", 1000.0) is not quiet
        assert crowd.clients.asking("10.0.0.2", 1000.0) is busy
