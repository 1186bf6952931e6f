"""PoE and Raritan against net-snmp's snmpd."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import peers_snmpd
from ockle.common.device import Device
from ockle.common.errors import DeviceAnswerError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.outlets.poe import PoE
from ockle.outlets.raritan import Raritan
from peers import free_port

pytestmark = pytest.mark.peer
WAYS: dict[str, dict[str, Any]] = {
    "v1": {"version": "1", "write_community": "private"},
    "v2c": {"version": "2c", "write_community": "private"},
    "vlan": {"version": "2c", "community": "private@9"},
    "v3": peers_snmpd.V3_USER,
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with peers_snmpd.running(tmp_path_factory.mktemp("snmpd")) as where:
        yield where


def poe(agent: dict[str, Any], port: int, way: str = "v2c", *, group: int = 1, **params: object) -> PoE:
    settle = {"settle_timeout": params.pop("settle_timeout", "5s")}
    timeout = params.pop("timeout", "2s")
    return PoE(
        f"port {port}", {**agent, **WAYS[way], "timeout": timeout}, {"port": port, "group": group, **settle, **params}
    )


def px(agent: dict[str, Any], outlet: int, way: str = "v2c", **settings: object) -> Raritan:
    options = {**agent, **WAYS[way], "timeout": "2s", **settings}
    return Raritan(f"outlet {outlet}", options, {"outlet": outlet, "settle_timeout": "1s"})


async def using(outlet: OutletTemplate, work: Any) -> Any:
    try:
        return await work
    finally:
        await outlet.device.close()


def run(outlet: OutletTemplate, work: Any) -> Any:
    return asyncio.run(using(outlet, work))


@pytest.mark.parametrize("way", WAYS)
def test_an_outlet_is_switched_and_read_with_every_version(agent: dict[str, Any], way: str) -> None:
    async def scenario() -> list[bool]:
        await outlet.set_state(True)
        seen = [await outlet.get_state()]
        await outlet.set_state(False)
        return [*seen, await outlet.get_state()]

    outlet = px(agent, 1, way)
    assert run(outlet, scenario()) == [True, False]


def test_a_raritan_measures(agent: dict[str, Any]) -> None:
    outlet = px(agent, 2)
    data = run(outlet, outlet.measure())
    assert data == {"current_a": 0.42, "voltage_v": 230.5, "power_w": 96.0, "energy_wh": 1234.0}


def test_a_raritan_without_a_meter_measures_nothing(agent: dict[str, Any]) -> None:
    outlet = px(agent, 4)
    assert run(outlet, outlet.measure()) == {}


@pytest.mark.parametrize(
    ("outlet", "error", "text"),
    [
        (4, DeviceStateError, "cycling"),
        (5, DeviceStateError, "error"),
        (6, DeviceAnswerError, "is 7"),
        (7, DeviceAnswerError, "b'on'"),
        (99, DeviceAnswerError, "NoSuch"),
    ],
)
def test_no_other_state_passes_for_on_or_off(
    agent: dict[str, Any], outlet: int, error: type[Exception], text: str
) -> None:
    driver = px(agent, outlet)
    with pytest.raises(error, match=text):
        run(driver, driver.get_state())


def test_v1_names_a_missing_outlet_too(agent: dict[str, Any]) -> None:
    driver = px(agent, 99, "v1")
    with pytest.raises(DeviceAnswerError, match="noSuchName"):
        run(driver, driver.get_state())


def test_a_read_only_outlet_is_refused(agent: dict[str, Any]) -> None:
    driver = px(agent, 8)
    with pytest.raises(DeviceRefused, match="notWritable"):
        run(driver, driver.set_state(True))


def test_a_read_community_does_not_write(agent: dict[str, Any]) -> None:
    driver = px(agent, 3, write_community="public")
    with pytest.raises(DeviceRefused, match="noAccess"):
        run(driver, driver.set_state(True))


@pytest.mark.parametrize(
    ("outlet", "options", "error", "text"),
    [
        (3, {}, None, ""),
        (3, {"write_community": "public"}, DeviceRefused, "noAccess"),
        (8, {}, DeviceRefused, "notWritable"),
        (4, {}, DeviceStateError, "shows 2, which may be a command of another meaning"),
        (3, {"write_community": "wrong", "timeout": "1s"}, DeviceUnreachable, "wrong community"),
    ],
)
def test_a_check_says_whether_commands_are_taken_and_switches_nothing(
    agent: dict[str, Any], outlet: int, options: dict[str, str], error: type[Exception] | None, text: str
) -> None:
    async def scenario() -> None:
        if error is None:
            await driver.check()
        else:
            with pytest.raises(error, match=text):
                await driver.check()
        assert "pin_object_id = 1.3.6.1.4.1.8072.3.2.10" in driver.about()

    driver = px(agent, outlet, **options)
    run(driver, scenario())
    assert bool(driver.refusal) is (error is DeviceRefused)


def test_a_check_of_a_port_writes_its_admin_state_again(agent: dict[str, Any]) -> None:
    port = poe(agent, 6)
    run(port, port.check())
    assert port.refusal == ""


def test_a_wrong_community_is_silence_and_says_so(agent: dict[str, Any]) -> None:
    driver = px(agent, 3, community="wrong", timeout="400ms")
    with pytest.raises(DeviceUnreachable, match="unreachable or wrong community"):
        run(driver, driver.get_state())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"auth_password": "wrong-password"}, DeviceRefused),
        ({"user": "nobody"}, DeviceRefused),
        ({"auth_password": "short"}, DeviceRefused),
        ({"privacy_password": "wrong-password"}, (DeviceRefused, DeviceUnreachable)),
        ({"user": "reader", "privacy_protocol": "none"}, DeviceRefused),
    ],
)
def test_wrong_v3_credentials_are_told_apart_from_off(
    agent: dict[str, Any], change: dict[str, str], error: Any
) -> None:
    driver = px(agent, 3, "v3", **{**change, "timeout": "1500ms"})
    with pytest.raises(error):
        run(driver, driver.set_state(True))


def test_users_of_one_name_and_two_passwords_do_not_disturb_each_other(agent: dict[str, Any]) -> None:
    async def scenario() -> None:
        await good.get_state()
        with pytest.raises(DeviceRefused):
            await bad.get_state()
        await good.get_state()

    good, bad = px(agent, 3, "v3"), px(agent, 3, "v3", auth_password="another-password", timeout="1500ms")

    async def both() -> None:
        try:
            await using(good, scenario())
        finally:
            await bad.device.close()

    asyncio.run(both())


def test_a_port_is_on_when_power_is_delivered(agent: dict[str, Any]) -> None:
    async def scenario() -> None:
        assert await port.get_state() is False
        await port._setOutletState(True)
        with pytest.raises(DeviceStateError, match="enabled, detection status: searching"):
            await port.get_state()
        await port.set_state(True)
        assert await port.get_state() is True
        await port.set_state(False)

    port = poe(agent, 1)
    run(port, scenario())


def test_a_stuck_port_is_reported(agent: dict[str, Any]) -> None:
    port = poe(agent, 2, settle_timeout="300ms")
    with pytest.raises(DeviceStateError, match="still shows off"):
        run(port, port.set_state(True))


def test_a_switch_without_detection_status_counts_by_admin(agent: dict[str, Any]) -> None:
    port = poe(agent, 3)
    run(port, port.set_state(True))
    assert port.state is True
    run(port, port.set_state(False))
    strict = poe(agent, 3, proof="delivering")
    with pytest.raises(DeviceAnswerError):
        run(strict, strict.get_state())


def test_an_error_that_switched_all_the_same_counts_by_what_is_seen(agent: dict[str, Any]) -> None:
    port = poe(agent, 4)
    run(port, port.set_state(True))
    assert port.state is True


def test_a_port_that_cannot_be_written_is_refused(agent: dict[str, Any]) -> None:
    port = poe(agent, 5)
    with pytest.raises(DeviceRefused, match="notWritable"):
        run(port, port.set_state(True))


@pytest.mark.parametrize(("number", "text"), [(6, "searching"), (7, "fault")])
def test_an_enabled_port_without_power_is_not_on(agent: dict[str, Any], number: int, text: str) -> None:
    port = poe(agent, number, settle_timeout="200ms")
    with pytest.raises(DeviceStateError, match=text):
        run(port, port.set_state(True))
    by_admin = poe(agent, number, proof="admin")
    assert run(by_admin, by_admin.get_state()) is True


def test_a_disabled_port_that_delivers_is_not_off(agent: dict[str, Any]) -> None:
    port = poe(agent, 8)
    with pytest.raises(DeviceStateError, match="disabled, detection status: delivering"):
        run(port, port.get_state())


@pytest.mark.parametrize("way", ["v1", "v2c"])
def test_many_ports_are_read_at_once_and_one_bad_one_spoils_nothing(agent: dict[str, Any], way: str) -> None:
    ports = [poe(agent, number, way, group=2, proof="admin") for number in [*range(20, 90), 999]]
    device = Device("switch")
    for port in ports:
        port.device = device
    states = run(ports[0], PoE.read_many(ports))
    assert states[:70] == [number % 2 == 0 for number in range(20, 90)]
    assert isinstance(states[70], DeviceAnswerError)


def test_a_dead_agent_spoils_all_readings_in_bounded_time() -> None:
    nobody = {"host": "127.0.0.1", "port": 9}
    ports = [PoE(f"p{n}", {**nobody, "timeout": "300ms"}, {"port": n}) for n in (1, 2)]
    states = run(ports[0], PoE.read_many(ports))
    assert [type(state) for state in states] == [DeviceUnreachable] * 2


def test_a_command_that_timed_out_and_worked_all_the_same_counts_by_what_is_seen(agent: dict[str, Any]) -> None:
    port = poe(agent, 9, timeout="300ms", settle_timeout="10s")
    run(port, port.set_state(True))
    assert port.state is True


FIRST, SECOND = "80001f880401020304", "80001f880409090909"


def lives(folder: Path, boots: int, engine_id: str, number: int) -> None:
    """Let an agent start and end so often: its engineBoots rise."""
    folder.mkdir(exist_ok=True)
    for _ in range(boots):
        with peers_snmpd.running(folder, number, engine_id):
            pass


AFTER = [("first", FIRST), ("another", FIRST), ("another", SECOND)]
AFTER_IDS = ["restarted", "engineBoots lost", "another engine id"]


@pytest.mark.parametrize(("folder", "engine_id"), AFTER, ids=AFTER_IDS)
def test_a_v3_agent_that_restarted_is_read_at_once(tmp_path: Path, folder: str, engine_id: str) -> None:
    """RFC 3414 section 3.2: what is known of its boots and its clock no longer fits; one fresh start mends that."""
    number = free_port("udp")
    lives(tmp_path / "first", 2, FIRST, number)
    lives(tmp_path / "another", 0, FIRST, number)
    outlet = px({"host": "127.0.0.1", "port": number}, 1, "v3", timeout="600ms", init_delay="0s")

    async def scenario() -> None:
        with peers_snmpd.running(tmp_path / "first", number, FIRST):
            assert await outlet.get_state() is False
        with peers_snmpd.running(tmp_path / folder, number, engine_id):
            assert await outlet.get_state() is False
        assert outlet.device.restarted_at > 0

    run(outlet, scenario())


def test_a_command_to_a_replaced_v3_agent_is_sent_again_only_after_a_look(tmp_path: Path) -> None:
    number = free_port("udp")
    lives(tmp_path / "another", 0, SECOND, number)
    lives(tmp_path / "first", 0, FIRST, number)
    outlet = px({"host": "127.0.0.1", "port": number}, 1, "v3", timeout="600ms", init_delay="0s")

    async def scenario() -> None:
        with peers_snmpd.running(tmp_path / "first", number, FIRST):
            assert await outlet.get_state() is False
        with peers_snmpd.running(tmp_path / "another", number, SECOND):
            with pytest.raises(DeviceStateError, match="still shows off"):
                await outlet.set_state(True)
            assert await outlet.get_state() is False
            await outlet.set_state(True)

    run(outlet, scenario())


def test_a_network_that_loses_doubles_and_delays_datagrams_delays_only(agent: dict[str, Any]) -> None:
    with peers_snmpd.bad_line(agent["port"], lose=0.3, double=0.2, seed=7, delay_s=0.05) as line:
        outlet = px({**agent, "port": line}, 2, timeout="500ms", retries=6)
        outlet.params["settle_timeout"] = 15.0

        async def scenario() -> None:
            for state in (True, False) * 3:
                await outlet.set_state(state)
                assert outlet.state is state

        run(outlet, scenario())
