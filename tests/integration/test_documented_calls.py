"""The documented synchronous methods, as a plugin of somebody else would call them from its own thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.common.common import OpState
from ockle.common.errors import OckleError
from ockle.MainDaemon import MainDaemon
from ockle.networkTree.ServerNode import ServerNode
from ockle.testers import TemplateTester
from own_daemon import running, written

SERVER = """[server]
dependencies = {needs}
outlets = psu
controls = ssh
tests = port
[psu]
pdu = strip
outlet = {name}
min_off_time = 0s
max_per_minute = 0
[ssh]
controller = hand
[port]
tester = probe
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[MainDaemon]:
    """A daemon in this process: two servers on dummies, no plugin, nothing but the network."""
    files = {
        "config.ini": "[main]\npoll_interval = 200ms\ntest_interval = 200ms\n[plugins]\nplugins = TimerPluginExample\n",
        "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
        "controllers/hand.ini": "[controller]\ntype = Dummy\n",
        "testers/probe.ini": "[tester]\ntype = Dummy\n",
        "servers/nas.ini": SERVER.format(name="nas", needs=","),
        "servers/web.ini": SERVER.format(name="web", needs="nas"),
    }
    with running(written(tmp_path / "etc", files)) as daemon:
        yield daemon


def settle(daemon: MainDaemon) -> None:
    """Have the dummies say what a machine without power would say: a Dummy control knows nothing of its outlet."""
    for node in daemon.network:
        for control in node.controls:
            control.params["delay"] = 0.0
            node.facts.policy.halt_grace = 0.0
            node.facts.policy.probe_interval = 0.05


def test_the_network_switches_in_order_and_waits(daemon: MainDaemon) -> None:
    settle(daemon)
    network = daemon.network
    assert network.turnOnServer("web") is True
    assert network.isAllOpState(OpState.OK)
    assert network.isReadyToTurnOn("web")
    assert not network.turningOn()
    assert network.turnOffServer("nas") is True
    assert network.isAllOpState(OpState.OFF)
    network.updateNetwork()
    assert network.isAllOpState(OpState.OFF)


def test_a_node_switches_itself_with_or_without_its_dependencies(daemon: MainDaemon) -> None:
    settle(daemon)
    nas, web = daemon.network.getServernode("nas"), daemon.network.getServernode("web")
    assert web.turnOn(ignoreDeps=True) is True
    assert (nas.getOpState(), web.getOpState()) == (OpState.OFF, OpState.OK)
    assert web.action("off", ignoreDeps=True) is True
    assert web.turnOn() is True
    assert nas.getOpState() is OpState.OK
    assert nas.turnOff() is True
    assert web.getOpState() is OpState.OFF
    web.setState("on")
    web.updateOpState()
    assert web.getOpState() is OpState.OK
    assert web.getFailedTests() == []
    assert daemon.network.allOff() is True
    assert daemon.network.isAllOpState(OpState.OFF)


def test_parts_of_a_node_are_reached_and_set(daemon: MainDaemon) -> None:
    nas = daemon.network.getServernode("nas")
    assert nas.getOutlets() == [0]
    assert nas.getOutlet(0).name == "psu"
    assert nas.setOutletsState(True) == []
    assert nas.getOutlet(0).getState() is True
    nas.getOutlet(0).params["fault"] = "stuck"
    nas.getOutlet(0).params["settle_timeout"] = 0.2
    assert [outlet.name for outlet in nas.setOutletsState(False)] == ["psu"]
    nas.setOutletsOpState(OpState.SwitchingOn)
    assert nas.outletsStillStarting()
    assert nas.getNotOutletsOpState(OpState.OK) == nas.outlets
    nas.setControlOpState(OpState.SwitchingOn)
    assert nas.controlsStillStarting()
    assert nas.getNotControlsOpState(OpState.SwitchingOn) == []
    assert (nas.getOutletsDataDict(), nas.getControlsDataDict()) == ({"psu": {}}, {"ssh": {}})
    assert nas.controls[0].getState() is True
    assert nas.tests[0].test() is True
    assert nas.tests[0].getOpState() is TemplateTester.TesterOpState.SUCCEEDED
    assert (nas.getStartAttempts(), nas.getShutdownAttempts()) == (0, 0)
    with pytest.raises(OckleError, match="rename its file"):
        nas.setName("other")


def test_a_state_that_is_set_by_hand_is_corrected_by_the_next_look(daemon: MainDaemon) -> None:
    nas = daemon.network.getServernode("nas")
    nas.setOpState(OpState.OK)
    nas.updateOpState(runTests=False)
    assert nas.getOpState() is OpState.OFF


def test_a_node_without_a_daemon_says_so() -> None:
    node = ServerNode("lone")
    node.setName("alone")
    node.setState(OpState.OK)
    assert (node.getName(), node.getOpState()) == ("alone", OpState.OK)
    with pytest.raises(OckleError, match="not run by a daemon"):
        node.turnOn()


def test_a_blocking_call_on_the_device_loop_is_an_error(daemon: MainDaemon) -> None:
    async def wrong() -> None:
        daemon.network.turnOnServer("nas")

    with pytest.raises(OckleError, match="await its async twin"):
        daemon.device_loop.call(wrong())


def test_the_daemon_describes_itself(daemon: MainDaemon) -> None:
    index = daemon.getAvailablePluginsListIndex({})
    assert {"AutoControl", "SocketListener", "TimerPluginExample"} <= set(index)
    assert [plugin.name for plugin in daemon.getPluginList()] == ["TimerPluginExample"]
    assert daemon.plugin_states() == {"TimerPluginExample": ""}
    assert daemon.reload({})["servers"] == 2


def test_a_reload_keeps_states_and_takes_new_plugins_and_servers(daemon: MainDaemon) -> None:
    settle(daemon)
    assert daemon.network.turnOnServer("nas")
    (daemon.etc / "servers" / "db.ini").write_text(SERVER.format(name="db", needs="nas"))
    config = daemon.etc / "config.ini"
    config.write_text(config.read_text().replace("TimerPluginExample", "CoreCommunicationCommands"))
    daemon.reload({})
    assert daemon.network.getServernode("nas").getOpState() is OpState.OK
    assert daemon.network.getDependencies("db") == ["nas"]
    assert list(daemon.plugins) == ["CoreCommunicationCommands"]
    (daemon.etc / "servers" / "db.ini").write_text(SERVER.format(name="db", needs="nobody"))
    with pytest.raises(OckleError, match="nobody"):
        daemon.reload({})
    assert "db" in daemon.network
