"""The names of Ockle's manual are a public contract: plugins and scripts written against it have to load.

Parameters that the manual does not have may follow those that it has, with defaults.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ockle.common.common import OpState
from ockle.common.CommunicationHandler import CommunicationHandler
from ockle.common.CommunicationMessage import UNKNOWN_COMMAND, Message
from ockle.networkTree.ServerNode import ServerNode

SOURCE = Path(__file__).resolve().parents[2] / "src"

CLASSES = {
    "MainDaemon.MainDaemon": """
        getAvailablePluginsListIndex(dict) getPluginList() reload(dataDict) shutdown() debug(message)
    """,
    "networkTree.ServerNetwork.ServerNetwork": """
        __init__() addDependency(server,dependency) addServer(node,dependencies) allOff() getDependencies(server)
        getDependent(server) getRoot() getServer(serverNameSearch) getServernode(serverName) getSortedNodeList()
        getSortedNodeListIndex() isAllOpState(opState) isReadyToTurnOn(server) removeDependency(server,dependency)
        turnOffServer(serverName) turnOnServer(serverName) turningOn() updateNetwork()
    """,
    "networkTree.ServerNode.ServerNode": """
        __init__(name,outlets,tests,controls) action(actionString,ignoreDeps) controlsStillStarting()
        getControlsDataDict() getFailedTests() getNotControlsOpState(opState) getNotOutletsOpState(opState)
        getOutlet(number) getOutlets() getOutletsDataDict() getShutdownAttempts() getStartAttempts()
        incrementShutdownAttempt() incrementStartAttempt() outletsStillStarting() setControlOpState(opState)
        setName(name) setOpState(state) setOutletsOpState(opState) setOutletsState(state) setState(state)
        turnOn(ignoreDeps) turnOff(ignoreDeps) updateOpState(runTests)
    """,
    "networkTree.ServerNetworkFactory.ServerNetworkFactory": """
        __init__(MainDaemon,reportDependencyexceptions) getOutletsDictIndex() getControllersDictIndex()
        getTestersDictIndex() buildNetwork()
    """,
    "common.CommunicationHandler.CommunicationHandler": """
        __init__(mainDaemon) AddCommandToList(command,function) handleMessage(message) listCommands(dataDict)
    """,
    "plugins.ModuleTemplate.ModuleTemplate": """
        __init__(MainDaemon) debug(message) getConfigInt(value) getConfigVar(value) run() stop()
    """,
    "outlets.OutletTemplate.OutletTemplate": """
        __init__(name,outletConfigDict,outletParams) _setOutletState(state) _getOutletState() updateData()
    """,
    "controllers.ControllerTemplate.ControllerTemplate": """
        __init__(name,controllerConfigDict,controllerParams) _setControlState(state) _getControlState() updateData()
    """,
    "testers.TemplateTester.TemplateTester": "__init__(name,testerConfigDict,testerParams) _test()",
}
METHODS = [(path, method) for path, text in CLASSES.items() for method in text.split()]

DEFAULTS = {
    ("networkTree.ServerNode.ServerNode", "action"): {"ignoreDeps": False},
    ("networkTree.ServerNode.ServerNode", "turnOn"): {"ignoreDeps": False},
    ("networkTree.ServerNode.ServerNode", "turnOff"): {"ignoreDeps": False},
    ("networkTree.ServerNode.ServerNode", "updateOpState"): {"runTests": True},
    ("networkTree.ServerNetworkFactory.ServerNetworkFactory", "__init__"): {"reportDependencyexceptions": True},
}

OPTIONAL = {
    ("MainDaemon.MainDaemon", "getAvailablePluginsListIndex"): ("dict",),
    ("networkTree.ServerNetwork.ServerNetwork", "addServer"): ("dependencies",),
    ("networkTree.ServerNode.ServerNode", "__init__"): ("outlets", "tests", "controls"),
    ("outlets.OutletTemplate.OutletTemplate", "__init__"): ("outletConfigDict", "outletParams"),
    ("controllers.ControllerTemplate.ControllerTemplate", "__init__"): ("controllerConfigDict", "controllerParams"),
}


def found(path: str) -> type[Any]:
    module, _, name = path.rpartition(".")
    thing = getattr(importlib.import_module(f"ockle.{module}"), name)
    assert isinstance(thing, type)
    return thing


def parameters(path: str, method: str) -> dict[str, inspect.Parameter]:
    return dict(list(inspect.signature(getattr(found(path), method)).parameters.items())[1:])


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_methods_take_what_the_manual_says(path: str, method: str) -> None:
    name, _, listed = method.rstrip(")").partition("(")
    documented = [word for word in listed.split(",") if word]
    actual = parameters(path, name)
    assert list(actual)[: len(documented)] == documented
    assert [one.name for one in list(actual.values())[len(documented) :] if one.default is one.empty] == []


@pytest.mark.parametrize(("key", "defaults"), DEFAULTS.items())
def test_defaults_are_those_of_the_manual(key: tuple[str, str], defaults: dict[str, object]) -> None:
    actual = parameters(*key)
    assert {name: actual[name].default for name in defaults} == defaults


@pytest.mark.parametrize(("key", "names"), OPTIONAL.items())
def test_what_may_be_left_out(key: tuple[str, str], names: tuple[str, ...]) -> None:
    actual = parameters(*key)
    assert [name for name in names if actual[name].default is inspect.Parameter.empty] == []


def test_op_states_and_their_texts() -> None:
    texts = {
        "OK": "OK",
        "OFF": "OFF",
        "SwitcingOn": "Switching on",
        "SwitchingOff": "Switching off",
        "failedToStart": "Failed to start",
        "failedToStop": "Failed to stop",
        "forcedOn": "Forced on",
        "forcedOff": "Forced off",
        "permanentlyFailedToStart": "Permanently failed to start",
        "permanentlyFailedToStop": "Permanently failed to Stop",
    }
    assert {name: OpState[name].value for name in texts} == texts
    assert OpState["SwitchingOn"] is OpState.SwitcingOn


def test_test_states_and_their_texts() -> None:
    states = importlib.import_module("ockle.testers.TemplateTester").TesterOpState
    assert (states.SUCCEEDED.value, states.FAILED.value) == ("SUCCEEDED", "FAILED")


@pytest.mark.parametrize("name", ["DependencyException"])
def test_documented_errors(name: str) -> None:
    assert issubclass(getattr(importlib.import_module("ockle.common.errors"), name), Exception)


@pytest.mark.parametrize("path", ["outlets.dummy.Dummy", "controllers.dummy.Dummy"])
def test_outlets_and_controls_are_made_with_a_name_alone_and_have_data(path: str) -> None:
    made = found(path)("part")
    assert made.name == "part"
    assert made.data == {}


def test_a_server_is_made_with_a_name_alone() -> None:
    assert ServerNode("web").getOutlets() == []


def test_a_command_added_the_documented_way_is_answered_and_an_unknown_one_is_named_so() -> None:
    handler = CommunicationHandler(object())
    handler.AddCommandToList("greet", lambda dataDict: {"text": f"hello {dataDict['whom']}"})
    reply = handler.handleMessage(Message("greet", {"whom": "you"}))
    assert (reply.command, reply.data) == ("greet", {"text": "hello you"})
    assert handler.handleMessage(Message("part")).command == UNKNOWN_COMMAND == "Unknown Command"
    assert {"greet", "listCommands"} <= set(handler.listCommands({}))


@pytest.mark.parametrize(
    "name",
    [
        "AutoControl",
        "CoreCommunicationCommands",
        "EditingCommunicationCommands",
        "SocketListener",
        "TimerPluginExample",
    ],
)
def test_plugins_of_the_manual(name: str) -> None:
    plugin = found(f"plugins.{name}.{name}")
    assert issubclass(plugin, found("plugins.ModuleTemplate.ModuleTemplate"))
    assert list(inspect.signature(plugin).parameters) == ["MainDaemon"]


@pytest.mark.parametrize(
    "path",
    [
        *("outlets/raritan", "outlets/dummy", "outlets/dummy_with_cpu", "outlets/poe"),
        *("controllers/ssh_controller", "controllers/dummy", "testers/ping", "testers/dummy"),
    ],
)
def test_types_of_the_manual_have_a_module(path: str) -> None:
    assert importlib.import_module("ockle." + path.replace("/", ".")).__doc__


def test_the_daemon_is_started_by_its_file() -> None:
    done = subprocess.run(
        [sys.executable, str(SOURCE / "MainDaemon.py"), "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--etc" in done.stdout
