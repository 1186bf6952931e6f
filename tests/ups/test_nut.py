"""What a real upsd says, and what a hostile one might."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import peers_nut
from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceUnreachable
from ockle.common.nut import Reading, Supply, read_ups, reading_of
from peers import free_port


def read(port: int, ups: str = "ups", user: str = "", password: str = "", timeout: float = 2.0) -> Reading:
    return asyncio.run(read_ups("127.0.0.1", port, ups, user, password, timeout))


@pytest.fixture(scope="module")
def nut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[peers_nut.Nut]:
    with peers_nut.running(tmp_path_factory.mktemp("nut")) as found:
        yield found


@pytest.mark.peer
def test_a_real_upsd(nut: peers_nut.Nut) -> None:
    found = read(nut.port, user="admin", password="secret")
    assert (found.supply, found.charge, found.runtime, found.problems) == (Supply.MAINS, 100.0, 3600.0, ())
    assert found.figures == {"load_percent": 40.0, "input_v": 230.0}
    nut.set(ups_status="OB DISCHRG LB", battery_charge="12")
    found = read(nut.port)
    assert (found.supply, found.low, found.charge) == (Supply.BATTERY, True, 12.0)
    nut.set(ups_status="OL CHRG")
    assert read(nut.port).supply is Supply.MAINS


@pytest.mark.peer
def test_a_wrong_name_is_told_with_the_right_ones(nut: peers_nut.Nut) -> None:
    with pytest.raises(DeviceAnswerError, match="knows no UPS 'rack'; it has: ups"):
        read(nut.port, "rack")


@pytest.mark.peer
def test_what_is_stale_is_unknown(nut: peers_nut.Nut) -> None:
    nut.end("dummy-ups")

    async def until_stale() -> str:
        async with asyncio.timeout(15):
            while True:
                try:
                    await read_ups("127.0.0.1", nut.port, "ups", "", "", 2.0)
                except DeviceUnreachable as error:
                    return str(error)
                await asyncio.sleep(0.2)

    assert "stale" in asyncio.run(until_stale())
    nut.start("dummy-ups", "-a", "ups")
    nut.ready()


def test_nobody_there() -> None:
    port = free_port("tcp")
    with pytest.raises(DeviceUnreachable, match=f"^upsd at 127.0.0.1:{port}: Connection refused$"):
        read(port)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\0\xff\xfe\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"BEGIN LIST VAR ups\nVAR ups",
        b"BEGIN LIST VAR ups\n" + b"VAR ups a \"b\"\n" * 20_000, b"ERR WHAT\n", b"ERR ACCESS-DENIED\n",
    ],
)  # fmt: skip
def test_a_server_that_is_no_upsd(answer: bytes) -> None:
    async def whole() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(DeviceError, match="upsd at"):
                await read_ups("127.0.0.1", port, "ups", "", "", 1.0)
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(whole())


def test_a_server_that_says_nothing() -> None:
    async def whole() -> None:
        over = asyncio.Event()

        async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            with pytest.raises(DeviceUnreachable):
                await read_ups("127.0.0.1", server.sockets[0].getsockname()[1], "ups", "", "", 0.1)
        finally:
            over.set()
            server.close()
            await asyncio.sleep(0.05)

    asyncio.run(whole())


WORDS = ("OL", "OB", "LB", "CAL", "RB", "FSD", "WAIT", "OFF", "BYPASS", "OVER", "CHRG", "DISCHRG", "TRIM")
flags = st.lists(st.sampled_from(WORDS), max_size=5)


@given(
    flags, st.dictionaries(st.sampled_from(["battery.charge", "battery.runtime", "ups.load", "ups.alarm"]), st.text())
)
def test_any_answer_has_a_meaning_and_doubt_is_unknown(words: list[str], rest: dict[str, str]) -> None:
    found = reading_of({"ups.status": " ".join(words), **rest})
    if found.supply is Supply.BATTERY:
        assert "OB" in words
        assert not {"OL", "CAL", "WAIT"} & set(words)
    if found.supply is Supply.MAINS:
        assert "OL" in words or "CAL" in words
    if found.supply is Supply.UNKNOWN:
        assert found.problems
    assert found.charge is None or 0 <= found.charge <= 100
    assert found.runtime is None or found.runtime >= 0
