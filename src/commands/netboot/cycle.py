"""netbootCyclePort: a port of a switch that is named by its address, as piman's command line does."""

from __future__ import annotations

from ...common.CommunicationHandler import current_caller
from ...common.errors import CommandError
from ...common.services import DaemonServices
from ...netboot.port_book import PoePort
from .. import fields
from ..group import CommandGroup, Data
from .desk import Desk
from .port_power import PortPower
from .switch_ports import SwitchPorts
from .ties import tied_boards

CYCLE_S = 60.0


class NetbootCycle(CommandGroup):
    """For operators."""

    def __init__(self, daemon: DaemonServices, desk: Desk, ports: SwitchPorts, power: PortPower) -> None:
        super().__init__(daemon)
        self._desk, self._ports, self._power = desk, ports, power
        self.add(
            "netbootCyclePort",
            self.cycle,
            "operator",
            {
                "host": "of a switch, as its file names it; HOST:PORT where it is not 161",
                "group": "number of the group of ports",
                "port": "number of the port",
                "dry_run?": "true: only tell what hangs there",
                "confirm?": "PDU GROUP.PORT",
            },
        )

    def cycle(self, data: Data) -> Data:
        """Take the power of a port away for a moment, unless it feeds a server. Without such a switch ``pdu`` is "".

        Returns ``pdu``, ``servers`` (fed by the port), ``board`` (the board of the first one), ``cycled``.
        """
        group, port = fields.maybe_number(data, "group"), fields.maybe_number(data, "port")
        if group is None or port is None or not 1 <= group < 2**31 or not 1 <= port < 2**31:
            raise CommandError("group and port must be numbers from 1")
        pdu = self._pdu(fields.text(data, "host"))
        if not pdu:
            return {"pdu": "", "servers": [], "board": "", "cycled": False}
        at = PoePort(pdu, group, port)
        servers = self.loop(self._servers(at))
        shown = {"pdu": pdu, "servers": servers, "board": self._board(servers), "cycled": False}
        if data.get("dry_run") is True:
            return shown
        if data.get("confirm") != str(at):
            raise CommandError(f"this cuts the power of {at}, unasked: confirm = {str(at)!r}", "refused")
        self.loop(self._power.cycle(at), CYCLE_S)
        who = current_caller().name
        self._daemon.events.publish("netboot", f"{at} was off for a moment", stage="power", who=who)
        return shown | {"cycled": True}

    def _pdu(self, host: str) -> str:
        for name in self._ports.names():
            settings = self._daemon.site.pdus[name].settings
            if host in (settings["host"], f"{settings['host']}:{settings['port']}"):
                return name
        return ""

    async def _servers(self, at: PoePort) -> list[str]:
        return [node.name for node in self._ports.fed_by(await self._ports.port(at))]

    def _board(self, servers: list[str]) -> str:
        ties = tied_boards(self._daemon.site, self._desk.hosts)
        mac = next((mac for mac, server in ties.items() if server in servers), "")
        host = self._desk.hosts.by_mac(mac)
        return host.label if host is not None else mac
