"""Commands that restart boards and install them anew: by the engine where a board is a server, else by its port."""

from __future__ import annotations

from typing import Any

from ...common.CommunicationHandler import current_caller
from ...common.errors import CommandError, DeviceError, OckleError
from ...common.services import DaemonServices
from ...netboot.port_book import PoePort, PortBook
from ...networkTree.plan import Plan
from .. import fields
from ..group import CommandGroup, Data
from .desk import Desk
from .port_power import PortPower
from .switch_ports import SwitchPorts, poe_port
from .ties import tied_boards

BOARD = "its name, MAC address or address"
CYCLE_S = 60.0


class NetbootPower(CommandGroup):
    """For operators."""

    def __init__(
        self, daemon: DaemonServices, desk: Desk, ports: SwitchPorts, power: PortPower, book: PortBook
    ) -> None:
        super().__init__(daemon)
        self._desk, self._ports, self._power, self._book = desk, ports, power, book
        operator = "operator"
        looked = {
            "confirm?": "what a dry run says",
            "dry_run?": "true: only tell what it would do, and what confirms it",
            "rev?": "of the plan that was looked at; refused when it has changed",
        }
        self.add(
            "netbootRestart",
            self.restart,
            operator,
            {
                "board?": BOARD,
                "boards?": "list of them, instead",
                "force?": "true: also a board without a server that no switch sees now, at the port where it was last",
                **looked,
            },
        )
        self.add(
            "netbootReinstall",
            self.reinstall,
            operator,
            {
                "board": BOARD,
                "image?": "file in the folder of images; default: as its profile says",
                "power?": "false: only mark it, it is installed at its next boot",
                "force?": "as of netbootRestart",
                **looked,
            },
        )
        self.add("netbootKeep", self.keep, operator, {"board": BOARD})

    # -- restart

    def restart(self, data: Data) -> Data:
        """Restart boards. Those that are servers of the network: as `run` with restart does, with what needs them.

        A board without a server loses its power for a moment, at the port where it was found last; that wants its name
        as ``confirm``. Returns ``plan`` and ``run``, or ``cycled`` (the port).
        """
        words = fields.texts(data, "boards") or []
        if data.get("board") is not None:
            words.append(fields.text(data, "board"))
        if not words:
            raise CommandError("board or boards is missing: without one nothing is restarted")
        macs = list(dict.fromkeys(map(self._desk.mac_of, words)))
        servers = self._servers(macs)
        loose = [mac for mac in macs if mac not in servers]
        if not loose:
            plan = self._plan(list(servers.values()))
            if data.get("dry_run") is True:
                return {"plan": plan.as_dict(), "tier": plan.tier, "confirm": plan.confirm}
            self._refuse_changed(plan, data)
            if plan.tier == 3 and data.get("confirm") != plan.confirm:
                raise CommandError(f"this needs a confirmation: confirm = {plan.confirm!r}", "refused")
            return {"plan": plan.as_dict(), "run": self._order(plan, f"restart of {', '.join(words)}")}
        if len(macs) > 1:
            names = ", ".join(map(self._label, loose))
            raise CommandError(f"{names}: no server of the network, so it is restarted alone", "refused")
        return self._restart_loose(loose[0], data)

    def _restart_loose(self, mac: str, data: Data) -> Data:
        label, at = self._label(mac), self._port_of(mac)
        if data.get("dry_run") is True:
            return {"plan": _cut_plan(label, at), "tier": 3, "confirm": label}
        if data.get("confirm") != label:
            raise CommandError(f"this cuts the power of {label}, unasked: confirm = {label!r}", "refused")
        return {"cycled": self._cycle(mac, at, force=data.get("force") is True)}

    def _cycle(self, mac: str, at: PoePort, *, force: bool) -> str:
        self._check_it_hangs_there(mac, at, force=force)
        self.loop(self._power.cycle(at), CYCLE_S)
        self._daemon.events.publish(
            "netboot",
            f"{self._label(mac)}: its power was off for a moment, at {at}",
            mac=mac,
            who=current_caller().name,
        )
        return str(at)

    def _port_of(self, mac: str) -> PoePort:
        at = self._book.of(mac)
        if at is None:
            raise CommandError(
                f"{self._label(mac)} is no server of the network, and it is not known at which port it hangs: "
                f"ockle netboot find-port {self._label(mac)}, or give a server a HelloProtocol test with this board",
                "refused",
            )
        self._ports.check(at.pdu)
        return at

    def _check_it_hangs_there(self, mac: str, at: PoePort, *, force: bool) -> None:
        """Raise CommandError unless the switches see the board where it is to lose its power."""
        search = self.loop(self._ports.search(mac, self._ports.names()))
        try:
            place = self._ports.choose(mac, search)
        except DeviceError as error:
            if force and not any(not one.uplink for one in search.places):
                return
            raise CommandError(f"{error}. Its port was {at}", "refused") from error
        if poe_port(place) not in (at, None):
            raise CommandError(
                f"{self._label(mac)} hangs at {place} by now, it was at {at}: find its port anew", "refused"
            )

    # -- install anew

    def reinstall(self, data: Data) -> Data:
        """Mark a board to be installed anew, durably, then restart it. Returns ``mark``, and what netbootRestart does.

        A restart that is refused leaves the mark, and the refusal says so: it is installed at its next boot.
        """
        mac = self._desk.mac_of(fields.text(data, "board"))
        image = self._image(fields.maybe_text(data, "image") or "")
        power = data.get("power") is not False
        label, server = self._label(mac), self._servers([mac]).get(mac)
        plan = self._plan([server]) if server is not None and power else None
        at = self._port_of(mac) if server is None and power else None
        wanted = _confirmation(label, plan)
        if data.get("dry_run") is True:
            shown = plan.as_dict() if plan else _cut_plan(label, at) if at else None
            return {"plan": shown, "tier": 3, "confirm": wanted, "image": image}
        if plan is not None:
            self._refuse_changed(plan, data)
        if data.get("confirm") != wanted:
            raise CommandError(f"this formats the disk of {label}: confirm = {wanted!r}", "refused")
        mark = self._desk.boards.want_reinstall(mac, image, current_caller().name)
        try:
            if plan is not None:
                run = self._order(plan, f"installing {label} anew")
                return {"mark": mark, "plan": plan.as_dict(), "run": run}
            if at is not None:
                return {"mark": mark, "cycled": self._cycle(mac, at, force=data.get("force") is True)}
        except OckleError as error:
            code = error.code if isinstance(error, CommandError) else "refused"
            raise CommandError(
                f"{label} is marked to be installed anew, and is not restarted: {error}. It is installed at its next "
                f"boot, unless: ockle netboot keep {label}",
                code,
                {"mark": mark},
            ) from error
        return {"mark": mark}

    def keep(self, data: Data) -> Data:
        """Take the mark back that a board is to be installed anew. Returns ``dropped``: whether there was one."""
        mac = self._desk.mac_of(fields.text(data, "board"))
        return {"board": self._label(mac), "dropped": self._desk.boards.drop_reinstall(mac)}

    def _image(self, name: str) -> str:
        """Return the name of an image that is there, "" = that of the profile."""
        if not name:
            return ""
        folder = self._daemon.etc / self._desk.settings["images"]
        if name in (".", "..") or "/" in name or "\0" in name or not (folder / name).is_file():
            raise CommandError(f"there is no image {name[:100]!r} in {folder}", "not_found")
        return name

    # -- both

    def _label(self, mac: str) -> str:
        host = self._desk.hosts.by_mac(mac)
        return host.label if host is not None else mac

    def _servers(self, macs: list[str]) -> dict[str, str]:
        ties = tied_boards(self._daemon.site, self._desk.hosts)
        return {mac: ties[mac] for mac in macs if ties.get(mac) in self.network}

    def _plan(self, servers: list[str]) -> Plan:
        return self.look(lambda: self.engine.plan("restart", servers))

    @staticmethod
    def _refuse_changed(plan: Plan, data: Data) -> None:
        if data.get("rev") not in (None, plan.rev):
            text = "the plan changed since you looked: look at it again"
            raise CommandError(text, "conflict", {"plan": plan.as_dict()})

    def _order(self, plan: Plan, note: str) -> int:
        caller = current_caller()
        order = self.engine.order(plan.action, plan.targets, rev=plan.rev, who=caller.name, via=caller.via, note=note)
        return self.loop(order).id


def _confirmation(label: str, plan: Plan | None) -> str:
    """Return what is to be typed: the board's name, or what the plan asks for when it affects others as well."""
    if plan is not None and plan.tier == 3 and len({step.server for step in plan.steps}) > 1:
        return plan.confirm
    return label


def _cut_plan(label: str, at: PoePort) -> dict[str, Any]:
    """Return what happens to a board without a server, in the form of a plan."""
    step = {
        "n": 1,
        "server": label,
        "action": "cut",
        "needs": [],
        "because": f"at {at}",
        "eta_s": 5.0,
        "critical": True,
    }
    return {"action": "cut", "targets": [label], "steps": [step], "total_s": 5.0, "tier": 3, "confirm": label}
