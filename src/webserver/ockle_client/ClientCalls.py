"""Client calls to the Ockle daemon: one function per command, for scripts and for the web GUI.

Set ``PORT``, ``OCKLE_SERVER_HOSTNAME`` and, for a daemon on another machine, ``TOKEN`` before the first call::

    import ockle.webserver.ockle_client.ClientCalls as ockleClient
    ockleClient.OCKLE_SERVER_HOSTNAME = "192.168.1.10"
    print(ockleClient.getServerDict())

Every function returns None when the daemon cannot be reached, and raises ClientError when it refuses. Each call has a
connection of its own, so threads need no care; many calls in a row are faster on one ``connection.Connection``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .connection import ClientError, Connection, ConnectionFailed

if TYPE_CHECKING:
    from ssl import SSLContext

__all__ = ["ClientError", "Connection", "ConnectionFailed", "connect", "getDataFromServer", "subscribe"]

OCKLE_SERVER_HOSTNAME = "127.0.0.1"
"""Name or address of the daemon's machine; ``unix:PATH`` for its Unix socket."""
PORT = 8088
TOKEN = ""
"""The secret of a client on another machine."""
TLS: bool | str | SSLContext = False
"""True, or the path of the daemon's certificate, or a context."""
TIMEOUT = 30.0
"""Seconds to wait for a reply."""
VIA = "socket"
"""What the daemon writes into its records about the way a command came."""

Reply = dict[str, Any]


def connect(user: str = "") -> Connection:
    """Return a Connection by this module's settings; it connects at its first call."""
    host = OCKLE_SERVER_HOSTNAME
    unix = host.removeprefix("unix:") if host.startswith("unix:") else ""
    return Connection(host, PORT, unix=unix, token=TOKEN, tls=TLS, timeout=TIMEOUT, via=VIA, user=user)


def getDataFromServer(
    command: str,
    paramsDict: Mapping[str, Any] = {},  # the documented default; it is only read
    noReturn: bool = False,
) -> Reply | None:
    """Send a command and return the reply's data; None if connecting failed.

    ``noReturn``  do not wait for a reply: for commands that stop the daemon
    """
    try:
        with connect() as connection:
            if noReturn:
                connection.send(command, dict(paramsDict))
                return {}
            return connection.call(command, dict(paramsDict))
    except ConnectionFailed:
        return None


def subscribe(
    kinds: Sequence[str] = (), server: str = "", since_seq: int | None = None, keep_alive: float = 30.0
) -> Iterator[Reply]:
    """Yield events for ever: dicts with seq, time, kind, server, text, data. Raises ConnectionFailed at the end."""
    with connect() as connection:
        connection.subscribe(kinds, server, since_seq)
        yield from connection.events(keep_alive)


def _value(command: str, key: str, params: Mapping[str, Any] | None = None) -> Any:
    """Return the one value in a reply that is wrapped under ``key``; None without a daemon."""
    reply = getDataFromServer(command, params or {})
    return None if reply is None else reply.get(key)


# -- servers


def getServerTree() -> str | None:
    """Return the network as a dot graph."""
    dot: str | None = _value("getServerTree", "dot")
    return dot


def getServerView(serverName: str) -> Reply | None:
    """Return what is known about a server."""
    return getDataFromServer("getServerView", {"server": serverName})


def getServerDict() -> Reply | None:
    """Return the configured servers: name -> description."""
    return getDataFromServer("getServerDict")


def getServerAvilableDependencies(server: str) -> Reply | None:
    """Return the servers that ``server`` could be made to depend on: name -> description."""
    return getDataFromServer("getServerAvilableDependencies", {"server": server})


def serversDependent(server: str) -> Reply | None:
    """Return the servers that ``server`` depends on."""
    return getDataFromServer("serversDependent", {"server": server})


def setServer(dataDict: Mapping[str, Any]) -> Reply | None:
    """Turn a server on or off: keys ``server`` and ``state`` ("on", "off"). Returns a dict with ``status``."""
    return getDataFromServer("setServer", dataDict)


def switchNetwork(dataDict: Mapping[str, Any]) -> Reply | None:
    """Turn all servers on or off: key ``state`` ("true", "false"). Returns a dict with ``status``."""
    return getDataFromServer("switchNetwork", dataDict)


def switchOutlet(dataDict: Mapping[str, Any]) -> str | None:
    """Switch an outlet of a server: keys ``server``, ``obj`` (its name), ``state``. Returns its OpState."""
    state: str | None = _value("switchOutlet", "opState", dataDict)
    return state


def switchControl(dataDict: Mapping[str, Any]) -> str | None:
    """Switch a control of a server: keys ``server``, ``obj`` (its name), ``state``. Returns its OpState."""
    state: str | None = _value("switchControl", "opState", dataDict)
    return state


