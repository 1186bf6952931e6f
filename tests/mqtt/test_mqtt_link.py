"""The connection to a broker: who is let in, the last will, and what happens while the broker is away."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from ockle.channels.mqtt import MQTT
from ockle.channels.mqtt_broker import Broker, default_client_id
from ockle.channels.mqtt_link import Link, Received
from ockle.common.errors import ConfigError, DeviceError, DeviceRefused, DeviceUnreachable
from ockle.config.site import load_site
from peers import free_port
from peers_http import self_signed
from peers_mosquitto import HOST, PASSWORD, USER, Mosquitto, running

pytestmark = pytest.mark.peer
PATIENCE_S = 20.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again soon."""
    monkeypatch.setattr("ockle.channels.mqtt_link.FIRST_PAUSE_S", 0.1)


def at(broker: Mosquitto, user: str = USER, password: str = PASSWORD, client_id: str = "link") -> Broker:
    return Broker(HOST, broker.port, bool(broker.ca), broker.ca, user, password, client_id, keepalive=5.0)


async def nothing() -> None:
    """Do nothing with a new connection."""


@contextlib.asynccontextmanager
async def linked(
    broker: Broker,
    on_connect: Callable[[], Awaitable[None]] = nothing,
    on_message: Callable[[Received], None] = lambda message: None,
) -> AsyncIterator[Link]:
    link = Link(broker, "test/availability", on_connect, on_message)
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def hung_up(writer: asyncio.StreamWriter) -> Iterator[None]:
    """Close a connection also when the loop ends amid it."""
    try:
        yield
    finally:
        writer.transport.abort()


async def _fault(link: Link) -> DeviceError:
    async with asyncio.timeout(PATIENCE_S):
        while link.fault is None:
            await asyncio.sleep(0.02)
    return link.fault


async def _refused(link: Link) -> None:
    await _fault(link)
    await link.ready(PATIENCE_S)  # does not wait for what comes by itself only


def test_a_message_arrives_once_it_is_published(broker: Mosquitto) -> None:
    listener = broker.listen("test/#")

    async def work() -> None:
        async with linked(at(broker)) as link:
            await link.ready(PATIENCE_S)
            await link.publish("test/one", b"1")

    asyncio.run(work())
    assert listener.until(lambda: listener.of("test/one"))[0].payload == "1"


def test_what_was_kept_is_told_from_what_is_new(broker: Mosquitto) -> None:
    broker.publish("test/old", "old", retain=True)
    heard: list[Received] = []

    async def work() -> None:
        got = asyncio.Event()

        def take(message: Received) -> None:
            heard.append(message)
            if message.topic == "test/new":
                got.set()

        async with linked(at(broker), on_message=take) as link:
            await link.ready(PATIENCE_S)
            assert await link.subscribe(["test/old", "test/new"]) == []
            await link.publish("test/new", b"new")
            async with asyncio.timeout(PATIENCE_S):
                await got.wait()

    asyncio.run(work())
    assert heard == [Received("test/old", b"old", True), Received("test/new", b"new", False)]
    broker.publish("test/old", "", retain=True)


def test_a_wrong_password_is_a_refusal(broker: Mosquitto) -> None:
    async def work() -> None:
        async with linked(at(broker, password="wrong")) as link:
            with pytest.raises(DeviceRefused, match="not let in"):
                await _refused(link)
            with pytest.raises(DeviceRefused):
                await link.publish("test/one", b"")

    asyncio.run(work())


def test_nobody_there() -> None:
    async def work() -> None:
        async with linked(Broker(HOST, free_port(), tls=False)) as link:
            await _fault(link)
            with pytest.raises(DeviceUnreachable, match=r"MQTT broker 127.0.0.1:\d+: Connection refused"):
                await link.ready(0.1)

    asyncio.run(work())


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiomqtt", None)

    async def work() -> None:
        async with linked(Broker(HOST, 1, tls=False)) as link:
            with pytest.raises(DeviceRefused, match=r"pip install 'ockle\[mqtt\]'"):
                await _refused(link)

    asyncio.run(work())


