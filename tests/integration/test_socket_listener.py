"""The socket protocol with well-behaved clients: real listener, real registry, real client library."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.ockle_client import ClientCalls
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed, ReplyTimeout
from socket_site import Services, connect, listening, make_listener, port_of, raw, read_line, tokens, until_refused

Site = tuple[Services, SocketListener]


@pytest.fixture
def site() -> Iterator[Site]:
    with listening() as found:
        yield found


def test_a_reply_has_the_commands_data(site: Site) -> None:
    with connect(site[1]) as client:
        assert client.call("echo", {"text": "grüße\n", "n": 1.5}) == {"text": "grüße\n", "n": 1.5}


def test_the_bytes_are_as_documented(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":"echo","data":{"a":1},"id":"x7"}\n')
        assert json.loads(read_line(link)) == {"command": "echo", "id": "x7", "data": {"a": 1}}
        link.sendall(b'{"command":"nonsense","id":2}\r\n\n')
        assert json.loads(read_line(link)) == {"command": "Unknown Command", "id": 2, "data": {"command": "nonsense"}}


def test_errors_have_a_code_and_a_sentence(site: Site) -> None:
    with connect(site[1]) as client:
        for command, code in (("refuse", "conflict"), ("break", "internal"), ("nothing", "unknown_command")):
            with pytest.raises(ClientError) as caught:
                client.call(command)
            assert caught.value.code == code
        assert client.call("echo", {"still": "there"}) == {"still": "there"}


def test_replies_come_in_order_of_completion(site: Site) -> None:
    with raw(site[1]) as link:
        link.sendall(b'{"command":"wait","id":1}\n{"command":"echo","id":2}\n')
        assert json.loads(read_line(link))["id"] == 2
        site[0].hold.set()
        assert json.loads(read_line(link))["id"] == 1


def test_a_late_reply_is_not_taken_for_the_next_one(site: Site) -> None:
    with connect(site[1]) as client:
        with pytest.raises(ReplyTimeout):
            client.call("wait", timeout=0.05)
        site[0].hold.set()
        assert client.call("echo", {"n": 2}) == {"n": 2}


def test_big_replies_arrive_whole(site: Site) -> None:
    with connect(site[1]) as client:
        assert len(client.call("big", {"size": 3_000_000})["text"]) == 3_000_000


def test_many_clients_at_the_same_time(site: Site) -> None:
    def work(number: int) -> int:
        with connect(site[1]) as client:
            return sum(client.call("echo", {"n": number})["n"] == number for _ in range(50))

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(work, range(20))) == [50] * 20


def test_threads_share_a_connection(site: Site) -> None:
    with connect(site[1]) as client, ThreadPoolExecutor(8) as pool:
        assert [one["n"] for one in pool.map(lambda n: client.call("echo", {"n": n}), range(200))] == list(range(200))


def test_a_blocked_command_blocks_nobody_else(site: Site) -> None:
    with connect(site[1]) as one, connect(site[1]) as other:
        blocked = threading.Thread(target=one.call, args=("wait",), daemon=True)
        blocked.start()
        assert other.call("echo", {"n": 1}) == {"n": 1}
        site[0].hold.set()
        blocked.join(10)
        assert not blocked.is_alive()


def test_events_of_the_wanted_kinds_in_order(site: Site) -> None:
    services, listener = site
    with connect(listener) as client:
        client.subscribe(["state"], "web1")
        services.events.publish("state", "not this server", "web2")
        services.events.publish("test", "not this kind", "web1")
        for number in range(3):
            services.events.publish("state", f"number {number}", "web1", n=number)
        got = [client.next_event(10) for _ in range(3)]
    assert [event["data"]["n"] for event in got if event] == [0, 1, 2]


def test_events_that_were_missed_are_replayed_once(site: Site) -> None:
    services, listener = site
    with connect(listener) as client:
        seqs = [services.events.publish("state", str(number)).seq for number in range(3000)]
        client.subscribe(since_seq=seqs[0])
        services.events.publish("state", "live")
        got = [client.next_event(10) for _ in range(3000)]
        assert [event["seq"] for event in got if event] == [*seqs[1:], seqs[-1] + 1]


def test_calls_go_on_between_events(site: Site) -> None:
    services, listener = site
    with connect(listener) as client:
        client.subscribe()
        services.events.publish("state", "first")
        assert client.call("echo", {"n": 1}) == {"n": 1}
        event = client.next_event(10)
        assert event and event["text"] == "first"
        assert client.next_event(0.01) is None


def test_an_event_stream_notices_that_the_daemon_is_gone() -> None:
    with listening() as (_services, listener):
        client = connect(listener)
        client.subscribe()
        events = client.events(keep_alive=0.05)
    with client, pytest.raises(ConnectionFailed):
        next(events)


def test_a_command_that_stops_the_daemon_is_answered() -> None:
    with listening() as (services, listener):
        port = port_of(listener)

        def stop(_data: dict[str, Any]) -> dict[str, Any]:
            listener.stop()
            until_refused(port)
            return {"stopped": True}

        services.communicationHandler.AddCommandToList("stop", stop, role="admin")
        with connect(listener) as client:
            assert client.call("stop") == {"stopped": True}


def test_who(site: Site) -> None:
    with connect(site[1], via="cli", user="guy\n") as one, connect(site[1]) as other:
        other.subscribe()
        one.connect()
        clients = other.call("who")["clients"]
    assert [(client["name"], client["role"], client["via"], client["subscribed"]) for client in clients] == [
        ("local", "admin", "socket", True),
        ("guy (local)", "admin", "cli", False),
    ]


def test_a_token_gives_its_role_and_a_wrong_one_none() -> None:
    with listening(local_role="none", **tokens()) as (_services, listener):
        with connect(listener) as client, pytest.raises(ClientError, match="log in first"):
            client.call("echo")
        with connect(listener, token="guess") as client, pytest.raises(ClientError, match="wrong token") as caught:
            client.call("echo")
        assert caught.value.code == "denied"
        with connect(listener, token="see", via="gui", user="anna") as client:
            caller = client.call("caller")
            assert (caller["name"], caller["role"], caller["via"]) == ("anna (viewer token)", "viewer", "gui")
            with pytest.raises(ClientError, match="role operator"):
                client.call("switch")
        with connect(listener, token="switch") as client:
            assert client.call("switch", {"n": 1}) == {"n": 1}


def test_no_token_configured_means_that_none_is_right() -> None:
    with (
        listening(local_role="none") as (_services, listener),
        connect(listener) as client,
        pytest.raises(ClientError, match="wrong token"),
    ):
        client.call("login", {"token": ""})


def test_a_unix_socket_for_the_group(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with listening(unix_socket=str(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with Connection(unix=str(path)) as client:
            assert client.call("caller")["address"] == "unix"
    assert not path.exists()


def test_a_socket_left_over_by_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listening(unix_socket=str(path)), Connection(unix=str(path)) as client:
        assert client.call("echo") == {}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"host": "0.0.0.0"}, "no token is set"),
        ({"tls_cert": "/nonexistent.pem"}, "tls_cert"),
    ],
)
def test_it_does_not_start_unsafely(settings: dict[str, object], problem: str) -> None:
    listener = make_listener(Services(**settings))
    listener.start()
    assert not listener.wait_listening(10)
    assert listener.join(10)
    assert problem in listener.failure


def test_a_port_in_use_is_named(site: Site) -> None:
    listener = make_listener(Services(port=port_of(site[1])))
    listener.start()
    assert listener.join(10)
    assert f"port = {port_of(site[1])}: cannot listen on 127.0.0.1" in listener.failure


def test_stop_before_start_is_heeded() -> None:
    listener = make_listener(Services())
    listener.stop()
    listener.start()
    assert listener.join(10)
    assert not listener.wait_listening(0)


def test_client_calls_without_a_daemon_return_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (_services, listener):
        monkeypatch.setattr(ClientCalls, "PORT", port_of(listener))
        assert "echo" in (ClientCalls.listCommands() or {})
        assert ClientCalls.getDataFromServer("echo", {"n": 1}) == {"n": 1}
        with pytest.raises(ClientError):
            ClientCalls.getServerDict()  # nobody registered it here
    assert ClientCalls.listCommands() is None
    assert ClientCalls.getServerTree() is None


def test_client_calls_subscribe(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClientCalls, "PORT", port_of(site[1]))
    seq = site[0].events.publish("state", "before").seq
    site[0].events.publish("state", "after")
    assert next(ClientCalls.subscribe(since_seq=seq))["text"] == "after"
