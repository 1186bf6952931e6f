"""The lab's network and mains: requests that come twice, late or to no effect, and a power cut of everything."""

from __future__ import annotations

import asyncio

from ockle.simulator.lab import Lab
from ockle.simulator.machine import MachineState
from ockle.simulator.raritan import PX
from ockle.simulator.snmp_agent import integer
from ockle.simulator.snmp_ber import GET, SET, Message, VarBind
from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec

SPEC = LabSpec(
    devices=(PduSpec("pdu", 4),),
    machines=(MachineSpec("nas", (("pdu", 1),), boot_s=0.5, shutdown_s=0.5),),
    speed=0.1,
)
OUTLET = (*PX, 1, 2, 2, 1, 3, 1)
"""The state of outlet 1."""


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.answers.put_nowait(data)


async def exchange(lab: Lab, *requests: bytes, wait_s: float = 2.0) -> int:
    """Send ``requests`` and return how many answers come within ``wait_s``, at most one more than requests."""
    point = lab.endpoints["pdu"]
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(Client, remote_addr=(point.host, point.ports["snmp"]))
    got = 0
    try:
        for request in requests:
            transport.sendto(request)
        async with asyncio.timeout(wait_s):
            while got <= len(requests):
                await client.answers.get()
                got += 1
    except TimeoutError:
        return got
    finally:
        transport.close()
    return got


async def until(lab: Lab, state: MachineState) -> None:
    async with asyncio.timeout(10):
        while lab.state("nas") is not state:
            await asyncio.sleep(0.005)


def switch(on: bool, number: int = 1) -> bytes:
    return Message(1, b"private", SET, number, 0, 0, (VarBind(OUTLET, integer(int(on))),)).encode()


def test_a_request_that_comes_twice_is_answered_twice() -> None:
    async def scenario() -> int:
        async with Lab(SPEC) as lab:
            lab.turn("pdu", doubled=1.0)
            got = await exchange(lab, switch(True))
            assert len(lab.ledger.entries("set", "pdu")) == 2
            return got

    assert asyncio.run(scenario()) == 2


def test_a_set_for_a_changed_community_is_met_with_silence() -> None:
    async def scenario() -> None:
        async with Lab(SPEC) as lab:
            lab.turn("pdu", locked=True)
            assert await exchange(lab, switch(True), wait_s=0.2) == 0
            assert lab.ledger.entries("set") == []
            read = Message(1, b"public", GET, 1, 0, 0, (VarBind(OUTLET, integer(0)),)).encode()
            assert await exchange(lab, read, wait_s=0.5) == 1
            lab.turn("pdu", locked=False)
            assert await exchange(lab, switch(True), wait_s=0.5) == 1

    asyncio.run(scenario())


def test_late_requests_overtake_each_other_for_some_seed() -> None:
    async def scenario() -> list[bool]:
        async with Lab(SPEC) as lab:
            lab.turn("pdu", late_s=3.0)
            for number in range(6):
                await exchange(lab, switch(True, 1), switch(False, 2), wait_s=0.5)
                if [entry.detail["value"] for entry in lab.ledger.entries("set")[2 * number :]] == [False, True]:
                    return [False, True]
            return []

    assert asyncio.run(scenario()) == [False, True]


def test_the_mains_take_and_bring_power_and_leave_the_contacts() -> None:
    async def scenario() -> None:
        async with Lab(SPEC) as lab:
            assert await exchange(lab, switch(True), wait_s=0.2) == 1
            await until(lab, MachineState.UP)
            lab.mains(False)
            assert lab.state("nas") is MachineState.OFF
            assert lab.outlet("pdu", 1).closed
            assert lab.outlet("pdu", 1).power_w == 0
            assert await exchange(lab, switch(False), wait_s=0.1) == 0
            lab.mains(True)
            await until(lab, MachineState.UP)
            assert [entry.what for entry in lab.ledger.entries("mains")] == ["off", "on"]

    asyncio.run(scenario())


def test_a_shutdown_that_hung_goes_on_when_the_knob_is_turned_back() -> None:
    async def scenario() -> None:
        async with Lab(SPEC) as lab:
            assert await exchange(lab, switch(True), wait_s=0.2) == 1
            await until(lab, MachineState.UP)
            for stage in ("services", "disk"):
                lab.turn("nas", shutdown_hangs=stage)
                lab.shut_down("nas")
                await asyncio.sleep(0.1)
                assert lab.state("nas") is MachineState.STOPPING
                lab.turn("nas", shutdown_hangs="")
                await until(lab, MachineState.HALTED)
                await exchange(lab, switch(False), wait_s=0.1)
                await until(lab, MachineState.OFF)
                await exchange(lab, switch(True), wait_s=0.1)
                await until(lab, MachineState.UP)
            assert lab.ledger.cuts_while_mounted() == []

    asyncio.run(scenario())
