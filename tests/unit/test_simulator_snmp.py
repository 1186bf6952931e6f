"""The lab's SNMP agent: its BER against hostile bytes, its answers without a socket."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ockle.simulator import snmp_ber as ber
from ockle.simulator.ledger import Ledger
from ockle.simulator.poe_switch import PoeSwitch
from ockle.simulator.raritan import RaritanPx
from ockle.simulator.snmp_agent import SnmpAgent
from ockle.simulator.snmp_ber import BerError, ErrorStatus, Message, Value, VarBind, decode
from ockle.simulator.spec import PduSpec, SwitchSpec

STATE = (1, 3, 6, 1, 4, 1, 13742, 4, 1, 2, 2, 1, 3)
ADMIN = (1, 3, 6, 1, 2, 1, 105, 1, 1, 1, 3, 1)

oids = st.tuples(st.integers(0, 1), st.integers(0, 39), *(st.integers(0, 2**32 - 1) for _ in range(3))) | st.tuples(
    st.just(2), st.integers(0, 2**32 - 81)
)
values = (
    st.integers(-(2**31), 2**31 - 1).map(lambda number: Value(ber.INTEGER, number))
    | st.binary(max_size=300).map(lambda octets: Value(ber.OCTET_STRING, octets))
    | oids.map(lambda oid: Value(ber.OBJECT_IDENTIFIER, oid))
    | st.integers(0, 2**32 - 1).map(lambda number: Value(ber.GAUGE32, number))
    | st.integers(0, 2**64 - 1).map(lambda number: Value(ber.COUNTER64, number))
    | st.binary(min_size=4, max_size=4).map(lambda octets: Value(ber.IP_ADDRESS, octets))
    | st.sampled_from([ber.NULL, ber.NO_SUCH_OBJECT, ber.NO_SUCH_INSTANCE, ber.END_OF_MIB_VIEW]).map(Value)
)
int32 = st.integers(-(2**31), 2**31 - 1)
messages = st.builds(
    Message,
    version=st.sampled_from([ber.V1, ber.V2C]),
    community=st.binary(max_size=40) | st.sampled_from([b"public", b"private"]),
    kind=st.sampled_from([ber.GET, ber.GETNEXT, ber.RESPONSE, ber.SET, ber.GETBULK]),
    request_id=int32,
    status=int32,
    index=int32,
    bindings=st.lists(st.builds(VarBind, oids, values), max_size=8).map(tuple),
)


def make_agent(max_message: int = 1472, outlets: int = 8) -> SnmpAgent:
    device = RaritanPx(PduSpec("pdu", outlets), Ledger(), 1.0)
    return SnmpAgent(device.mib(), b"public", b"private", max_message)


def ask(agent: SnmpAgent, message: Message) -> Message:
    answer = agent.handle(message.encode())
    assert answer is not None
    assert len(answer) <= agent.max_message
    return decode(answer)


def request(
    kind: int,
    *bindings: VarBind,
    version: int = ber.V2C,
    community: bytes = b"private",
    status: int = 0,
    index: int = 0,
) -> Message:
    return Message(version, community, kind, 7, status, index, bindings)


@given(messages)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert decode(message.encode()) == message


@given(st.binary(max_size=200))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30\x80\x00\x00")
@example(b"\x30" * 150)
@example(b"")
def test_any_bytes_are_a_message_or_a_ber_error(data: bytes) -> None:
    with suppress(BerError):
        decode(data)


@given(messages, st.data())
def test_a_damaged_message_never_stops_the_agent(message: Message, data: st.DataObject) -> None:
    octets = bytearray(message.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))

    async def main() -> None:  # a SET that gets through moves an outlet, which needs a loop
        agent = make_agent()
        for candidate in (bytes(octets), bytes(octets[:cut])):
            answer = agent.handle(candidate)
            assert answer is None or decode(answer).kind == ber.RESPONSE

    asyncio.run(main())


def test_net_snmps_own_bytes_are_understood() -> None:
    # snmpget -v2c -c public of sysUpTime.0, as sent by Net-SNMP 5.9
    octets = bytes.fromhex("302902010104067075626c6963a01c02041a2b3c4d020100020100300e300c06082b060102010103000500")
    assert decode(octets) == Message(
        ber.V2C, b"public", ber.GET, 0x1A2B3C4D, 0, 0, (VarBind((1, 3, 6, 1, 2, 1, 1, 3, 0)),)
    )


@pytest.mark.parametrize(
    "message",
    [
        request(ber.GET, VarBind((*STATE, 1)), community=b"secret"),
        request(ber.GET, VarBind((*STATE, 1)), community=b""),
        request(ber.RESPONSE, VarBind((*STATE, 1))),
        request(ber.GETBULK, VarBind((*STATE, 1)), version=ber.V1),
    ],
)
def test_silence(message: Message) -> None:
    agent = make_agent()
    assert agent.handle(message.encode()) is None
    assert agent.dropped == 1


def test_many_bindings_are_answered_one_by_one() -> None:
    names = [(*STATE, 1), (*STATE, 99), (1, 3, 6, 1, 9), (*STATE, 8)]
    answer = ask(make_agent(), request(ber.GET, *map(VarBind, names), community=b"public"))
    assert [binding.oid for binding in answer.bindings] == names
    assert [binding.value.tag for binding in answer.bindings] == [
        ber.INTEGER,
        ber.NO_SUCH_INSTANCE,
        ber.NO_SUCH_OBJECT,
        ber.INTEGER,
    ]


def test_v1_says_no_such_name_and_where() -> None:
    bindings = (VarBind((*STATE, 1)), VarBind((*STATE, 99)))
    answer = ask(make_agent(), request(ber.GET, *bindings, version=ber.V1))
    assert (answer.status, answer.index, answer.bindings) == (ErrorStatus.NO_SUCH_NAME, 2, bindings)


def test_a_walk_sees_everything_once_and_ends() -> None:
    agent = make_agent()
    oid: ber.Oid = (0, 0)
    seen: list[ber.Oid] = []
    while True:
        (binding,) = ask(agent, request(ber.GETNEXT, VarBind(oid))).bindings
        if binding.value.tag == ber.END_OF_MIB_VIEW:
            break
        oid = binding.oid
        seen.append(oid)
    assert seen == sorted(set(seen))
    assert len([oid for oid in seen if oid[:-1] == STATE]) == 8


@given(st.integers(-5, 60), st.integers(-5, 3000), st.integers(0, 4))
def test_getbulk_is_a_prefix_of_getnext_that_fits(non_repeaters: int, repetitions: int, columns: int) -> None:
    agent = make_agent(max_message=484)
    names = [VarBind((*STATE[:-1], column)) for column in range(2, 2 + columns)]
    answer = ask(agent, request(ber.GETBULK, *names, status=non_repeaters, index=repetitions))
    assert answer.status == ErrorStatus.NO_ERROR
    single = max(0, min(non_repeaters, columns))
    for place, name in enumerate(names[:single]):
        assert answer.bindings[place] == ask(agent, request(ber.GETNEXT, name)).bindings[0]


def test_too_big() -> None:
    agent = make_agent(max_message=150)
    names = tuple(VarBind((*STATE, number)) for number in range(1, 9))
    answer = ask(agent, request(ber.GET, *names))
    assert (answer.status, answer.bindings) == (ErrorStatus.TOO_BIG, ())


@pytest.mark.parametrize(
    ("binding", "community", "v2c", "v1"),
    [
        (VarBind((*STATE, 1), Value(ber.INTEGER, 3)), b"private", ErrorStatus.WRONG_VALUE, ErrorStatus.BAD_VALUE),
        (
            VarBind((*STATE, 1), Value(ber.OCTET_STRING, b"1")),
            b"private",
            ErrorStatus.WRONG_TYPE,
            ErrorStatus.BAD_VALUE,
        ),
        (VarBind((*STATE, 1), Value(ber.INTEGER, 1)), b"public", ErrorStatus.NO_ACCESS, ErrorStatus.NO_SUCH_NAME),
        (VarBind((*STATE, 9), Value(ber.INTEGER, 1)), b"private", ErrorStatus.NO_CREATION, ErrorStatus.NO_SUCH_NAME),
        (
            VarBind((*STATE[:-1], 7, 1), Value(ber.GAUGE32, 1)),
            b"private",
            ErrorStatus.NOT_WRITABLE,
            ErrorStatus.NO_SUCH_NAME,
        ),
    ],
)
def test_a_refused_set(binding: VarBind, community: bytes, v2c: ErrorStatus, v1: ErrorStatus) -> None:
    for version, status in ((ber.V2C, v2c), (ber.V1, v1)):
        answer = ask(make_agent(), request(ber.SET, binding, version=version, community=community))
        assert (answer.status, answer.index) == (status, 1)


def test_a_set_with_one_bad_value_changes_nothing() -> None:
    device = PoeSwitch(SwitchSpec("sw", 4), Ledger(), 1.0)
    agent = SnmpAgent(device.mib(), b"public", b"private")
    good, bad = (VarBind((*ADMIN, port), Value(ber.INTEGER, value)) for port, value in ((1, 1), (2, 7)))
    assert ask(agent, request(ber.SET, good, bad)).status == ErrorStatus.WRONG_VALUE
    assert not device.outlets[1].asked
