"""Which servers hang on the same physical outlets: they get and lose power together, so in any order they are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..outlets.marks import OutletMarks
from .facts import ServerFacts
from .ServerNode import ServerNode


@dataclass(frozen=True, slots=True)
class Sharer:
    """A server that hangs on one outlet with the server that is decided about; ``outlet`` says which, for a person."""

    name: str
    facts: ServerFacts
    outlet: str


class Sharing:
    """The servers of a network by outlet.

    A *mate* shares an outlet with a server; its *group* are its mates, their mates and so on, and itself.
    """

    def __init__(self) -> None:
        self._users: dict[OutletMarks, list[str]] = {}
        self._mates: dict[str, dict[str, str]] = {}  # only of servers that have mates: mate -> the outlet
        self._groups: dict[str, tuple[str, ...]] = {}  # likewise

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, node: ServerNode) -> None:
        for outlet in node.outlets:
            others = self._users.setdefault(outlet.marks, [])
            for mate in others:
                self._mates.setdefault(node.name, {}).setdefault(mate, outlet.marks.label)
                self._mates.setdefault(mate, {}).setdefault(node.name, outlet.marks.label)
            others.append(node.name)
        if node.name in self._mates:
            self._regroup(node.name)

    def remove(self, node: ServerNode) -> None:
        for outlet in node.outlets:
            self._users[outlet.marks].remove(node.name)
            if not self._users[outlet.marks]:
                del self._users[outlet.marks]
        self._groups.pop(node.name, None)
        for mate in self._mates.pop(node.name, {}):
            del self._mates[mate][node.name]
            if not self._mates[mate]:
                del self._mates[mate], self._groups[mate]
        for name in list(self._mates):
            self._regroup(name)

    def _regroup(self, name: str) -> None:
        found = {name: None}
        todo = [name]
        while todo:
            for mate in self._mates[todo.pop()]:
                if mate not in found:
                    found[mate] = None
                    todo.append(mate)
        group = tuple(sorted(found))
        for member in group:
            self._groups[member] = group

    def users(self, marks: OutletMarks) -> list[str]:
        """Return the servers on one outlet."""
        return self._users.get(marks, [])

    def mates(self, name: str) -> Mapping[str, str]:
        """Return those on the same outlets: name -> which outlet, for a person."""
        return self._mates.get(name, {})

    def group(self, name: str) -> tuple[str, ...]:
        """Return the group of a server, itself included, sorted."""
        return self._groups.get(name) or (name,)