def test_a_server_that_says_nothing_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.channels.mqtt_link.ANSWER_S", 0.2)

    async def work() -> None:
        with socket.create_server((HOST, 0)) as server:
            port = server.getsockname()[1]
            async with linked(Broker(HOST, port, tls=False, keepalive=5.0)) as link:
                await _fault(link)
                with pytest.raises(DeviceUnreachable, match="timed out"):
                    await link.ready(0.1)

    asyncio.run(work())


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x02\x00\x63",  # CONNACK with a code that is none
        b"\x20\x02\x00\x00\x30\xff\xff\xff\xff\xff",  # a length of more than four bytes
        b"\x20\x02\x00\x00\x30\x04\x00\x02\xff\xfe",  # a topic that is no UTF-8
        b"\x20\x02\x00\x00\x30\x03\x00\x01#",  # a topic with a wildcard
        b"\x20\x02\x00\x00\x30\x01\x00",  # cut short
        b"\x20\x02\x00\x00\x90\x03\x00\x09\x00\x40\x02\x00\x07\x00\x00",  # receipts for what was not sent
    ],
)
def test_garbage_ends_a_connection_and_nothing_else(
    garbage: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ockle.channels.mqtt_link.ANSWER_S", 0.3)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with hung_up(writer):
            await reader.read(4096)
            writer.write(garbage)
            writer.write_eof()
            await reader.read(4096)

    async def work() -> None:
        server = await asyncio.start_server(serve, HOST, 0)

        async def there() -> None:
            await link.publish("there", b"")

        async with server, linked(Broker(HOST, server.sockets[0].getsockname()[1], tls=False), there) as link:
            async with asyncio.timeout(PATIENCE_S):
                while connections < 3:
                    await asyncio.sleep(0.02)
            assert isinstance(link.fault, DeviceUnreachable), link.fault

    asyncio.run(work())
    assert not [record for record in caplog.records if record.name.startswith("ockle") and record.levelname == "ERROR"]


def test_a_broker_that_gives_no_receipts_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.channels.mqtt_link.ANSWER_S", 0.3)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with hung_up(writer):
            await reader.read(4096)
            writer.write(b"\x20\x02\x00\x00")
            while await reader.read(4096):
                pass

    async def work() -> None:
        server = await asyncio.start_server(serve, HOST, 0)
        async with server, linked(Broker(HOST, server.sockets[0].getsockname()[1], tls=False)) as link:
            await link.ready(PATIENCE_S)
            with pytest.raises(DeviceUnreachable):
                await link.publish("a", b"")
            async with asyncio.timeout(PATIENCE_S):
                while connections < 2:
                    await asyncio.sleep(0.02)

    asyncio.run(work())


def test_what_the_broker_does_not_let_us_read_is_known() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with hung_up(writer):
            await reader.read(4096)
            writer.write(b"\x20\x02\x00\x00")  # CONNACK
            packet = await reader.read(4096)
            writer.write(b"\x90\x04" + packet[2:4] + b"\x00\x80")  # SUBACK: the first, not the second (section 3.9.3)
            await reader.read(4096)

    async def work() -> None:
        server = await asyncio.start_server(serve, HOST, 0)
        async with server, linked(Broker(HOST, server.sockets[0].getsockname()[1], tls=False)) as link:
            await link.ready(PATIENCE_S)
            assert await link.subscribe(["one", "two"]) == ["two"]

    asyncio.run(work())


def test_the_link_is_back_when_the_broker_is(tmp_path: Path) -> None:
    async def work(broker: Mosquitto) -> None:
        sessions = 0

        async def count() -> None:
            nonlocal sessions
            sessions += 1

        async with linked(at(broker), count) as link:
            await link.ready(PATIENCE_S)
            broker.kill()
            async with asyncio.timeout(PATIENCE_S):
                while link.connected.is_set():
                    await asyncio.sleep(0.02)
            with pytest.raises(DeviceUnreachable):
                await link.publish("test/one", b"")
            await asyncio.to_thread(broker.start)
            await link.ready(PATIENCE_S)
            await link.publish("test/one", b"")
            assert (sessions, link.fault) == (2, None)

    with running(tmp_path) as broker:
        asyncio.run(work(broker))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_the_right_authority_only(tmp_path: Path) -> None:
    self_signed(tmp_path)
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"

    async def work(broker: Mosquitto) -> None:
        async with linked(at(broker)) as link:
            await link.ready(PATIENCE_S)
        stranger = Broker(HOST, broker.port, True, "", USER, PASSWORD)
        async with linked(stranger) as link:
            with pytest.raises(DeviceRefused, match="certificate is not valid"):
                await _refused(link)
        async with linked(Broker(HOST, broker.port, True, str(tmp_path / "none.pem"), USER, PASSWORD)) as link:
            with pytest.raises(DeviceRefused, match="cannot be read"):
                await _refused(link)

    with running(tmp_path / "broker", files) as broker:
        asyncio.run(work(broker))
    gc.collect()  # paho leaves the socket of a failed handshake to the collector


KILLED = """
import asyncio, os, signal
from ockle.channels.mqtt_broker import Broker
from ockle.channels.mqtt_link import Link
async def main():
    async def there():
        await link.publish("will/availability", b"online", retain=True)
    broker = Broker({host!r}, {port}, False, "", {user!r}, {password!r}, "killed")
    link = Link(broker, "will/availability", there, print)
    asyncio.create_task(link.run())
    await link.ready(20)
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def test_the_last_will_is_told_after_a_kill(broker: Mosquitto) -> None:
    listener = broker.listen("will/#")
    code = KILLED.format(host=HOST, port=broker.port, user=USER, password=PASSWORD)
    subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    listener.until(lambda: [one.payload for one in listener.of("will/availability")] == ["online", "offline"])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("encryption = plaintext\nca = /etc/ca.pem", "ca means nothing"),
        ("password = secret", "a user is missing"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, lines: str, said: str) -> None:
    file = tmp_path / "channels/home.ini"
    file.parent.mkdir()
    file.write_text(f"[channel]\ntype = MQTT\nhost = broker\n{lines}\n")
    with pytest.raises(ConfigError, match=said):
        site = load_site(tmp_path)
        MQTT("home", site.channels["home"].settings)


def test_the_client_id_fits_every_broker() -> None:
    assert default_client_id("home").isalnum()
    assert len(default_client_id("home")) <= 23
    assert default_client_id("home") != default_client_id("other")
