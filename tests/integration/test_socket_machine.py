"""Clients of all kinds at once, in any order: whatever they do, whoever keeps to the protocol is served."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ockle.webserver.ockle_client.connection import Connection
from socket_site import connect, listening, raw, read_line, tokens


class Clients(RuleBasedStateMachine):
    """``clean`` have sent whole messages only, ``broken`` owe the rest of one."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.services, self.listener = self.stack.enter_context(
            listening(read_timeout=5.0, max_message=4096, max_connections=40, **tokens(admin="secret"))
        )
        self.polite: Connection = self.stack.enter_context(connect(self.listener))
        self.polite.call("echo")
        self.clean: list[socket.socket] = []
        self.broken: list[tuple[socket.socket, bytes]] = []
        self.number = 0

    def teardown(self) -> None:
        for link in (*self.clean, *(link for link, _ in self.broken)):
            link.close()
        self.stack.close()

    def _exchange(self, link: socket.socket, line: bytes) -> dict[str, object]:
        link.sendall(line + b"\n")
        found: dict[str, object] = json.loads(read_line(link))
        return found

    @precondition(lambda self: len(self.clean) + len(self.broken) < 20)
    @rule()
    def arrive(self) -> None:
        self.clean.append(raw(self.listener))

    @precondition(lambda self: self.clean)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        link = data.draw(st.sampled_from(self.clean))
        self.number += 1
        found = self._exchange(link, b'{"command":"echo","id":%d}' % self.number)
        assert found == {"command": "echo", "id": self.number, "data": {}}

    @precondition(lambda self: self.clean)
    @rule(data=st.data())
    def ask_for_what_is_not_there(self, data: st.DataObject) -> None:
        link = data.draw(st.sampled_from(self.clean))
        assert self._exchange(link, b'{"command":"\\ud800","id":1}')["command"] == "Unknown Command"

    @precondition(lambda self: self.clean)
    @rule(data=st.data(), junk=st.sampled_from([b"{", b"[]", b"\xff", b'{"command":{}}', b"[" * 999]))
    def send_junk(self, data: st.DataObject, junk: bytes) -> None:
        link = data.draw(st.sampled_from(self.clean))
        error = self._exchange(link, junk)["error"]
        assert isinstance(error, dict)
        assert error["code"] == "bad_request"

    @precondition(lambda self: self.clean)
    @rule(data=st.data(), count=st.integers(1, 60))
    def flood(self, data: st.DataObject, count: int) -> None:
        link = data.draw(st.sampled_from(self.clean))
        link.sendall(b'{"command":"echo"}\n' * count)
        assert all(json.loads(read_line(link))["command"] == "echo" for _ in range(count))

    @precondition(lambda self: self.clean)
    @rule(data=st.data(), cut=st.integers(1, 17))
    def begin_a_message(self, data: st.DataObject, cut: int) -> None:
        link = data.draw(st.sampled_from(self.clean))
        self.clean.remove(link)
        line = b'{"command":"echo"}\n'
        link.sendall(line[:cut])
        self.broken.append((link, line[cut:]))

    @precondition(lambda self: self.broken)
    @rule(data=st.data())
    def end_the_message(self, data: st.DataObject) -> None:
        link, rest = data.draw(st.sampled_from(self.broken))
        self.broken.remove((link, rest))
        link.sendall(rest)
        assert json.loads(read_line(link))["command"] == "echo"
        self.clean.append(link)

    @precondition(lambda self: self.broken)
    @rule(data=st.data(), reset=st.booleans())
    def vanish_in_the_middle(self, data: st.DataObject, reset: bool) -> None:
        link, rest = data.draw(st.sampled_from(self.broken))
        self.broken.remove((link, rest))
        if reset:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        link.close()

    @precondition(lambda self: self.clean)
    @rule(data=st.data())
    def send_too_much(self, data: st.DataObject) -> None:
        link = data.draw(st.sampled_from(self.clean))
        self.clean.remove(link)
        link.sendall(b"x" * 10_000)
        assert json.loads(read_line(link))["error"]["code"] == "too_long"
        assert read_line(link) == b""
        link.close()

    @invariant()
    def the_polite_client_is_served(self) -> None:
        assert self.polite.call("echo", {"n": 1}) == {"n": 1}

    @invariant()
    def nobody_is_forgotten_or_kept(self) -> None:
        assert len(self.polite.call("who")["clients"]) <= 40


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def test_a_thousand_begun_messages() -> None:
    """Half-open in the worst way: each has begun a message. They are turned away or dropped, the others served."""
    with ExitStack() as stack:
        _services, listener = stack.enter_context(listening(read_timeout=0.5))
        first = stack.enter_context(connect(listener))
        assert first.call("echo") == {}
        links = [stack.enter_context(raw(listener)) for _ in range(1000)]
        for link in links:
            try:
                link.sendall(b'{"comm')
            except ConnectionError:  # turned away already
                continue
        assert first.call("echo", {"n": 1}) == {"n": 1}
        for link in links:
            try:
                while read_line(link):
                    pass
            except ConnectionError:
                continue
        deadline = time.monotonic() + 10  # the last ones are dropped in these moments
        while len(first.call("who")["clients"]) > 1:
            assert time.monotonic() < deadline
