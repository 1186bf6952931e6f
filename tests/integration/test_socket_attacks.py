"""The socket listener under clients that break the rules: it answers or closes, and goes on serving the others."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from socket_site import Services, connect, listening, port_of, raw, read_line, tokens

Site = tuple[Services, SocketListener]


@pytest.fixture
def site() -> Iterator[Site]:
    with listening(read_timeout=0.3, max_message=4096) as found:
        yield found


def still_serves(listener: SocketListener) -> bool:
    with connect(listener) as client:
        return client.call("echo", {"n": 1}) == {"n": 1}


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"{",
        b"[1]",
        b"null",
        b'{"data":{}}',
        b'{"command":7}',
        b'{"command":"echo","data":[1]}',
        b"\xff\xfe",
        b"[" * 2000,
        b'{"command":"echo","error":3}',
        b'{"command":"subscribe","data":{"kinds":"state"}}',
        b'{"command":"subscribe","data":{"kinds":[[]]}}',
        b'{"command":"subscribe","data":{"since_seq":"1"}}',
        b'{"command":"subscribe","data":{"server":{}}}',
        b'{"command":"login","data":{"token":{}}}',
    ],
)
def test_a_bad_message_gets_an_error_and_the_connection_lives(site: Site, line: bytes) -> None:
    with raw(site[1]) as link:
        link.sendall(line + b"\n")
        assert json.loads(read_line(link))["error"]["code"] == "bad_request"
        link.sendall(b'{"command":"echo","id":2}\n')
        assert json.loads(read_line(link)) == {"command": "echo", "id": 2, "data": {}}


@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_message_that_is_too_long_is_refused_and_ends_the_connection(site: Site, tail: bytes) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":"echo","data":{"a":"' + b"x" * 200_000 + b'"}}' + tail)
        assert json.loads(read_line(link))["error"]["code"] == "too_long"
        assert read_line(link) == b""
    assert still_serves(site[1])


def test_the_rest_of_a_begun_message_must_come_in_time(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":')
        assert json.loads(read_line(link))["error"]["code"] == "timeout"
        assert read_line(link) == b""


def test_a_web_page_cannot_smuggle_a_command(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n{"command":"switch","id":1}\n')
        assert json.loads(read_line(link))["error"]["message"] == "this is no web server"
        assert read_line(link) == b""


def test_half_open_and_vanishing_clients(site: Site) -> None:
    for data in (b"", b'{"comm', b'{"command":"big","data":{"size":3000000}}\n' * 3):
        link = raw(site[1])
        link.sendall(data)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
        link.close()
    assert still_serves(site[1])


def test_a_client_that_stops_sending_still_gets_its_replies(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":"echo","id":1}\n{"command":"echo","id":2}\n')
        link.shutdown(socket.SHUT_WR)
        assert {json.loads(read_line(link))["id"], json.loads(read_line(link))["id"]} == {1, 2}
        assert read_line(link) == b""


def test_a_thousand_idle_connections(site: Site) -> None:
    services, listener = site
    with ExitStack() as stack, connect(listener) as first:
        assert first.call("echo") == {}
        links = [stack.enter_context(raw(listener)) for _ in range(1000)]
        turned_away = [link for link in links if _was_turned_away(link)]
        assert len(turned_away) == 801  # 200 are let in, one of them is `first`
        assert first.call("echo", {"n": 2}) == {"n": 2}
        assert len(first.call("who")["clients"]) == 200
    assert services.communicationHandler.commands()


def _was_turned_away(link: socket.socket) -> bool:
    """The server answers in order, so a link that is served answers a ping, and any other has its refusal."""
    try:
        link.sendall(b'{"command":"ping"}\n')
        line = read_line(link)
    except ConnectionError:
        return True
    return not line or json.loads(line).get("error", {}).get("code") == "busy"


def test_a_slow_reader_is_dropped_and_delays_nobody(site: Site) -> None:
    services, listener = site
    with connect(listener) as slow, connect(listener) as fast:
        slow.subscribe()
        fast.subscribe()
        text = "x" * 10_000
        for number in range(6000):
            services.events.publish("state", text, n=number)
            event = fast.next_event(10)
            assert event and event["data"]["n"] == number
        assert not next(one for one in fast.call("who")["clients"] if one["since"] == _oldest(fast))["subscribed"]
        with pytest.raises(ClientError) as caught:
            while slow.next_event(10):
                pass
        assert caught.value.code == "too_slow"


def _oldest(client: Connection) -> float:
    return float(min(one["since"] for one in client.call("who")["clients"]))


def test_pipelining_is_bounded(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":"wait"}\n' * 100)
        with connect(site[1]) as other:
            assert other.call("echo") == {}  # the workers are not all taken
        site[0].hold.set()
        assert all(json.loads(read_line(link))["data"] == {"released": True} for _ in range(100))


def test_guessing_tokens_ends_the_connection() -> None:
    with listening(local_role="none", **tokens(admin="secret")) as (_services, listener):
        with raw(listener) as link:
            link.sendall(b'{"command":"login","data":{"token":"a"}}\n' * 10)
            replies = [read_line(link) for _ in range(4)]
        assert [bool(reply) for reply in replies] == [True, True, True, False]
        assert all(json.loads(reply)["error"]["code"] == "denied" for reply in replies[:3])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_any_bytes(site: Site, data: bytes) -> None:
    with raw(site[1]) as link:
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        with link.makefile("rb") as stream:
            for line in stream:
                assert isinstance(json.loads(line), dict)


def test_the_client_bounds_what_a_daemon_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.webserver.ockle_client.connection.MAX_REPLY", 100_000)
    with socket.create_server(("127.0.0.1", 0)) as server, Connection("127.0.0.1", server.getsockname()[1]) as client:
        client.connect()
        link, _address = server.accept()
        with link:
            link.sendall(b"x" * 200_000)
            with pytest.raises(ConnectionFailed, match="more than"):
                client.call("echo")


def test_the_client_says_when_the_other_side_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, Connection("127.0.0.1", server.getsockname()[1]) as client:
        client.connect()
        link, _address = server.accept()
        with link:
            link.sendall(b"220 mail.example ready\r\n")
            with pytest.raises(ConnectionFailed, match="does not speak"):
                client.call("echo")


def test_the_port_is_free_again_after_a_stop() -> None:
    with listening() as (_services, listener):
        port = port_of(listener)
        assert still_serves(listener)
    with listening(port=port) as (_services, listener):
        assert still_serves(listener)


def test_a_text_that_utf_8_cannot_carry_drops_no_subscriber(site: Site) -> None:
    """A note with a lone surrogate went into an event, and the event ended the connection of whoever was to get it."""
    services, listener = site
    with connect(listener) as client:
        client.subscribe()
        services.events.publish("force", "a note: \ud800", n=float("nan"))
        event = client.next_event(10)
        assert event is not None
        assert (event["text"], event["data"]) == ("a note: \ud800", {"n": None})
        assert client.call("echo", {"text": "\udfff"}) == {"text": "\udfff"}
