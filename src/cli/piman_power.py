"""``ockle piman restart`` and ``reinstall``: the power of one port of one switch."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ..common.clock import SystemClock
from ..common.errors import DeviceError, DeviceStateError
from ..common.snmp import SnmpSettings
from ..common.snmp_session import SnmpSession
from ..netboot.piman import PimanConfig, boot_config, marks_of, read_piman
from ..outlets.poe import ADMIN_ENABLE, PORT_TABLE
from ..webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from ..webserver.ockle_client.plans import MUST_BE_TYPED
from .codes import OK, CliError
from .connect import connect
from .follow import finish, follow
from .output import safe, say, tell

FAILED = 1
ON, OFF = 1, 2
OFF_S = 1.0
DAEMON_S = 90.0


class Switch:
    """A switch by its address, ``HOST`` or ``HOST:PORT``, and the group of ports that piman calls its interface."""

    def __init__(self, args: argparse.Namespace, host: str, group: int) -> None:
        self._args, self.host, self.group = args, host, group

    def restart(self, port: int) -> int:
        """Take the power of a port away and give it back; a server is restarted as `ockle restart` does."""
        known = self.known(port)
        if known is None:
            self.cycle(port)
        elif known["servers"]:
            return self._order("run", {"action": "restart", "servers": known["servers"]}, known["servers"])
        else:
            self._ask("netbootCyclePort", self._at(port) | {"confirm": f"{known['pdu']} {self.group}.{port}"})
            say(f"{safe(known['pdu'])} {self.group}.{port}: off for a moment, by the daemon")
        return OK

    def reinstall(self, port: int) -> int:
        """Mark the Pi at a port to be installed anew, then restart it."""
        known = self.known(port)
        if known is None:
            piman = self.config()
            address = piman.pi_address(self.host.partition(":")[0], port)
            boot = boot_config(piman, Path.cwd(), self._args.hosts)
            marks_of(boot, SystemClock()).add_known(address)
            say(f"{address} is marked in reinstall.txt")
            self.cycle(port)
            return OK
        board = known["board"] or str(self.config().pi_address(self.host.partition(":")[0], port))
        return self._order("netbootReinstall", {"board": board}, known["servers"])

    def config(self) -> PimanConfig:
        return read_piman(Path(self._args.config))

    # -- by the daemon

    def known(self, port: int) -> dict[str, Any] | None:
        """Return what the daemon knows of a port; None when there is no daemon, or it does not know the switch."""
        try:
            found = self._ask("netbootCyclePort", self._at(port) | {"dry_run": True})
        except ConnectionFailed:
            return None
        except ClientError as error:
            if error.code == "unknown_command":
                return None
            raise
        return found if found["pdu"] else None

    def _at(self, port: int) -> dict[str, Any]:
        return {"host": self.host, "group": self.group, "port": port}

    def _ask(self, command: str, data: dict[str, Any]) -> dict[str, Any]:
        with connect(self._args, DAEMON_S) as connection:
            return connection.call(command, data)

    def _order(self, command: str, order: dict[str, Any], servers: list[str]) -> int:
        """Give an order for ``servers`` and follow it. Raises CliError when it would concern others as well."""
        with connect(self._args, DAEMON_S) as connection:
            looked = self._look(connection, command, order)
            plan = looked["plan"] or {"steps": []}
            others = {step["server"] for step in plan["steps"]} - set(servers)
            word = "ockle netboot reinstall" if command == "netbootReinstall" else "ockle restart"
            if others:
                names = ", ".join(sorted(map(safe, others)))
                raise CliError(f"{names} would be switched, too. If that is meant: {word}", FAILED)
            if plan.get("tier") == MUST_BE_TYPED:
                raise CliError(f"{', '.join(map(safe, servers))} wants its name typed: {word}", FAILED)
            connection.subscribe(["run", "step"])
            done = connection.call(command, {**order, "confirm": looked["confirm"]})
            if done.get("run") is None:
                say(f"{safe(done.get('cycled'))}: off for a moment, by the daemon")
                return OK
            return finish(self._args, follow(connection, str(done["run"]), None))

    @staticmethod
    def _look(connection: Connection, command: str, order: dict[str, Any]) -> dict[str, Any]:
        if command == "netbootReinstall":
            return connection.call(command, {**order, "dry_run": True})
        plan = connection.call("plan", order)
        return {"plan": plan, "confirm": plan["confirm"]}

    # -- directly

    def settings(self) -> SnmpSettings:
        host, _, port = self.host.partition(":")
        if port and not port.isdecimal():
            raise CliError(f"SWITCH is {self.host!r}: an address is needed, or ADDRESS:PORT", FAILED)
        _read, write = self.config().communities
        # piman writes and reads with the same community; a switch need not know the other one
        return SnmpSettings(host, int(port or 161), "1", write, write, timeout=5.0)

    def cycle(self, port: int) -> None:
        """Off, a second, on; on again also when this is interrupted. Raises DeviceError."""
        settings = self.settings()
        tell(f"{self.host} {self.group}.{port}: off")
        with _on_again_first():
            try:
                asyncio.run(switch_port(settings, self.group, port, OFF))
                time.sleep(OFF_S)
            finally:
                asyncio.run(switch_port(settings, self.group, port, ON))
        tell(f"{self.host} {self.group}.{port}: on")


async def switch_port(settings: SnmpSettings, group: int, port: int, value: int) -> None:
    """Set pethPsePortAdminEnable and read it back. Raises DeviceError."""
    session = SnmpSession(settings)
    oid = f"{PORT_TABLE}.{ADMIN_ENABLE}.{group}.{port}"
    try:
        try:
            await session.set([(oid, value)])
        except DeviceError as error:
            tell(f"{settings.where}: {error}")  # it may have worked all the same: what it shows counts
        seen = await session.get_one(oid)
    finally:
        await session.close()
    if seen != value:
        raise DeviceStateError(f"{settings.where}: port {group}.{port} was set to {value}, and shows {seen!r}")


@contextmanager
def _on_again_first() -> Iterator[None]:
    """Have an interruption wait until the port has its power back."""
    came: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    former = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt
