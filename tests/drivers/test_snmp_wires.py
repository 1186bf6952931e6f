"""Both SNMP libraries, by the same tests: against snmpd, and against a responder that means no good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import peers_snmpd
from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.snmp import SnmpSettings, Wire
from ockle.common.snmp_gufo import GufoWire
from ockle.common.snmp_pysnmp import PysnmpWire
from ockle.common.snmp_session import Reading, SnmpSession
from ockle.common.snmp_wires import wire_for
from ockle.outlets.poe import PoE
from ockle.outlets.raritan import Raritan
from ockle.simulator import snmp_ber as ber
from ockle.simulator.snmp_ber import Message, Value, VarBind
from peers import free_port
from snmp_stranger import Reply, right, stranger

Run = Callable[[Any], Any]
Library = Callable[[SnmpSettings], Wire]
LIBRARIES: dict[str, Library] = {"pysnmp": PysnmpWire, "gufo": GufoWire}
STATE = "1.3.6.1.4.1.13742.4.1.2.2.1.3"
PORTS = "1.3.6.1.2.1.105.1.1.1.3.2"
OIDS = ["1.3.6.1.4.1.1.1", "1.3.6.1.4.1.1.2"]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    return LIBRARIES[request.param]


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with peers_snmpd.running(tmp_path_factory.mktemp("snmpd")) as where:
        yield where


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """One loop for all, with a session that stays open: an engine of pysnmp takes 0.2 s to build."""
    with asyncio.Runner() as runner:
        keeper = session(PysnmpWire, {"host": "127.0.0.1", "port": free_port("udp")}, timeout=0.1, retries=0)
        with pytest.raises(DeviceUnreachable):
            runner.run(keeper.get(OIDS[:1]))
        yield runner.run
        runner.run(keeper.close())


def session(library: Library, where: Mapping[str, Any], **options: Any) -> SnmpSession:
    chosen = SnmpSettings(**{**where, "write_community": "private", "timeout": 2.0, **options})
    return SnmpSession(chosen, library(chosen))


async def closing(it: SnmpSession, work: Any) -> Any:
    try:
        return await work
    finally:
        await it.close()


def get(it: SnmpSession, oids: list[str], run: Run) -> list[Reading]:
    readings: list[Reading] = run(closing(it, it.get(oids)))
    return readings


# -- against snmpd


@pytest.mark.peer
@pytest.mark.parametrize("version", ["1", "2c"])
def test_values_of_every_type_come_in_their_places(
    agent: dict[str, Any], library: Library, version: str, run: Run
) -> None:
    oids = [
        "1.3.6.1.2.1.1.2.0",
        f"{STATE}.5",
        f"{STATE}.7",
        "1.3.6.1.2.1.1.3.0",
        *(f"{PORTS}.{n}" for n in range(20, 90)),
    ]
    kind, error, text, uptime, *ports = get(session(library, agent, version=version), oids, run)
    assert (kind, error, text) == ("1.3.6.1.4.1.8072.3.2.10", -1, b"on")
    assert isinstance(uptime, int)
    assert ports == [1 + number % 2 for number in range(20, 90)]


@pytest.mark.peer
@pytest.mark.parametrize("version", ["1", "2c"])
def test_what_is_missing_is_an_error_in_its_place(
    agent: dict[str, Any], library: Library, version: str, run: Run
) -> None:
    found = get(session(library, agent, version=version), [f"{STATE}.99", f"{STATE}.5", "1.3.9.9", f"{STATE}.7"], run)
    assert [type(reading) for reading in found] == [DeviceAnswerError, int, DeviceAnswerError, bytes]


@pytest.mark.peer
def test_writing_and_its_refusals(agent: dict[str, Any], library: Library, run: Run) -> None:
    async def scenario() -> None:
        await it.set([(f"{STATE}.1", 1)])
        assert await it.get_one(f"{STATE}.1") == 1
        with pytest.raises(DeviceRefused, match="notWritable"):
            await it.set([(f"{STATE}.8", 1)])
        await it.set([(f"{STATE}.1", 0)])

    it = session(library, agent)
    run(closing(it, scenario()))


@pytest.mark.peer
def test_a_wrong_community_is_silence(agent: dict[str, Any], library: Library, run: Run) -> None:
    with pytest.raises(DeviceUnreachable, match="unreachable or wrong community"):
        get(session(library, agent, community="wrong", timeout=0.3), [f"{STATE}.1"], run)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_nobody_there_takes_the_time_limit_and_no_more(library: Library, host: str, run: Run) -> None:
    async def scenario() -> float:
        began = asyncio.get_running_loop().time()
        with pytest.raises(DeviceUnreachable):
            await it.get(OIDS[:1])
        return asyncio.get_running_loop().time() - began

    it = session(
        library, {"host": host, "port": free_port("udp", "::1" if host == "::1" else "127.0.0.1")}, timeout=0.6
    )
    assert run(closing(it, scenario())) < 0.6 + 2.0


def test_a_name_without_an_address_says_so(library: Library, run: Run) -> None:
    with pytest.raises(DeviceUnreachable, match="has no address"):
        get(session(library, {"host": "no-such-host.invalid"}), OIDS, run)


@pytest.mark.parametrize(("version", "kind"), [("1", GufoWire), ("2c", GufoWire), ("3", PysnmpWire)])
def test_the_fast_library_is_taken_where_it_fits(version: str, kind: type[Wire]) -> None:
    assert type(wire_for(SnmpSettings("127.0.0.1", version=version))) is kind


# -- against a stranger


def ask(
    run: Run, library: Library, reply: Reply, oids: list[str] = OIDS, *, elsewhere: bool = False, **options: Any
) -> Any:
    """Return the readings, or the error, that the replies lead to; and how many requests there were."""

    async def scenario() -> Any:
        async with stranger() as other:
            other.reply, other.elsewhere = reply, elsewhere
            it = session(
                library, {"host": "127.0.0.1", "port": other.port}, **{"timeout": 5.0, "retries": 0, **options}
            )
            try:
                return await closing(it, it.get(oids))
            except DeviceError as error:
                return error

    return run(scenario())


GARBAGE: dict[str, Callable[[Message], Iterable[bytes]]] = {
    "nothing": lambda request: [b""],
    "a length that lies": lambda request: [b"\x30\x82\xff\xff"],
    "another protocol": lambda request: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "all octets": lambda request: [bytes(range(256)) * 200],
    "cut short": lambda request: [right(request)[:-3]],
    "with a tail": lambda request: [right(request) + b"xx"],
    "deeply nested": lambda request: [b"\x30\x80" * 2000],
    "another request's answer": lambda request: [right(request, request_id=request.request_id ^ 1)],
    "another community's": lambda request: [right(request, community=b"other")],
    "a request": lambda request: [right(request, kind=ber.GET)],
    "a SET": lambda request: [right(request, kind=ber.SET)],
    "an index below zero": lambda request: [request.answer(request.bindings, -1, -5).encode()],
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_alone_is_no_answer(library: Library, kind: str, run: Run) -> None:
    found = ask(run, library, GARBAGE[kind], timeout=0.1)
    assert isinstance(found, DeviceUnreachable | DeviceAnswerError), found


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_before_the_answer_does_no_harm(library: Library, kind: str, run: Run) -> None:
    assert ask(run, library, lambda request: [*GARBAGE[kind](request), right(request)]) == [1, 1]


def test_an_answer_from_elsewhere_is_not_heard(library: Library, run: Run) -> None:
    assert isinstance(
        ask(run, library, lambda request: [right(request)], elsewhere=True, timeout=0.1), DeviceUnreachable
    )


def test_answers_that_come_twice_or_late_are_no_answers_to_the_next_question(library: Library, run: Run) -> None:
    async def scenario() -> list[Reading]:
        async with stranger() as other:
            it = session(library, {"host": "127.0.0.1", "port": other.port}, timeout=5.0, retries=0)
            late: list[bytes] = []

            def reply(request: Message) -> list[bytes]:
                """The answers of before, twice, and then the right one, with the number of the request as its value."""
                before = list(late)
                late[:] = [right(request, Value(ber.INTEGER, len(other.seen)))] * 2
                return [*before, late[0]]

            other.reply = reply
            found = [await it.get_one(OIDS[0]) for _ in range(5)]
            await it.close()
            assert found == [1, 2, 3, 4, 5]
            assert len(other.seen) == 5
            return list(found)

    run(scenario())


def test_an_answer_that_takes_longer_than_the_next_repetition_is_heard(library: Library, run: Run) -> None:
    """A18: a slow agent was asked again and again, and never heard."""

    async def scenario() -> None:
        async with stranger() as slow:
            slow.behind = 1
            it = session(library, {"host": "127.0.0.1", "port": slow.port}, timeout=0.6, retries=2)
            assert await closing(it, it.get(OIDS)) == [1, 1]
            assert len(slow.seen) == 2

    run(scenario())


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (lambda request: [right(request, bindings=(VarBind((1, 3, 9)),) * 2)], "answered with 1.3.9"),
        (lambda request: [request.answer(()).encode()], "answered with nothing"),
        (lambda request: [request.answer(request.bindings).encode()], "Null"),
        (lambda request: [right(request, Value(ber.NO_SUCH_INSTANCE))], "NoSuchInstance"),
        (lambda request: [right(request, Value(ber.END_OF_MIB_VIEW))], "EndOfMibView"),
        (lambda request: [request.answer(request.bindings, 2, 1).encode()], "noSuchName"),
        (lambda request: [request.answer(request.bindings, 77, 99).encode()], "error status 77"),
    ],
)
def test_answers_that_say_nothing_are_errors(library: Library, reply: Reply, text: str, run: Run) -> None:
    found = ask(run, library, reply, OIDS[:1])
    assert isinstance(found[0], DeviceAnswerError)
    assert text in str(found[0])


ODD = {
    "an empty text": Value(ber.OCTET_STRING, b""),
    "a text": Value(ber.OCTET_STRING, b"on"),
    "a text that is a number": Value(ber.OCTET_STRING, b"1"),
    "an opaque": Value(ber.OPAQUE, b"\x9f\x78\x04\x3f\x80\x00\x00"),
    "an address": Value(ber.IP_ADDRESS, b"\x00\x00\x00\x01"),
    "an object identifier": Value(ber.OBJECT_IDENTIFIER, (1, 1)),
    "null": Value(ber.NULL),
    "no such object": Value(ber.NO_SUCH_OBJECT),
    "no such instance": Value(ber.NO_SUCH_INSTANCE),
    "the end of the view": Value(ber.END_OF_MIB_VIEW),
    "a counter that is huge": Value(ber.COUNTER64, 2**64 - 1),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_value_of_another_type_is_neither_on_nor_off(library: Library, run: Run, kind: str) -> None:
    """A11: also through the types of outlets, whatever the library makes of it."""
    readings = ask(run, library, lambda request: [right(request, ODD[kind])])
    host = {"host": "127.0.0.1"}
    for outlet in (
        Raritan("o", host, {"outlet": 1}),
        *(PoE("p", host, {"port": 1, "proof": proof}) for proof in ("auto", "delivering", "admin")),
    ):
        with pytest.raises(DeviceError):
            outlet.decode(readings)


def test_a_general_error_may_pass(library: Library, run: Run) -> None:
    found = ask(run, library, lambda request: [request.answer(request.bindings, 5, 0).encode()])
    assert [type(reading) for reading in found] == [DeviceStateError] * 2


def test_more_than_was_asked_and_in_another_order_is_taken_by_its_names(library: Library, run: Run) -> None:
    def reply(request: Message) -> list[bytes]:
        values = [VarBind(binding.oid, Value(ber.INTEGER, binding.oid[-1])) for binding in request.bindings]
        return [request.answer([VarBind((1, 3, 9), Value(ber.INTEGER, 9)), *reversed(values)]).encode()]

    assert ask(run, library, reply) == [1, 2]


def test_a_library_that_panics_over_an_agent_leaves_it_to_the_other(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    found = ask(run, GufoWire, lambda request: [b"\x30\x82\xff", right(request)])
    assert found == [1, 1]
    assert "gufo-snmp panicked" in caplog.text


octets = st.binary(max_size=120)


@pytest.mark.parametrize("name", LIBRARIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.lists(octets | st.tuples(st.integers(0, 70), octets), max_size=4))
def test_bytes_of_any_kind_never_pass_for_an_answer_and_never_stop_the_next(
    name: str, data: list[bytes | tuple[int, bytes]], run: Run
) -> None:
    """Whole datagrams of noise, and right answers with noise written over a part of them."""

    def reply(request: Message) -> list[bytes]:
        answer = right(request)
        made = []
        for item in data:
            if isinstance(item, bytes):
                made.append(item)
            else:
                place, noise = item
                made.append(answer[:place] + noise + answer[place + len(noise) :])
        return [*made, answer]

    found = ask(run, LIBRARIES[name], reply)
    if isinstance(found, DeviceError):
        assert isinstance(found, DeviceAnswerError | DeviceStateError | DeviceRefused), found
    else:
        for reading in found:
            assert isinstance(reading, int | bytes | str | DeviceError)
