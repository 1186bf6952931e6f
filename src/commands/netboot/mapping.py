"""Commands that find out which board hangs on which port of which switch."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from ...common.CommunicationHandler import current_caller
from ...common.errors import CommandError, DeviceError
from ...common.services import DaemonServices
from ...drivers.port_finder import AmbiguousError
from ...netboot.mac import parse_mac
from ...netboot.port_book import PoePort, PortBook
from .. import fields
from ..group import CommandGroup, Data
from . import view
from .desk import Desk
from .port_mapping import MapJob, Row, RowState, parse_ports
from .port_power import PortPower
from .switch_ports import SwitchPorts, poe_port
from .ties import tied_boards

KEPT = 20
WAIT_S = 60.0
LONGEST_WAIT_S = 3600.0
STOP_S = 2.5


class NetbootMapping(CommandGroup):
    """For operators; what came of it, for viewers."""

    def __init__(
        self, daemon: DaemonServices, desk: Desk, ports: SwitchPorts, power: PortPower, book: PortBook
    ) -> None:
        super().__init__(daemon)
        self._desk, self._ports, self._power, self._book = desk, ports, power, book
        self._jobs: OrderedDict[int, MapJob] = OrderedDict()
        self._running: tuple[MapJob, asyncio.Task[None]] | None = None
        operator = "operator"
        self.add(
            "netbootFindPort",
            self.find_port,
            operator,
            {
                "board?": "its name, MAC address or address",
                "mac?": "any MAC address, instead",
                "pdu?": "only this switch",
            },
        )
        self.add(
            "netbootMapPorts",
            self.map_ports,
            operator,
            {
                "pdu": "name of the switch",
                "ports?": "list such as 3, 2.7 (port 7 of group 2), 1-8; default: all",
                "write?": "true: add who is found to hosts.csv; nobody who is there is changed",
                "wait_s?": f"seconds that a board is given to show itself; default {WAIT_S:g}",
                "dry_run?": "true: only tell which ports it would be",
                "confirm?": "the name of the switch",
            },
        )
        self.add("netbootMapping", self.mapping, "viewer", {"id?": "of a job; default: the newest"})
        self.add("netbootCancelMapping", self.cancel, operator, {"id": "of a job"})

    # -- one board

    def find_port(self, data: Data) -> Data:
        """Return at which port a machine hangs, as its switch has learned it; nothing is switched.

        ``switch``, ``port`` (name of the interface), ``poe`` (group.port, "" = cannot be told), ``bridge_port``,
        ``if_index``, ``vlans``, ``macs`` (addresses at that port), ``servers`` (fed by that PoE port), ``mismatch``
        (why the file of the board's server is wrong about the port), ``elsewhere`` (ports that lead there), ``silent``
        (switch -> why it could not be asked).
        """
        mac = self._wanted(data)
        pdu = fields.maybe_text(data, "pdu")
        if pdu is not None:
            self._ports.check(pdu)
        names = [pdu] if pdu is not None else self._ports.names()
        if not names:
            raise CommandError("there is no switch to ask: etc/outlets has no PDU of the type PoE", "refused")
        search = self.loop(self._ports.search(mac, names))
        try:
            place = self._ports.choose(mac, search)
        except AmbiguousError as error:
            shown = [self._ports.shown(one) for one in error.places]
            raise CommandError(str(error), "conflict", {"places": shown, "silent": search.silent}) from error
        except DeviceError as error:
            raise CommandError(str(error), "not_found", {"silent": search.silent}) from error
        at = poe_port(place)
        if at is not None and place.macs == 1:
            self._book.put(mac, at)
        host = self._desk.hosts.by_mac(mac)
        servers = self.loop(self._servers(at)) if at is not None else []
        return {
            "mac": mac,
            "board": host.name if host is not None else "",
            **self._ports.shown(place),
            "servers": servers,
            "mismatch": self._mismatch(mac, servers) if at is not None else "",
            "elsewhere": [self._ports.shown(one) for one in search.places if one is not place],
            "silent": search.silent,
        }

    def _wanted(self, data: Data) -> str:
        if data.get("mac") is not None:
            try:
                return parse_mac(fields.text(data, "mac"))
            except ValueError as error:
                raise CommandError(str(error)) from error
        if data.get("board") is None:
            raise CommandError("board or mac is missing")
        return self._desk.mac_of(fields.text(data, "board"))

    async def _servers(self, at: PoePort) -> list[str]:
        return [node.name for node in self._ports.fed_by(await self._ports.port(at))]

    def _mismatch(self, mac: str, servers: list[str]) -> str:
        """Return why the file of the board's server does not fit what the switch has seen, "" = it fits."""
        server = tied_boards(self._daemon.site, self._desk.hosts).get(mac)
        if server is None or server in servers:
            return ""
        return f"its server {server} is fed by {view.ports(self._daemon.site).get(server) or 'nothing'}, says its file"

    # -- all ports of a switch

    def map_ports(self, data: Data) -> Data:
        """Take the power of ports away, one after the other, and see who comes back. Returns the job (netbootMapping).

        A port that feeds a server of the network is left out: its board is known, and only the engine may switch it.
        """
        pdu = fields.text(data, "pdu")
        self._ports.check(pdu)
        wait_s = data.get("wait_s", WAIT_S)
        if isinstance(wait_s, bool) or not isinstance(wait_s, int | float) or not 0 < wait_s <= LONGEST_WAIT_S:
            raise CommandError(f"wait_s is {wait_s!r}: use seconds, above 0 and up to {LONGEST_WAIT_S:g}")
        ports = data.get("ports")
        if ports is not None and not isinstance(ports, list):
            raise CommandError("ports must be a list")
        named = parse_ports(ports, pdu) if ports is not None else None
        if named == []:
            raise CommandError("ports is empty: nothing is switched")
        rows = self.loop(self._rows(pdu, named))
        if data.get("dry_run") is True:
            return {"pdu": pdu, "confirm": pdu, "tier": 3, "rows": [row.as_dict() for row in rows]}
        if data.get("confirm") != pdu:
            count = sum(row.state is RowState.WAITING for row in rows)
            raise CommandError(
                f"this cuts the power of {count} ports of {pdu}, one by one: confirm = {pdu!r}", "refused"
            )
        return self.loop(self._begin(pdu, rows, data.get("write") is True, float(wait_s), current_caller().name))

    async def _rows(self, pdu: str, named: list[PoePort] | None) -> list[Row]:
        found, silent = await self._ports.bridges([pdu])
        there = sorted(found[0].poe) if found else []
        if named is None:
            if not there:
                why = silent.get(pdu, "it does not list them")
                raise CommandError(f"the ports of {pdu} are not known ({why}): name them", "refused")
            named = [PoePort(pdu, group, port) for group, port in there]
        return [await self._row(at, there) for at in named]

    async def _row(self, at: PoePort, there: list[tuple[int, int]]) -> Row:
        if there and (at.group, at.port) not in there:
            return Row(at, RowState.LEFT_OUT, "the switch has no such PoE port")
        fed = self._ports.fed_by(await self._ports.port(at))
        if fed:
            return Row(at, RowState.LEFT_OUT, f"feeds {', '.join(node.name for node in fed)}")
        return Row(at)

    async def _begin(self, pdu: str, rows: list[Row], write: bool, wait_s: float, who: str) -> Data:
        if self._running is not None and not self._running[1].done():
            job = self._running[0]
            raise CommandError(
                f"the ports of {job.pdu} are being mapped (job {job.number}): wait for its end", "refused"
            )
        self.engine.core.check_trust()
        job = MapJob(
            max(self._jobs, default=0) + 1,
            pdu,
            rows,
            ports=self._ports,
            power=self._power,
            hosts=lambda: self._desk.hosts,
            book=self._book,
            asked=self._asked,
            events=self._daemon.events,
            clock=self._daemon.clock,
            who=who,
            write=write,
            wait_s=wait_s,
        )
        self._jobs[job.number] = job
        while len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)
        self._running = job, asyncio.get_running_loop().create_task(job.run())
        return job.as_dict()

    def _asked(self) -> dict[str, float]:
        """Return who was heard of and when: boards, and machines that are unknown."""
        heard = {board.mac: board.last_seen for board in self._desk.boards.all()}
        return heard | {one["mac"]: one["last"] or 0.0 for one in view.unknown(self._desk.live)}

    def mapping(self, data: Data) -> Data:
        """Return a job: ``id``, ``pdu``, ``state`` (running, done, cancelled), ``write`` and ``rows``.

        A row: ``at``, ``port``, ``state``, ``text``, ``mac``, ``board``, ``by`` (switch or dhcp), ``written``.
        """
        return self.look(self._job(data).as_dict)

    def _job(self, data: Data) -> MapJob:
        number = fields.maybe_number(data, "id")
        if number is None:
            number = max(self._jobs, default=0)
        job = self._jobs.get(number)
        if job is None:
            raise CommandError(f"there is no mapping {number}" if number else "no ports were mapped yet", "not_found")
        return job

    def cancel(self, data: Data) -> Data:
        """End a job; the port in hand gets its power back first. Returns the job."""
        job = self._job(data)
        self.loop(self._cancel(job))
        return job.as_dict()

    async def _cancel(self, job: MapJob | None = None) -> None:
        if self._running is not None and job in (None, self._running[0]):
            self._running[0].cancel()
            await asyncio.wait([self._running[1]])

    # -- life

    def begin(self) -> None:
        """The daemon runs: ports that are owed their power get it. To be called once."""

        async def work() -> None:
            self._power.keep_promises()

        self.loop(work())

    def end(self) -> None:
        """The daemon stops: a port in hand gets its power back, if that is possible in good time."""

        async def work() -> None:
            await self._cancel()
            await self._power.stop()
            await self._ports.close()

        self.loop(work(), STOP_S)
