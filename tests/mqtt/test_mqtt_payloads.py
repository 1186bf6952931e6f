"""What the channel MQTT says, as plain values."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from ockle.channels.mqtt_discovery import (
    NETWORK,
    Home,
    components_of,
    devices,
    network_components,
    node_id,
    parting,
    server_components,
    server_id,
)
from ockle.channels.mqtt_payloads import (
    MOST_AFFECTED,
    Look,
    Part,
    alert_state,
    encoded,
    is_on,
    network_state,
    node_state,
    server_states,
    troubled,
)
from ockle.channels.mqtt_topics import Topics, level, name_of, object_id
from ockle.common.common import OpState

TOPICS = Topics("ockle", "homeassistant")
HOME = Home(TOPICS, commands=True)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=64)
HOSTILE = ["web1", "a/b", "+", "#", "two words", "web+1", "ä", "%2F", "_", "a_2f_b", "..", "$SYS", "Web1"]


# -- topics


@given(names, names)
def test_different_names_have_different_topics_and_ids(one: str, other: str) -> None:
    assert name_of(level(one)) == one
    if one != other:
        assert level(one) != level(other)
        assert server_id(one) != server_id(other)
    assert not {server_id(one), server_id(other)} & {node_id(one), NETWORK}


@given(names)
def test_no_name_breaks_out_of_its_level(name: str) -> None:
    assert not set(level(name)) & set("/+#$ \0")
    assert re.fullmatch("[a-zA-Z0-9_-]+", object_id(name))
    assert TOPICS.commanded(TOPICS.command(name)) == (name if name.isprintable() else None)
    assert TOPICS.keeps(TOPICS.server(name))
    assert not TOPICS.keeps(TOPICS.command(name))


@pytest.mark.parametrize(
    "topic",
    [
        "ockle/server/set",
        "ockle/server//set",
        "ockle/server/a/b/set",
        "ockle/server/web%31/set",
        "other/server/web1/set",
        "ockle/server/web1",
        "ockle/server/%0A/set",
    ],
)
def test_what_is_no_command_is_none(topic: str) -> None:
    assert TOPICS.commanded(topic) is None


# -- states


@pytest.mark.parametrize(
    ("state", "supply", "expected"),
    [
        (OpState.OK, "on", True),
        (OpState.OK, "none", True),
        (OpState.OFF, "off", False),
        (OpState.SwitchingOn, "on", False),
        (OpState.SwitchingOff, "on", True),
        (OpState.forcedOn, "on", True),
        (OpState.forcedOn, "off", False),
        (OpState.forcedOn, "unknown", None),
        (OpState.forcedOff, "partly on", None),
        (OpState.forcedOff, "off", False),
        (OpState.forcedOff, "none", None),
        (OpState.INIT, "on", None),
        (OpState.UNKNOWN, "off", None),
        (OpState.failedToStart, "on", None),
        (OpState.failedToStop, "on", None),
        (OpState.permanentlyFailedToStart, "off", None),
        (OpState.permanentlyFailedToStop, "on", None),
    ],
)
def test_on_off_or_not_known(state: OpState, supply: str, expected: bool | None) -> None:
    assert is_on(state.value, supply) is expected


def row(state: OpState = OpState.OK, **more: Any) -> dict[str, Any]:
    attempts = {"start": [0, 3], "stop": [0, 3]}
    return {
        "state": state.value, "word": "on", "why": "", "since": 1000.44, "desired": "on", "held": False, "forced": None,
        "degraded": "", "attempts": attempts, "run": None, **more,
    }  # fmt: skip


def status(**servers: dict[str, Any]) -> dict[str, Any]:
    return {
        "master": "on", "safe_mode": "", "store_fault": "", "emergency": None, "runs": [{"id": 7}], "servers": servers
    }  # fmt: skip


def alert(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "state": "open", "severity": "critical", "title": "pdu-a does not answer", "server": "",
        "affected": [{"subject": "server/web1", "server": "web1", "text": "", "since": 0}], **more,
    }  # fmt: skip


def test_a_server_says_what_it_is() -> None:
    look = Look(status(web1=row(why="held")), {"web1": Part(41.26, "on")}, [alert()])
    assert server_states(look)["web1"] == {
        "name": "web1", "state": "on", "on": True, "why": "held", "since": 1000, "desired": "on", "held": False,
        "forced": None, "degraded": "", "power_w": 41.3, "attempts": {"start": [0, 3], "stop": [0, 3]}, "run": None,
        "problem": True, "problems": ["pdu-a does not answer"],
    }  # fmt: skip


def test_without_alerts_nobody_knows_of_problems() -> None:
    look = Look(status(web1=row()), {}, None)
    assert server_states(look)["web1"]["problem"] is None
    assert network_state(look)["problem"] is None
    assert server_states(Look(look.status, {}, []))["web1"]["problem"] is False


def test_what_is_good_to_know_or_pending_is_no_problem() -> None:
    assert troubled([alert(severity="info")]) == {}
    assert Look(status(), {}, [alert(state="pending")]).told() == []
    assert troubled([alert(server="db", affected=None)]) == {"db": ["pdu-a does not answer"]}


def test_the_network_counts() -> None:
    servers = status(a=row(), b=row(OpState.OFF, word="off"), c=row(OpState.UNKNOWN, word="unknown"))
    alerts = [alert(1), alert(2, severity="warning", state="acknowledged"), alert(3, state="silenced")]
    look = Look(servers, {"a": Part(10.0, "on"), "b": Part(0.25, "off"), "c": Part()}, alerts, site="cellar")
    found = network_state(look)
    assert found["servers"] == {"total": 3, "on": 1, "off": 1}
    assert found["words"] == {"on": 1, "off": 1, "unknown": 1}
    assert (found["power_w"], found["runs"], found["site"]) == (10.2, [7], "cellar")
    assert found["alerts"] == {"info": 0, "warning": 1, "critical": 1}
    assert found["problem"] is True
    silenced = network_state(Look(servers, {}, alerts[2:]))
    assert (silenced["problem"], silenced["power_w"]) == (False, None)


def test_an_alert_that_explains_much_stays_small() -> None:
    affected = [{"subject": f"server/{n}", "server": str(n), "text": "t", "since": 0} for n in range(5000)]
    assert len(alert_state(alert(affected=affected))["affected"]) == MOST_AFFECTED


# -- Home Assistant

# Keys that the pages of home-assistant.io document (integrations mqtt "Device discovery payload", binary_sensor.mqtt,
# sensor.mqtt, switch.mqtt), of those that are used here; what is required stands first.
AT_THE_TOP = ({"device", "origin", "components"}, {"availability_topic", "state_topic", "qos"})
DEVICE = {"identifiers", "name", "manufacturer", "model", "via_device", "configuration_url"}
ORIGIN = ({"name"}, {"sw_version", "support_url"})
COMMON = ({"platform", "unique_id"}, {"name", "icon", "device_class", "state_topic", "value_template"})
OF_PLATFORM = {
    "binary_sensor": {"payload_on", "payload_off"},
    "sensor": {"unit_of_measurement", "state_class", "json_attributes_topic"},
    "switch": {"command_topic", "payload_on", "payload_off", "optimistic", "retain"},
}
CLASSES = {
    "binary_sensor": {"running", "problem"},
    "sensor": {"power"},
    "switch": {"switch", "outlet"},
}
DISCOVERY_TOPIC = re.compile(r"homeassistant/device/([a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")


def having(*servers: str, nodes: list[dict[str, Any]] | None = None) -> Look:
    return Look(
        status(**{name: row() for name in servers}), nodes=nodes or [], site="cellar", url="https://ockle.example/"
    )


def has(found: dict[str, Any], keys: tuple[set[str], set[str]]) -> None:
    required, optional = keys
    assert required <= found.keys() <= required | optional, found.keys()


@pytest.mark.parametrize("commands", [True, False])
def test_devices_have_the_keys_that_are_documented(commands: bool) -> None:
    nodes = [{"name": "web1", "server": "web1"}, {"name": "lone", "server": ""}]
    found = devices(Home(TOPICS, commands=commands), having(*HOSTILE, nodes=nodes), {"web1"})
    assert len(found) == len(HOSTILE) + 2
    network = found[TOPICS.device(NETWORK)]["device"]
    assert (network["name"], network["configuration_url"]) == ("Ockle cellar", "https://ockle.example/")
    assert next(iter(found.values()))["device"] is network  # those that name it come later
    unique: list[str] = []
    for topic, one in found.items():
        assert DISCOVERY_TOPIC.fullmatch(topic), topic
        has(one, AT_THE_TOP)
        has(one["origin"], ORIGIN)
        assert one["device"].keys() <= DEVICE
        assert one["device"]["identifiers"]
        assert one["device"].get("via_device") in (None, *network["identifiers"])
        for component in one["components"].values():
            platform = component["platform"]
            has(component, (COMMON[0], COMMON[1] | OF_PLATFORM[platform]))
            assert component.get("device_class") in CLASSES[platform] | {None}
            unique.append(component["unique_id"])
            if platform == "sensor" and "state_class" in component:
                assert component["state_class"] in {"measurement", "total", "total_increasing"}
        assert any(component["platform"] == "switch" for component in one["components"].values()) == (
            commands and one["device"]["model"] == "Server"
        )
    assert len(set(unique)) == len(unique)
    json.dumps(found)


def rendered(template: str, state: dict[str, Any]) -> str:
    """Return what Home Assistant makes of a state: its templates are Jinja's, with the JSON as ``value_json``."""
    return SandboxedEnvironment().from_string(template).render(value_json=json.loads(encoded(state)))


