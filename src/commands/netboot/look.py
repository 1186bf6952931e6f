"""Commands that tell what the boot server does and how far the boards have come."""

from __future__ import annotations

from typing import Any

from ...common.errors import OckleError
from ...common.services import DaemonServices
from ...netboot.mac import parse_mac
from ...netboot.profiles import Profiles
from .. import fields
from ..group import CommandGroup, Data
from . import view
from .desk import Desk
from .leases import read_leases

LINES = 200
BOARD = "its name, MAC address or address"


class NetbootLook(CommandGroup):
    """For viewers; nothing is changed but what the list of unknown boards still shows."""

    def __init__(self, daemon: DaemonServices, desk: Desk) -> None:
        super().__init__(daemon)
        self._desk = desk
        self._forgotten: dict[str, float] = {}
        self.add("netbootStatus", self.status)
        self.add("netbootBoards", self.boards)
        self.add(
            "netbootBoard", self.board, params={"board": BOARD, "after?": "only log lines after the one of this id"}
        )
        self.add("netbootLeases", self.leases)
        self.add("netbootUnknown", self.unknown)
        self.add("netbootForgetUnknown", self.forget, "admin", {"mac?": "only this one; default: all"})
        self.add("netbootProfiles", self.profiles)

    def status(self, data: Data) -> Data:
        """Return whether the boot server runs, and what it is doing.

        ``running``, ``problem`` (what is wrong, "" = nothing), ``serve`` (who serves), ``interface``, ``address``,
        ``network``, ``services`` (name, running, addresses, problem), ``counts`` (stage -> boards), ``unknown``,
        ``hosts_problems`` (line, text), ``transfers`` (id, service, mac, ip, board, file, sent, size, rate in bytes per
        second, retries, begun, state: waiting, running, done or failed, and text: why).
        """
        desk = self._desk
        live, settings, hosts = desk.live, desk.settings, desk.hosts
        problem = desk.plugin.failure or live["problem"] or desk.boards.problem or hosts.problem
        running = bool(live["serving"])
        if not running and not problem:
            where = "its own unit is not started" if settings["serve"] == "no" else "it is being started"
            problem = f"no boot server is at work: {where}"
        return {
            "running": running,
            "problem": problem,
            "serve": settings["serve"],
            "interface": str(live["wire"].get("interface", "")) or settings["interface"],
            "address": str(live["wire"].get("address", "")) or settings["address"],
            "network": str(live["wire"].get("network", "")),
            "services": view.services(live, settings["services"]),
            "counts": desk.counts(),
            "unknown": len(self._unknown()),
            "hosts_problems": [{"line": one.number, "text": one.text} for one in hosts.list.problems],
            "transfers": desk.transfers(),
        }

    def boards(self, data: Data) -> Data:
        """Return ``boards``, in the order of the hosts: name, MAC, address, server, port, stage, what they load."""
        return {"boards": self._desk.all()}

    def board(self, data: Data) -> Data:
        """Return ``board`` as netbootBoards does, and ``lines`` (id, at, stage, text) of its log, oldest first."""
        after = fields.maybe_number(data, "after") or 0
        board = self._desk.one(fields.text(data, "board"))
        return {"board": board, "lines": [*map(view.line_view, self._desk.boards.lines(board["mac"], after, LINES))]}

    def leases(self, data: Data) -> Data:
        """Return ``leases``: ip, mac, name, hostname, until (seconds since 1970), state: bound, offered, ended …"""
        desk = self._desk
        names = {host.mac: host.label for host in desk.hosts.all()}
        found = read_leases(desk.boards, self._daemon.clock.wall())
        return {"leases": [one | {"name": names.get(one["mac"], "")} for one in found]}

    def unknown(self, data: Data) -> Data:
        """Return ``unknown``: who asked for an address and is no host, with what they said, and how often.

        ``proposal`` is the next free address, "" where there is none to propose.
        """
        return {"unknown": self._unknown(), "proposal": self._desk.proposal()}

    def forget(self, data: Data) -> Data:
        """Leave unknown boards out of the list until they ask again."""
        word = fields.maybe_text(data, "mac")
        mac = None if word is None else _mac(word)
        now = self._daemon.clock.wall()
        for one in view.unknown(self._desk.live):
            if mac in (None, one["mac"]):
                self._forgotten[one["mac"]] = max(now, one["last"])
        return {}

    def profiles(self, data: Data) -> Data:
        """Return ``profiles``: name, boards, image and the rest of each file of etc/boot; and which board has which."""
        site = self._daemon.site
        profiles = Profiles(site.boot.values())
        found: list[dict[str, Any]] = [{"name": one.name, **one.settings} for one in site.boot.values()]
        return {
            "profiles": found,
            "boards": {host.label: profiles.of(host).name for host in self._desk.hosts.all()},
        }

    def _unknown(self) -> list[Data]:
        known = {host.mac for host in self._desk.hosts.all()}
        found = [one for one in view.unknown(self._desk.live) if one["mac"] not in known]
        return [one for one in found if one["last"] > self._forgotten.get(one["mac"], 0.0)]


def _mac(word: str) -> str:
    try:
        return parse_mac(word)
    except ValueError as error:
        raise OckleError(str(error)) from error
