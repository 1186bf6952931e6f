"""Commands about hosts.csv: which boards are known. Every change is checked, written at once and told."""

from __future__ import annotations

from ...common.errors import CommandError
from ...common.services import DaemonServices
from ...netboot.hosts import Host, HostList, parse_hosts
from .. import fields
from ..group import CommandGroup, Data
from ..staged_texts import StagedTexts
from ..taking_over import who
from .desk import Desk
from .importing import as_hosts, merged

NAME = "letters, digits, - . _"
IP = "its address; empty: one of the pool"


class NetbootHosts(CommandGroup):
    """For viewers to read, for admins to change; the boot server takes a change up within a second."""

    def __init__(self, daemon: DaemonServices, desk: Desk) -> None:
        super().__init__(daemon)
        self._desk = desk
        self.add("netbootHosts", self.hosts)
        self._staged = StagedTexts(daemon.clock)
        daemon.communicationHandler.AddCommandToList(
            "netbootHostsPart",
            self.part,
            role="admin",
            params={"text": "the next part", "id?": "of the text so far; default: it is the first part"},
            recorded=False,
        )
        staged = "instead: what netbootHostsPart returned"
        check = {
            "text?": "a whole hosts.csv",
            "staged?": staged,
            "loose?": "true: commas, titles and missing fields are understood",
            "merge?": "true: its hosts are put into what there is",
        }
        self.add("netbootCheckHosts", self.check, params=check)
        self.add(
            "netbootSetHosts",
            self.set,
            "admin",
            {
                "text?": "the whole new hosts.csv",
                "staged?": staged,
                "rev?": "of netbootHosts; refused as a conflict for another one",
            },
        )
        mac = {"mac": "as B8:27:EB:01:02:03", "name": NAME}
        self.add("netbootAddHost", self.add_host, "admin", {**mac, "ip?": IP})
        self.add("netbootAdopt", self.adopt, "admin", {**mac, "ip?": f"{IP}; needed where one can be proposed"})
        self.add("netbootRemoveHost", self.remove, "admin", {"host": "its name, MAC address or address"})

    def hosts(self, data: Data) -> Data:
        """Return ``text`` of hosts.csv, its ``rev``, ``lines``, ``problems`` and ``proposal``, the next free address.

        Each of ``lines``: number, kind (host, comment or fault), text, mac, ip, name, last_used, problem.
        """
        text, rev = self._desk.hosts.text()
        return {"rev": rev, "proposal": self._desk.proposal(), **_read(text)}

    def check(self, data: Data) -> Data:
        """Return ``text``, ``lines`` and ``problems`` of a hosts.csv that is not stored, and what it would change.

        ``new``, ``gone`` and ``changed`` list MAC addresses; the times of last use do not count. ``rev`` names what
        there is now.
        """
        now, rev = self._desk.hosts.text()
        before, text = parse_hosts(now), self._text(data)
        if data.get("loose"):
            text = as_hosts(text)
        if data.get("merge"):
            text = merged(before, text)
        return {"rev": rev, **_read(text), **_difference(before, parse_hosts(text))}

    def set(self, data: Data) -> Data:
        """Put a whole hosts.csv in place of the one there is; refused with ``problems`` when a line is wrong.

        Returns what netbootHosts does, and ``new``, ``gone`` and ``changed``: MAC addresses.
        """
        hosts, text = self._desk.hosts, self._text(data)
        before = hosts.list
        after = hosts.set_text(text, fields.maybe_text(data, "rev"))
        found = _difference(before, after)
        parts = [f"{len(found[word])} {word}" for word in ("new", "gone", "changed") if found[word]]
        self._tell(", ".join(parts) or "comments only")
        return self.hosts({}) | found

    def part(self, data: Data) -> Data:
        """Take a part of a hosts.csv that is longer than a message may be; returns ``id``, kept for five minutes."""
        return {"id": self._staged.add(fields.text(data, "text"), fields.maybe_text(data, "id") or "")}

    def _text(self, data: Data) -> str:
        staged = fields.maybe_text(data, "staged")
        return fields.text(data, "text") if staged is None else self._staged.take(staged)

    def add_host(self, data: Data) -> Data:
        """Add a host; returns ``host``: mac, ip, name."""
        return self._added(data, fields.maybe_text(data, "ip") or "")

    def adopt(self, data: Data) -> Data:
        """Make a board that asks, and is not known, a host. Which address it gets has to be said; returns ``host``.

        Without ``ip`` it is refused with ``proposal``, the next free address, as long as there is one.
        """
        ip, proposal = fields.maybe_text(data, "ip"), self._desk.proposal()
        if ip is None and proposal:
            text = f"which address: {proposal} is the next free one; an empty one means one of the pool"
            raise CommandError(text, data={"proposal": proposal, "field": "ip"})
        return self._added(data, ip or "")

    def _added(self, data: Data, ip: str) -> Data:
        name = fields.text(data, "name").strip()
        if not name:
            raise CommandError("a host needs a name", data={"field": "name"})
        host = self._desk.hosts.add(fields.text(data, "mac").strip(), name, ip.strip())
        self._tell(f"{host.label} is new")
        return {"host": _shown(host)}

    def remove(self, data: Data) -> Data:
        """Take a host out: it gets no address any more when it asks again. Returns ``host``."""
        hosts, word = self._desk.hosts, fields.text(data, "host")
        host = hosts.find(word)
        if host is None:
            raise CommandError(f"there is no host {word}", "not_found")
        hosts.remove(host.mac)
        self._tell(f"{host.label} is gone")
        return {"host": _shown(host)}

    def _tell(self, what: str) -> None:
        name = self._desk.plugin.hosts.path.name
        self._daemon.events.publish("config", f"{who()} changed {name}: {what}", files=[name])


def _read(text: str) -> Data:
    found = parse_hosts(text)
    problems = {one.number: one.text for one in found.problems}
    lines = []
    for number, (line, host) in enumerate(found.lines, 1):
        kind = "host" if host is not None else "fault" if number in problems else "comment"
        fault = [*(part.strip() for part in line.split(";")), "", "", "", ""][:4] if kind == "fault" else [""] * 4
        shown = _shown(host) if host is not None else dict(zip(("mac", "ip", "name", "last_used"), fault, strict=True))
        lines.append({"number": number, "kind": kind, "text": line, **shown, "problem": problems.get(number, "")})
    return {
        "text": text,
        "lines": lines,
        "problems": [{"line": number, "text": problem} for number, problem in problems.items()],
    }


def _shown(host: Host) -> Data:
    return {"mac": host.mac, "ip": str(host.ip or ""), "name": host.name, "last_used": host.last_used}


def _difference(before: HostList, after: HostList) -> Data:
    old = {host.mac: (host.ip, host.name) for host in before.hosts}
    new = {host.mac: (host.ip, host.name) for host in after.hosts}
    return {
        "new": [mac for mac in new if mac not in old],
        "gone": [mac for mac in old if mac not in new],
        "changed": [mac for mac in new if mac in old and old[mac] != new[mac]],
    }