@pytest.mark.parametrize(("on", "shown"), [(OpState.OK, "ON"), (OpState.OFF, "OFF"), (OpState.UNKNOWN, "None")])
def test_templates_of_a_server(on: OpState, shown: str) -> None:
    look = Look(status(web1=row(on)), {"web1": Part(41.26, "on")}, [alert()] if on is OpState.OK else None)
    state = server_states(look)["web1"]
    found = {
        key: rendered(one["value_template"], state) for key, one in server_components(HOME, "web1", power=True).items()
    }
    problem = "ON" if on is OpState.OK else "None"
    assert found == {"running": shown, "switch": shown, "problem": problem, "state": "on", "power": "41.3"}


def test_templates_of_the_network_and_of_nodes() -> None:
    network = network_state(Look(status(web1=row()), {}, [alert()]))
    components = network_components(TOPICS)
    found = {key: rendered(one["value_template"], network) for key, one in components.items()}
    assert found == {"problem": "ON", "emergency": "OFF", "alerts": "1", "servers_on": "1", "power": "None"}
    unknown = network_state(Look(status(), {}, None))
    assert rendered(components["alerts"]["value_template"], unknown) == "None"
    nodes = devices(HOME, having(nodes=[{"name": "n", "server": ""}]), [])[TOPICS.device(node_id("n"))]["components"]
    for state, figures, shown in (
        ("up", {"cpu_percent": 12.5}, "12.5"),
        ("up", {}, "None"),
        ("missing", {"cpu_percent": 1}, "None"),
    ):
        said = node_state({"state": state, "figures": figures})
        assert rendered(nodes["node_n_cpu_percent"]["value_template"], said) == shown