def runTest(dataDict: Mapping[str, Any]) -> str | None:
    """Run a test of a server: keys ``server`` and ``obj`` (its name). Returns its OpState."""
    reply = getDataFromServer("runTest", dataDict)
    if reply is None:
        return None
    state: str | None = reply.get("results", {}).get(dataDict.get("obj"), {}).get("state")
    return state


def getAvailableServerOutlets(server: str) -> Reply | None:
    """Return the outlets of a server: name -> information."""
    return getDataFromServer("getAvailableServerOutlets", {"server": server})


def getAvailableServerControls(server: str) -> Reply | None:
    """Return the controls of a server: name -> information."""
    return getDataFromServer("getAvailableServerControls", {"server": server})


def getAvailableServerTesters(server: str) -> Reply | None:
    """Return the tests of a server: name -> information."""
    return getDataFromServer("getAvailableServerTesters", {"server": server})


# -- PDUs, controllers, testers, plugins


def getPDUDict() -> Reply | None:
    """Return the configured PDUs: name -> description."""
    return getDataFromServer("getPDUDict")


def getControllerDict() -> Reply | None:
    """Return the configured controllers: name -> description."""
    return getDataFromServer("getControllerDict")


def getTesterDict() -> Reply | None:
    """Return the configured testers: name -> description."""
    return getDataFromServer("getTesterDict")


def getAvailablePDUsList() -> Reply | None:
    """Return the types of PDU that Ockle can drive, sorted: name -> information."""
    return getDataFromServer("getAvailablePDUsList")


def getAvailableControllersList() -> Reply | None:
    """Return the types of controller, sorted: name -> information."""
    return getDataFromServer("getAvailableControllersList")


def getAvailableTestersList() -> Reply | None:
    """Return the types of tester, sorted: name -> information."""
    return getDataFromServer("getAvailableTestersList")


def getAvailablePluginsList() -> Reply | None:
    """Return the plugins: name -> description."""
    return getDataFromServer("getAvailablePluginsList")


def getAutoControlStatus() -> Reply | None:
    """Return a dict whose ``status`` tells the master switch of AutoControl: "on" or "off"."""
    return getDataFromServer("getAutoControlStatus")


def setAutoControlStatus(dataDict: Mapping[str, Any]) -> Reply | None:
    """Turn the master switch of AutoControl: key ``status`` ("on", "off"). Returns what getAutoControlStatus does."""
    return getDataFromServer("setAutoControlStatus", dataDict)


# -- configuration


def getServerFolder() -> str | None:
    """Return the folder of the servers' files, relative to etc."""
    folder: str | None = _value("getServerFolder", "folder")
    return folder


def getPDUFolder() -> str | None:
    """Return the folder of the PDUs' files, relative to etc."""
    folder: str | None = _value("getPDUFolder", "folder")
    return folder


def getControllerFolder() -> str | None:
    """Return the folder of the controllers' files, relative to etc."""
    folder: str | None = _value("getControllerFolder", "folder")
    return folder


def getTesterFolder() -> str | None:
    """Return the folder of the testers' files, relative to etc."""
    folder: str | None = _value("getTesterFolder", "folder")
    return folder


def getINIFile(iniPath: str) -> str | None:
    """Return the text of an INI file; ``iniPath`` is relative to etc, as in all calls below."""
    text: str | None = _value("getINIFile", "iniFile", {"iniPath": iniPath})
    return text


def setINIFile(iniPath: str, iniDict: Mapping[str, Any]) -> Reply | None:
    """Write an INI file from a dict section -> option -> value; the daemon refuses what would not load."""
    return getDataFromServer("setINIFile", {"iniPath": iniPath, "iniDict": dict(iniDict)})


def deleteINIFile(iniPath: str) -> Reply | None:
    """Delete an INI file; refused while something uses the object in it."""
    return getDataFromServer("deleteINIFile", {"iniPath": iniPath})


def deleteINISection(section: str, iniPath: str) -> Reply | None:
    """Delete a section of an INI file."""
    return getDataFromServer("deleteINISection", {"section": section, "iniPath": iniPath})


def loadINIFileConfig(configPath: str) -> Reply | None:
    """Return an INI file as a dict section -> option -> value."""
    return getDataFromServer("loadINIFileConfig", {"configPath": configPath})


def loadINIFileTemplate(templatePaths: str | Sequence[str]) -> Reply | None:
    """Return the INI template in a path, or merged from a list of paths, relative to ``src/config``."""
    paths = [templatePaths] if isinstance(templatePaths, str) else list(templatePaths)
    return getDataFromServer("loadINIFileTemplate", {"templatePaths": paths})


# -- the daemon


def listCommands() -> Reply | None:
    """Return all commands: name -> description."""
    return getDataFromServer("listCommands")


def restartOckle() -> Reply | None:
    """Restart the daemon; does not wait for it."""
    return getDataFromServer("restartOckle", noReturn=True)
