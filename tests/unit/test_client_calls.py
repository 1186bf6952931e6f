"""The client library's documented names and arguments are a contract; so is what it imports."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from ockle.webserver.ockle_client import ClientCalls

SOURCE = Path(__file__).resolve().parents[2] / "src"
DOCUMENTED = {
    "deleteINIFile": ["iniPath"],
    "deleteINISection": ["section", "iniPath"],
    "getAutoControlStatus": [],
    "getAvailableControllersList": [],
    "getAvailablePDUsList": [],
    "getAvailablePluginsList": [],
    "getAvailableServerControls": ["server"],
    "getAvailableServerOutlets": ["server"],
    "getAvailableServerTesters": ["server"],
    "getAvailableTestersList": [],
    "getControllerDict": [],
    "getControllerFolder": [],
    "getDataFromServer": ["command", "paramsDict", "noReturn"],
    "getINIFile": ["iniPath"],
    "getPDUDict": [],
    "getPDUFolder": [],
    "getServerAvilableDependencies": ["server"],
    "getServerDict": [],
    "getServerFolder": [],
    "getServerTree": [],
    "getServerView": ["serverName"],
    "getTesterDict": [],
    "getTesterFolder": [],
    "listCommands": [],
    "loadINIFileConfig": ["configPath"],
    "loadINIFileTemplate": ["templatePaths"],
    "restartOckle": [],
    "runTest": ["dataDict"],
    "serversDependent": ["server"],
    "setAutoControlStatus": ["dataDict"],
    "setINIFile": ["iniPath", "iniDict"],
    "setServer": ["dataDict"],
    "switchControl": ["dataDict"],
    "switchNetwork": ["dataDict"],
    "switchOutlet": ["dataDict"],
}


@pytest.mark.parametrize(("name", "arguments"), DOCUMENTED.items())
def test_the_documented_calls(name: str, arguments: list[str]) -> None:
    assert list(inspect.signature(getattr(ClientCalls, name)).parameters) == arguments


def test_the_documented_variables_and_defaults() -> None:
    assert (ClientCalls.PORT, ClientCalls.OCKLE_SERVER_HOSTNAME) == (8088, "127.0.0.1")
    parameters = inspect.signature(ClientCalls.getDataFromServer).parameters
    assert (parameters["paramsDict"].default, parameters["noReturn"].default) == ({}, False)


def test_the_documented_old_import_works_from_inside_src() -> None:
    code = "import webserver.ockle_client.ClientCalls as ockle; ockle.PORT = 1; print(ockle.listCommands())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("None\n", "")
