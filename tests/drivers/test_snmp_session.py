"""The session above the wire, and the outlets' reading of whatever an agent may say. No network."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.logs import redact
from ockle.common.snmp import Answer, Missing, Pair, SnmpSettings, SnmpValue
from ockle.common.snmp_session import SnmpSession
from ockle.outlets.poe import PoE
from ockle.outlets.raritan import Raritan
from peers import free_port

READINGS = (
    st.integers()
    | st.integers(-2, 10)
    | st.binary(max_size=8)
    | st.text(max_size=8)
    | st.builds(DeviceAnswerError, st.just("noSuchInstance"))
    | st.builds(DeviceStateError, st.just("genErr"))
    | st.builds(DeviceRefused, st.just("noAccess"))
)


@given(admin=READINGS, detection=READINGS, proof=st.sampled_from(["auto", "admin", "delivering"]))
def test_whatever_a_switch_says_is_on_off_or_a_device_error(admin: Any, detection: Any, proof: str) -> None:
    port = PoE("p", {"host": "127.0.0.1"}, {"port": 1, "proof": proof})
    try:
        state = port.decode([admin, detection][: len(port.oids())])
    except DeviceError:
        return
    assert type(admin) is int
    assert state is (admin == 1)
    if proof == "delivering":
        assert state is (detection == 3)


@given(reading=READINGS)
def test_whatever_a_strip_says_is_on_off_or_a_device_error(reading: Any) -> None:
    try:
        state = Raritan("o", {"host": "127.0.0.1"}, {"outlet": 1}).decode([reading])
    except DeviceError:
        return
    assert (reading, state) in {(0, False), (1, True)}


def verdict(port: PoE | Raritan, readings: list[Any]) -> bool | None:
    """True, False, or None for a DeviceError."""
    try:
        return port.decode(readings)
    except DeviceError:
        return None


@pytest.mark.parametrize("number", range(-1, 256))
def test_every_code_that_is_not_in_the_mib_is_unknown(number: int) -> None:
    """A10: also the codes between on and off, and those of a firmware that is newer than the MIB."""
    host = {"host": "127.0.0.1"}
    assert verdict(Raritan("o", host, {"outlet": 1}), [number]) is {0: False, 1: True}.get(number)
    assert verdict(PoE("p", host, {"port": 1, "proof": "admin"}), [number]) is {1: True, 2: False}.get(number)
    for proof in ("auto", "delivering"):
        port = PoE("p", host, {"port": 1, "proof": proof})
        assert verdict(port, [1, number]) is (True if number == 3 else None)
        assert verdict(port, [2, number]) is (False if number in {1, 2, 4, 5, 6} else None)
        assert verdict(port, [number, 3]) is (True if number == 1 else None)


class Small:
    """A wire to an agent with ``limit`` varbinds per PDU and some objects; ``fails``: object -> error status."""

    def __init__(self, limit: int, objects: dict[str, SnmpValue], fails: dict[str, int] | None = None) -> None:
        self.limit, self.objects, self.fails = limit, objects, fails or {}
        self.sizes: list[int] = []

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        self.sizes.append(len(pairs))
        if len(pairs) > self.limit:
            return Answer(1, 0, [])
        for place, (oid, _) in enumerate(pairs, 1):
            if oid in self.fails:
                return Answer(self.fails[oid], place, [])
        return Answer(0, 0, [(oid, self.objects.get(oid, Missing("noSuchInstance"))) for oid, _ in pairs])

    async def close(self) -> None:
        pass


def session(wire: Any) -> SnmpSession:
    return SnmpSession(SnmpSettings("127.0.0.1", community="hidden"), wire)


@given(limit=st.integers(1, 60), count=st.integers(0, 120), bad=st.sets(st.integers(0, 119), max_size=5))
def test_every_object_is_read_in_its_place_whatever_fits_into_a_datagram(limit: int, count: int, bad: set[int]) -> None:
    wire = Small(limit, {f"1.{n}": n for n in range(count)}, {f"1.{n}": 2 for n in bad})
    readings = asyncio.run(session(wire).get([f"1.{n}" for n in range(count)]))
    assert len(readings) == count
    for number, reading in enumerate(readings):
        assert isinstance(reading, DeviceAnswerError) if number in bad else reading == number
    assert len(wire.sizes) <= count + len(bad) + 8


def test_the_size_that_fits_is_remembered() -> None:
    wire = Small(12, {f"1.{n}": n for n in range(48)})
    it = session(wire)
    oids = list(wire.objects)

    async def twice() -> None:
        await it.get(oids)
        wire.sizes.clear()
        await it.get(oids)

    asyncio.run(twice())
    assert wire.sizes == [12] * 4


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((status, DeviceAnswerError) for status in (1, 2, 99)),
        *((status, DeviceRefused) for status in (4, 6, 16, 17)),
        *((status, DeviceStateError) for status in (5, 14)),
    ],
)
def test_a_refused_set_is_sorted_by_who_can_mend_it(status: int, error: type[DeviceError]) -> None:
    with pytest.raises(error, match=r"1\.7"):
        asyncio.run(session(Small(9, {}, {"1.7": status})).set([("1.7", 1)]))


def test_no_error_with_no_such_instance_as_value_is_a_refused_set() -> None:
    with pytest.raises(DeviceAnswerError, match="noSuchInstance"):
        asyncio.run(session(Small(9, {})).set([("1.7", 1)]))


def test_an_answer_without_what_was_asked_is_an_error() -> None:
    class Short(Small):
        async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
            return Answer(0, 0, [])

    readings = asyncio.run(session(Short(9, {})).get(["1.1", "1.2"]))
    assert [str(reading) for reading in readings] == [
        f"127.0.0.1:161: asked for {oid}, answered with nothing" for oid in ("1.1", "1.2")
    ]


def test_a_secret_file_that_is_gone_is_refused_and_a_read_one_is_masked(tmp_path: Path) -> None:
    file = tmp_path / "community"
    file.write_text("canary-community\n", "utf-8")
    file.chmod(0o600)
    options = {"host": "127.0.0.1", "port": free_port("udp"), "community": f"${{file:{file}}}", "timeout": "100ms"}
    first, second = (Raritan(name, options, {"outlet": 1}) for name in ("a", "b"))
    with pytest.raises(DeviceUnreachable):
        first.run_sync(first.get_state())
    first.run_sync(first.device.close())
    file.unlink()
    with pytest.raises(DeviceRefused, match="community"):
        second.run_sync(second.get_state())
    assert redact("sent canary-community there") == "sent *** there"


def test_settings_do_not_show_secrets() -> None:
    shown = repr(SnmpSettings("h", community="canary1", write_community="canary2", auth_password="canary3"))
    assert "canary" not in shown


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00", b"\x30\x82\xff\xff", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 4]
)
def test_garbage_instead_of_snmp_is_silence_and_the_next_request_works_as_ever(garbage: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(5)

        def answer() -> None:
            for _ in range(2):
                _, client = agent.recvfrom(4096)
                agent.sendto(garbage, client)

        talker = threading.Thread(target=answer)
        talker.start()
        it = SnmpSession(SnmpSettings("127.0.0.1", agent.getsockname()[1], timeout=0.3, retries=0))

        async def twice() -> list[str]:
            texts = []
            for _ in range(2):
                with pytest.raises(DeviceError) as caught:
                    await it.get_one("1.3.6.1.2.1.1.3.0")
                texts.append(type(caught.value).__name__)
            await it.close()
            return texts

        assert asyncio.run(twice()) == [DeviceUnreachable.__name__] * 2
        talker.join(5)
