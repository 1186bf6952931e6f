"""Judges what the devices of a lab saw: whether a command should have been sent, from the side of the machines.

It knows the ledger, the cabling, who needs whom, and what an operator has forced; nothing of what the daemon believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ockle.simulator.ledger import Entry
from ockle.simulator.spec import LabSpec

from .common import Finding

DOWN = frozenset({"off", "halted"})
NEVER = float("-inf")


@dataclass(slots=True)
class _Seen:
    """A machine: ``state`` as in the lab, when it last ceased to be up and to be down, and the last fault at it."""

    state: str = "off"
    up_until: float = NEVER
    down_until: float = 0.0
    fault_at: float = NEVER
    shut_down: bool = False

    def go(self, state: str, moment: float) -> None:
        if self.state == "up":
            self.up_until = moment
        if self.state in DOWN and state not in DOWN:
            self.down_until = moment
        self.state = state

    def was_up(self, since: float) -> bool:
        return self.state == "up" or self.up_until >= since

    def was_down(self, since: float) -> bool:
        return self.state in DOWN or self.down_until >= since


@dataclass
class Judge:
    """Takes a ledger in pieces and keeps what broke a promise.

    ``excuse_s``  how old the daemon's evidence may be: what a fault changed since then it could not know
    ``late_s``    how long a SET may have been under way at one of the ``faulty`` devices
    ``forced``    machine -> "on" or "off", as an operator has it now; "clearing" while that is being taken back
    ``faulty``    devices whose commands may be lost or answered late: the order of arrival proves nothing there
    """

    spec: LabSpec
    excuse_s: float = 0.0
    late_s: float = 0.0
    forced: dict[str, str] = field(default_factory=dict)
    faulty: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    commands: list[Entry] = field(default_factory=list)
    """Commands since ``take_commands`` was called last."""
    counts: dict[str, int] = field(default_factory=dict)
    cycles: int = 0
    """Boots of machines that had been shut down and switched off."""

    def __post_init__(self) -> None:
        self._seen = {machine.name: _Seen() for machine in self.spec.machines}
        self._needs = {machine.name: machine.depends for machine in self.spec.machines}
        self._needed_by: dict[str, list[str]] = {name: [] for name in self._needs}
        self._fed: dict[tuple[str, str], list[str]] = {}
        self._closed: dict[tuple[str, str], bool] = {}
        self._moving: dict[tuple[str, str], bool] = {}
        self._recent: list[Entry] = []
        for machine in self.spec.machines:
            for needed in machine.depends:
                self._needed_by[needed].append(machine.name)
            for device, outlet in machine.supplies:
                self._fed.setdefault((device, str(outlet)), []).append(machine.name)

    def state(self, machine: str) -> str:
        return self._seen[machine].state

    def take(self, entries: Iterable[Entry]) -> None:
        """Go on with the next entries of the ledger."""
        for entry in entries:
            self._recent = [*self._recent[-30:], entry]
            self.counts[entry.kind] = self.counts.get(entry.kind, 0) + 1
            match entry.kind:
                case "set":
                    self.commands.append(entry)
                    self._set(entry)
                case "shutdown":
                    self.commands.append(entry)
                    self._shutdown(entry)
                case "relay":
                    key = entry.device, entry.what
                    self._closed[key] = entry.detail["closed"]
                    self._moving.pop(key, None)
                case "power":
                    self._power(entry)
                case "violation":
                    if not self._fell(entry):
                        self._broken(entry, f"I2: {entry.device} was cut while its disk was mounted ({entry.what})")
                case "boot":
                    self._seen[entry.device].go("booting", entry.t)
                case "boot-failed":
                    self._seen[entry.device].go("hung", entry.t)
                case "up" | "halted":
                    self._seen[entry.device].go(entry.kind, entry.t)

    def fault(self, machine: str, at: float) -> None:
        """A fault of the campaign ends, or may end, the service or the power of ``machine`` at ``at``."""
        self._seen[machine].fault_at = at

    def take_commands(self) -> list[Entry]:
        taken, self.commands = self.commands, []
        return taken

    # -- one entry

    def _set(self, entry: Entry) -> None:
        key, on = (entry.device, entry.what), bool(entry.detail["value"])
        if self._moving.get(key, on) is not on and entry.device not in self.faulty:
            self._broken(entry, f"I3: outlet {'/'.join(key)} was commanded while the opposite command was unconfirmed")
        if entry.detail["applied"] and self._closed.get(key, False) is not on:
            self._moving[key] = on
        for machine in self._fed.get(key, []):
            force = self.forced.get(machine, "")
            if force in ("on", "off") and (force == "on") is not on:
                self._broken(entry, f"I6: {machine} is forced {force} and was switched {'on' if on else 'off'}")
            if force:
                continue
            if on:
                for needed in self._needs[machine]:
                    self._needs_up(entry, machine, needed)
            else:
                self._not_needed(entry, machine, "cut")
                if not self._seen[machine].was_down(self._since(entry, machine)) and self._last_supply(machine, key):
                    self._broken(entry, f"I2: {machine} was to be cut while it was {self.state(machine)}")

    def _shutdown(self, entry: Entry) -> None:
        machine, force = entry.device, self.forced.get(entry.device, "")
        if force == "on":
            self._broken(entry, f"I6: {machine} is forced on and was shut down")
        if not force:
            self._not_needed(entry, machine, "shut down")
        if self._seen[machine].state == "up":
            self._seen[machine].go("stopping", entry.t)

    def _power(self, entry: Entry) -> None:
        seen = self._seen[entry.device]
        if entry.what == "on" and seen.shut_down:
            self.cycles += 1
        seen.shut_down = entry.what == "off" and entry.detail["state"] == "halted"
        if entry.what == "off":
            if entry.detail["state"] not in DOWN and not self._fell(entry) and not self.forced.get(entry.device):
                self._broken(entry, f"I2: {entry.device} lost its power while it was {entry.detail['state']}")
            seen.go("off", entry.t)
        else:
            seen.go("halted", entry.t)

    # -- what must hold

    def _needs_up(self, entry: Entry, machine: str, needed: str) -> None:
        seen = self._seen[needed]
        if not seen.was_up(self._since(entry, needed)):
            self._broken(entry, f"I1: {machine} was switched on while {needed}, which it needs, was {seen.state}")

    def _not_needed(self, entry: Entry, machine: str, what: str) -> None:
        for user in self._needed_by[machine]:
            seen = self._seen[user]
            if not seen.was_down(self._since(entry, user)):
                self._broken(entry, f"I2c: {machine} was {what} while {user}, which needs it, was {seen.state}")

    def _since(self, entry: Entry, machine: str) -> float:
        """From when on the state of ``machine`` may excuse a command: now, or earlier if a fault is in the play."""
        late_s = self.late_s if entry.kind == "set" and entry.device in self.faulty else 0.0
        fault = self._seen[machine].fault_at
        return entry.t - (self.excuse_s + late_s if entry.t - fault <= self.excuse_s + late_s else late_s)

    def _last_supply(self, machine: str, key: tuple[str, str]) -> bool:
        """Tell whether cutting ``key`` takes the last power of ``machine``."""
        mine = [one for one, fed in self._fed.items() if machine in fed]
        return all(one == key or not self._closed.get(one, False) for one in mine)

    def _fell(self, entry: Entry) -> bool:
        """A cut by a fault, or of a machine whose dying a fault brought about."""
        return entry.t - self._seen[entry.device].fault_at <= self.excuse_s

    def _broken(self, entry: Entry, what: str) -> None:
        lately = "\n".join(one.line() for one in self._recent if one.kind != "login")
        self.findings.append(Finding(what, f"{entry.line()}\nin the ledger before it:\n{lately}"))


class Deeds:
    """Judges I9 and I3 on the journal: every command that a device saw has an intent that was open then.

    ``wall``  seconds since 1970 at the ledger's zero
    """

    def __init__(self, spec: LabSpec, wall: float, *, control: str = "ssh") -> None:
        self._wall = wall
        self._control = control
        self._objects: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for machine in spec.machines:
            for number, (device, outlet) in enumerate(machine.supplies, 1):
                self._objects.setdefault((device, str(outlet)), []).append((machine.name, f"psu{number}"))

    def judge(self, commands: Iterable[Entry], intents: Iterable[Mapping[str, Any]]) -> list[Finding]:
        """``intents``: rows of the store's table, all that belong to the ``commands``, when everything has ended."""
        rows = list(intents)
        by_object: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for row in rows:
            by_object.setdefault((row["server"], row["object"]), []).append(row)
        found = [
            Finding(
                f"I9: {entry.kind} of {entry.device} {entry.what} has no intent",
                entry.line() + self._near(entry, by_object),
            )
            for entry in commands
            if not self._intended(entry, by_object)
        ]
        found += [
            Finding(
                f"I9: {row['verb']} {row['server']}/{row['object']} has no outcome, not even 'unknown'", str(dict(row))
            )
            for row in rows
            if row["outcome"] is None
        ]
        return found + self._overlaps(rows)

    def _of(self, entry: Entry) -> tuple[list[tuple[str, str]], str]:
        if entry.kind == "shutdown":
            return [(entry.device, self._control)], "shutdown"
        return self._objects.get((entry.device, entry.what), []), "on" if entry.detail["value"] else "off"

    def _intended(self, entry: Entry, by_object: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> bool:
        things, verb = self._of(entry)
        moment = self._wall + entry.t
        return any(
            row["verb"] == verb and row["at"] <= moment and (row["done_at"] is None or row["done_at"] >= moment)
            for thing in things
            for row in by_object.get(thing, [])
        )

    def _near(self, entry: Entry, by_object: Mapping[tuple[str, str], list[Mapping[str, Any]]]) -> str:
        things, _ = self._of(entry)
        rows = [row for thing in things for row in by_object.get(thing, [])][-6:]
        return f"\nat {self._wall + entry.t:.3f}; its object's last intents:\n" + "\n".join(
            str(dict(row)) for row in rows
        )

    @staticmethod
    def _overlaps(rows: list[Mapping[str, Any]]) -> list[Finding]:
        found = []
        longest: dict[str, Mapping[str, Any]] = {}  # server -> the row that was open longest
        for row in sorted(rows, key=lambda one: one["id"]):
            last = longest.setdefault(row["server"], row)
            known = last["done_at"] is not None and not str(last["outcome"]).startswith("unknown")
            if known and last["verb"] != row["verb"] and row["at"] < last["done_at"]:
                found.append(Finding(f"I3: two switchings of {row['server']} at once", f"{dict(last)}\n{dict(row)}"))
            if (row["done_at"] or row["at"]) >= (last["done_at"] or last["at"]):
                longest[row["server"]] = row
        return found
