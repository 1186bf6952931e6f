"""The network as the layout sees it: names and lines, in an order of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

_NUMBER = re.compile(r"([0-9]{1,18})")


class Kind(StrEnum):
    """Why there is a line between two servers."""

    NEED = "need"
    """The right one needs the left one; somebody wrote that down."""
    VIA = "via"
    """The right one is reached, powered or tested through the left one."""
    MATE = "mate"
    """Both hang on one outlet; neither needs the other."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A line: from what is needed (``source``) to what needs it; of mates the first by name is the source."""

    source: str
    target: str
    kind: Kind = Kind.NEED


def natural(name: str) -> tuple[list[str | int], str]:
    """Return a key to sort names by as people do: web2 before web10."""
    parts = _NUMBER.split(name)  # texts and numbers by turns, a text first
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


@dataclass(frozen=True)
class Topology:
    """Servers and the lines between them; equal networks have equal topologies, however they were told."""

    names: tuple[str, ...]
    """In natural order."""
    edges: tuple[Edge, ...]
    """Each pair at most once, both ends in ``names``; sorted by the order of ``names``."""

    @classmethod
    def of(
        cls,
        needs: Mapping[str, Iterable[str]],
        via: Mapping[str, Iterable[str]] | None = None,
        mates: Mapping[str, Iterable[str]] | None = None,
    ) -> Topology:
        """Return the topology of servers of which each needs some.

        ``needs``  server -> the servers that it needs
        ``via``    server -> those among them that it needs because of a ``via``
        ``mates``  server -> the servers on one outlet with it
        A name that is no key of ``needs`` is left out; of mates of which one needs the other, only that is told.
        """
        edges: dict[tuple[str, str], Edge] = {}
        for name, wanted in needs.items():
            implied = set((via or {}).get(name, ()))
            for needed in wanted:
                if needed in needs:
                    edges[needed, name] = Edge(needed, name, Kind.VIA if needed in implied else Kind.NEED)
        for name, others in (mates or {}).items():
            for other in others:
                first, second = sorted((name, other), key=natural)
                known = first in needs and second in needs and first != second
                if known and (second, first) not in edges:
                    edges.setdefault((first, second), Edge(first, second, Kind.MATE))
        return cls._sorted(needs, edges.values())

    @classmethod
    def _sorted(cls, names: Iterable[str], edges: Iterable[Edge]) -> Topology:
        ordered = tuple(sorted(names, key=natural))
        place = {name: index for index, name in enumerate(ordered)}
        return cls(ordered, tuple(sorted(edges, key=lambda edge: (place[edge.source], place[edge.target]))))

    @cached_property
    def revision(self) -> str:
        """A text that changes when a server or a line does, and with nothing else."""
        lines = [f"{len(name)} {name}" for name in self.names]
        lines += [f"{len(edge.source)} {edge.source} {edge.kind} {edge.target}" for edge in self.edges]
        return hashlib.blake2b("\n".join(lines).encode(errors="surrogatepass"), digest_size=12).hexdigest()

    @cached_property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """Server -> what it needs, in natural order."""
        return self._ends(lambda edge: (edge.target, edge.source))

    @cached_property
    def needed_by(self) -> dict[str, tuple[str, ...]]:
        """Server -> what needs it, in natural order."""
        return self._ends(lambda edge: (edge.source, edge.target))

    @cached_property
    def mates(self) -> dict[str, tuple[str, ...]]:
        """Server -> what hangs on one outlet with it; only servers that have mates."""
        found: dict[str, list[str]] = {}
        for edge in self.edges:
            if edge.kind is Kind.MATE:
                found.setdefault(edge.source, []).append(edge.target)
                found.setdefault(edge.target, []).append(edge.source)
        return {name: tuple(sorted(others, key=natural)) for name, others in found.items()}

    def _ends(self, ends: Callable[[Edge], tuple[str, str]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self.names}
        for edge in self.edges:
            if edge.kind is not Kind.MATE:
                of, other = ends(edge)
                found[of].append(other)
        return {name: tuple(others) for name, others in found.items()}

    def only(self, names: Iterable[str]) -> Topology:
        """Return the part of it between ``names``."""
        kept = set(names) & set(self.names)
        return Topology(
            tuple(name for name in self.names if name in kept),
            tuple(edge for edge in self.edges if edge.source in kept and edge.target in kept),
        )

    def renamed(self, new: Mapping[str, str]) -> Topology:
        """Return it with servers that get the same new name made one; who is not in ``new`` keeps the name.

        Of lines that become one, a need counts before a via before a mate. A line from a server to itself goes.
        """
        rank = list(Kind)
        edges: dict[tuple[str, str], Edge] = {}
        for edge in self.edges:
            ends = new.get(edge.source, edge.source), new.get(edge.target, edge.target)
            former = edges.get(ends)
            if ends[0] != ends[1] and (former is None or rank.index(edge.kind) < rank.index(former.kind)):
                edges[ends] = Edge(*ends, edge.kind)
        return self._sorted({new.get(name, name) for name in self.names}, edges.values())

    def parts(self) -> list[Topology]:
        """Return the parts that no line joins, the largest first."""
        root = {name: name for name in self.names}

        def find(name: str) -> str:
            while root[name] != name:
                root[name] = name = root[root[name]]
            return name

        for edge in self.edges:
            root[find(edge.source)] = find(edge.target)
        names: dict[str, list[str]] = {}
        for name in self.names:
            names.setdefault(find(name), []).append(name)
        edges: dict[str, list[Edge]] = {top: [] for top in names}
        for edge in self.edges:
            edges[find(edge.source)].append(edge)
        found = [Topology(tuple(members), tuple(edges[top])) for top, members in names.items()]
        return sorted(found, key=lambda part: -len(part.names))  # stable: then by the first name