def test_only_what_is_measured_has_a_sensor_for_power() -> None:
    assert "power" in server_components(HOME, "web1", power=True)
    assert "power" not in server_components(HOME, "web1", power=False)


def test_the_figures_of_a_node_belong_to_its_server() -> None:
    found = devices(HOME, having("web1", nodes=[{"name": "web1", "server": "web1"}]), [])
    assert "node_web1_cpu_percent" in found[TOPICS.device(server_id("web1"))]["components"]
    assert len(found) == 2


def test_ids_are_the_same_in_each_run() -> None:
    one = devices(HOME, having("b", "a"), [])
    assert one == devices(HOME, having("a", "b"), [])
    assert one["homeassistant/device/ockle/a/config"]["device"]["configuration_url"] == "https://ockle.example/server/a"
    assert one["homeassistant/device/ockle/a/config"]["components"]["running"]["unique_id"] == "ockle_a_running"


def test_a_component_that_is_gone_leaves_its_platform_once() -> None:
    before = encoded(devices(HOME, having("a"), ["a"])[TOPICS.device("a")])
    now = devices(Home(TOPICS), having("a"), ["a"])[TOPICS.device("a")]
    gone = {key: one for key, one in components_of(before).items() if key not in now["components"]}
    assert gone == {"switch": "switch"}
    last = json.loads(encoded(parting(now, gone)))["components"]
    assert next(iter(last.items())) == ("switch", {"platform": "switch"})
    assert last.keys() == now["components"].keys() | {"switch"}
    assert "switch" not in now["components"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b'{"components": 3}',
        b'{"components": {"a": 1}}',
        b'{"components": {"a": {}}}',
        b"[" * 9999,
    ],
)
def test_descriptions_of_others_harm_nobody(payload: bytes) -> None:
    assert components_of(payload) == {}
