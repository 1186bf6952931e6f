"""The ESPHome outlet against the lab's plug: plain and encrypted, through all that may go wrong on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from ockle.common.common import OpState
from ockle.common.device import Device
from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.networkTree.facts import Supply
from ockle.networkTree.plan import expected_seconds, make_plan
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.esphome import ESPHome
from ockle.simulator.lab import Lab
from ockle.simulator.spec import PlugSpec
from plug_site import KEY, OTHER_KEY, SPEED, outlet, plug_lab

CLEAR = PlugSpec("clear")


@asynccontextmanager
async def using(
    lab: Lab, plug: str = "plug", pdu: dict[str, Any] | None = None, **params: Any
) -> AsyncIterator[ESPHome]:
    one = outlet(lab, plug, pdu, **params)
    try:
        yield one
    finally:
        await one.device.close()


async def error_of(lab: Lab, plug: str = "plug", pdu: dict[str, Any] | None = None, **params: Any) -> DeviceError:
    async with using(lab, plug, pdu, **params) as one:
        with pytest.raises(DeviceError) as caught:
            await one.get_state()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("spec", [PlugSpec("plug", key=KEY), PlugSpec("plug")], ids=["encrypted", "plain"])
def test_it_switches_reads_back_and_measures(spec: PlugSpec) -> None:
    async def main() -> None:
        async with plug_lab(spec) as lab, using(lab) as one:
            assert await one.get_state() is False
            await one.set_state(True)
            assert lab.outlet("plug", 1).closed
            assert await one.get_state() is True
            await asyncio.sleep(12 * SPEED)  # the sensors are told every ten seconds
            data = await one.measure()
            assert data["power_w"] > 0
            assert data["voltage_v"] == 230
            assert data["current_a"] == pytest.approx(data["power_w"] / 230, abs=0.001)
            assert data["energy_wh"] >= 0
            await one.set_state(False)
            assert not lab.outlet("plug", 1).closed

    asyncio.run(main())


@pytest.mark.parametrize("name", ["Relay", "relay", "Sonoff S26 Relay", "  sonoff s26  RELAY"])
def test_the_relay_goes_by_several_names(name: str) -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab, entity=name) as one:
            assert await one.get_state() is False

    asyncio.run(main())


def test_each_mistake_has_one_line_that_says_how_to_mend_it() -> None:
    async def main() -> None:
        async with plug_lab(PlugSpec("plug", key=KEY, friendly_name="Sonoff S26"), CLEAR) as lab:
            cases: list[tuple[DeviceError, type[DeviceError], str]] = [
                (await error_of(lab, pdu={"key": OTHER_KEY}), DeviceRefused, "wrong encryption key"),
                (await error_of(lab, pdu={"encryption": "plaintext"}), DeviceRefused, "the plug encrypts, and no key"),
                (await error_of(lab, pdu={"key": ""}), DeviceRefused, "no encryption key: set `key`"),
                (await error_of(lab, pdu={"key": "abc"}), DeviceRefused, "not 32 bytes in base64"),
                (
                    await error_of(lab, "clear", {"key": KEY, "encryption": "required"}),
                    DeviceRefused,
                    "does not encrypt",
                ),
                (
                    await error_of(lab, entity="Relais"),
                    DeviceAnswerError,
                    "has no switch 'Relais'; it has: Delay Switch, Heartbeat Switch, Real Delay Switch, Relay",
                ),
                (
                    await error_of(lab, pdu={"pin_mac": "02:00:00:00:00:01"}),
                    DeviceRefused,
                    "pinned is 02:00:00:00:00:01",
                ),
                (await error_of(lab, pdu={"port": 1}), DeviceUnreachable, "127.0.10.1:1: Connection refused"),
            ]
            for error, kind, text in cases:
                assert isinstance(error, kind), error
                assert text in str(error)
                assert KEY not in str(error)

    asyncio.run(main())


def test_a_plug_without_an_answer_is_unknown_and_comes_back() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab, pdu={"timeout": 1}) as one:
            await one.set_state(True)
            lab.turn("plug", silent=True)
            with pytest.raises(DeviceUnreachable, match="does not tell its states within 1 s"):
                await one.get_state()
            lab.turn("plug", silent=False)
            assert await one.get_state() is True

    asyncio.run(main())


def test_a_plug_that_hung_when_it_was_first_asked_comes_back_soon() -> None:
    """The library alone waits half a minute for a handshake that was swallowed."""

    async def main() -> None:
        async with plug_lab() as lab, using(lab, pdu={"timeout": 0.5}) as one:
            lab.turn("plug", silent=True)
            with pytest.raises(DeviceUnreachable, match=r"no answer within 0\.5 s"):
                await one.get_state()
            lab.turn("plug", silent=False)
            async with asyncio.timeout(8):
                while one.last_error or one.state is None:
                    with suppress(DeviceUnreachable):
                        await one.get_state()

    asyncio.run(main())


def test_a_plug_that_drops_its_connections_is_read_all_the_same() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab) as one:
            lab.turn("plug", drops_s=5.0)
            seen = []
            for _ in range(8):
                try:
                    seen.append(await one.get_state())
                except DeviceUnreachable:
                    continue
                await asyncio.sleep(3 * SPEED)
            assert set(seen) == {False}
            assert len(seen) > 4

    asyncio.run(main())


def test_a_plug_without_power_is_unreachable_and_is_found_again_at_once() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab) as one:
            await one.set_state(True)
            lab.reboot("plug", down_s=20, restore="off")
            await asyncio.sleep(0)
            with pytest.raises(DeviceUnreachable):
                await one.get_state()
            async with asyncio.timeout(3):
                while True:
                    try:
                        assert await one.get_state() is False
                        break
                    except DeviceUnreachable:
                        await asyncio.sleep(0.02)

    asyncio.run(main())


def test_a_restart_of_the_plug_is_noticed_by_its_uptime() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab) as one:
            await one.get_state()
            before = one.device.restarted_at
            lab.reboot("plug", down_s=1)
            async with asyncio.timeout(3):
                while one.device.restarted_at == before:
                    with suppress(DeviceUnreachable):
                        await one.get_state()
                    await asyncio.sleep(0.02)

    asyncio.run(main())


def test_only_an_uptime_that_falls_is_a_restart() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab) as one:
            assert one.plug.restarts == 0
            for value, restarts in ((5.0, 0), (6.0, 0), (1.0, 1), (None, 2), (None, 2), (1.0, 2), (0.5, 3)):
                one.plug._note_uptime(value)
                assert one.plug.restarts == restarts
            await one.get_state()
            assert one.device.restarted_at > 0

    asyncio.run(main())


@pytest.mark.parametrize(("knob", "problem"), [("stuck", DeviceStateError), ("lie", None)])
def test_only_what_it_shows_counts(knob: str, problem: type[DeviceError] | None) -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab, settle_timeout=0.3) as one:
            lab.turn("plug", **{knob: frozenset({1})})
            if problem is None:  # no reading can tell; what it measures does
                await one.set_state(True)
                assert (await one.measure())["power_w"] == 0
            else:
                with pytest.raises(problem, match="still shows off"):
                    await one.set_state(True)

    asyncio.run(main())


def test_relays_of_one_plug_share_one_connection_and_one_exchange() -> None:
    async def main() -> None:
        async with plug_lab(PlugSpec("plug", outlets=3, key=KEY)) as lab:
            device = Device("plug")
            rows = [outlet(lab, entity=name) for name in ("Relay", "relay_2", "Relay 3", "Relay 4")]
            for row in rows:
                row.device = device
            try:
                await rows[1].set_state(True)
                states = await ESPHome.read_many(rows)
            finally:
                await device.close()
            assert states[:3] == [False, True, False]
            assert isinstance(states[3], DeviceAnswerError)  # the fault of one is not its siblings'

    asyncio.run(main())


def test_checking_changes_nothing_and_tells_what_to_pin() -> None:
    async def main() -> None:
        async with plug_lab() as lab, using(lab) as one:
            await one.check()
            assert not lab.outlet("plug", 1).closed
            (line,) = one.about()
            mac = line.removeprefix("pin_mac = ")
            async with using(lab, pdu={"pin_mac": mac}) as pinned:
                assert await pinned.get_state() is False

    asyncio.run(main())


class TestDelaySwitch:
    @pytest.mark.parametrize("delay_switch", ["", "Delay Switch"])
    def test_a_plan_does_not_call_it_a_cut(self, delay_switch: str) -> None:
        settings = {"host": "127.0.0.1", "encryption": "plaintext"}
        network = ServerNetwork()
        network.addServer(ServerNode("pi", [ESPHome("psu", settings, {"delay_switch": delay_switch})]))
        node = network.getServernode("pi")
        node.facts.supply = Supply.ON
        node.facts.op_state = OpState.OK
        plan = make_plan(network, "off", ["pi"], lambda _name, action: expected_seconds(node, action))
        cut = "pi: has no control, so its power is cut without a shutdown"
        assert (cut in plan.warnings) is not bool(delay_switch)

    def test_off_is_a_wish_and_nothing_here_opens_the_relay(self) -> None:
        async def main() -> None:
            async with plug_lab() as lab, using(lab, delay_switch="Delay Switch", delay_timeout=1) as one:
                await one.set_state(True)
                with pytest.raises(DeviceStateError, match="still shows on"):
                    await one.set_state(False)  # no agent answers the wish
                assert lab.outlet("plug", 1).closed
                assert [entry.what for entry in lab.ledger.entries("plug")] == ["delay switch off"]
                assert [entry.detail["value"] for entry in lab.ledger.entries("set")] == [True]

        asyncio.run(main())

    def test_off_ends_when_the_plug_has_cut(self) -> None:
        async def main() -> None:
            async with plug_lab() as lab, using(lab, delay_switch="delay_switch") as one:
                await one.set_state(True)
                off = asyncio.create_task(one.set_state(False))
                while not lab.ledger.entries("plug"):
                    await asyncio.sleep(0.01)
                lab.shut_down("pi")
                async with using(lab, entity="Real Delay Switch") as agent:
                    await agent.set_state(False)
                await off
                assert not lab.outlet("plug", 1).closed
                assert one.cause == "the machine was shut down"

        asyncio.run(main())
