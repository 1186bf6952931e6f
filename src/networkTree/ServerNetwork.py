"""ServerNetwork: the directed acyclic graph of servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import networkx

from ..common.common import SWITCHING, OpState
from ..common.errors import OckleError
from ..outlets.OutletTemplate import OutletTemplate
from .cycles import Implied, closed_by, cycle_error, find_cycle, quotient
from .decide import on_guard
from .runner import NetworkRunner
from .ServerNode import ServerNode
from .sharing import Sharer, Sharing

_Neighbours = Mapping[str, Mapping[str, object]]


class ServerNetwork:
    """The servers and what depends on what. Edges run from a dependency to its dependents, as power-up does.

    Servers on one outlet count as one wherever the order matters: what one of them needs, all of them need, and there
    is no cycle then either.

    ``revision``  rises with each change of servers or dependencies
    """

    def __init__(self) -> None:
        self._graph: networkx.DiGraph[str] = networkx.DiGraph()
        self._nodes: dict[str, ServerNode] = {}  # every name here is a node of _graph, and the other way round
        self._sharing = Sharing()
        self._runner: NetworkRunner | None = None
        self.revision = 0
        self._places: tuple[int, dict[str, int]] = (-1, {})  # revision, server -> its place in topological order

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __iter__(self) -> Iterator[ServerNode]:
        return iter(self._nodes.values())

    # -- building

    def addServer(self, node: ServerNode, dependencies: Iterable[str] = ()) -> None:
        """Add ``node``, which needs the servers named in ``dependencies``; they have to be there already.

        Raises OckleError for a name that exists already or a dependency that does not, DependencyException when what
        it shares an outlet with closes a cycle; nothing is changed then.
        """
        needed = list(dependencies)
        if node.name in self._nodes:
            raise OckleError(f"a server named {node.name} exists already")
        for name in needed:
            self._require(name)
        self._nodes[node.name] = node
        self._graph.add_node(node.name)
        self._graph.add_edges_from((name, node.name) for name in needed)
        self._sharing.add(node)
        if self._sharing.mates(node.name) and self._graph.number_of_edges():  # which counts them, all over
            cycle = find_cycle(self._graph, self._sharing)
            if cycle:
                error = cycle_error(self._graph, self._sharing, cycle)
                self.removeServer(node.name)
                raise error
        node.runner = self._runner
        self.revision += 1

    def addDependency(self, server: str, dependency: str) -> None:
        """Make ``server`` need ``dependency``.

        Raises DependencyException, naming the cycle that it would close; nothing is changed then.
        """
        self._require(server)
        self._require(dependency)
        cycle = self.cycle_with(server, dependency)
        if cycle:
            raise cycle_error(self._graph, self._sharing, cycle)
        self._graph.add_edge(dependency, server)
        self.revision += 1

    def addDependencies(self, dependencies: Iterable[tuple[str, str]], implied: Iterable[Implied] = ()) -> None:
        """Add many (server, dependency) pairs at once: O(servers + dependencies), while one by one each costs a search.

        ``implied``  dependencies that follow from something else; one that is a pair as well counts as the pair
        Raises DependencyException when there is a cycle afterwards; nothing is changed then.
        """
        pairs = [(dependency, server) for server, dependency in dependencies]
        following = {(one.needed, one.server): one for one in implied}
        for dependency, server in (*pairs, *following):
            self._require(server)
            self._require(dependency)
        before = self._graph.copy()
        self._graph.add_edges_from(pairs)
        for edge, one in following.items():
            if not self._graph.has_edge(*edge):
                self._graph.add_edge(*edge, implied=one)
        cycle = find_cycle(self._graph, self._sharing)
        if cycle:
            error = cycle_error(self._graph, self._sharing, cycle)
            self._graph = before
            raise error
        self.revision += 1

    def removeDependency(self, server: str, dependency: str) -> None:
        """Make ``server`` independent of ``dependency`` again; raises OckleError when it was not dependent."""
        if not self._graph.has_edge(dependency, server):
            raise OckleError(f"{server} does not depend on {dependency}")
        self._graph.remove_edge(dependency, server)
        self.revision += 1

    def removeServer(self, name: str) -> None:
        """Take a server out, with its dependencies."""
        self._require(name)
        self._graph.remove_node(name)
        self._sharing.remove(self._nodes[name])
        self._nodes.pop(name).runner = None
        self.revision += 1

    def cycle_with(self, server: str, dependency: str) -> tuple[str, ...]:
        """Return the cycle that ``server`` needing ``dependency`` would close, () if none: a, what it needs …, a."""
        return closed_by(self._graph, self._sharing, server, dependency)

    def attach(self, runner: NetworkRunner | None) -> None:
        """Name who carries out the switching methods."""
        self._runner = runner
        for node in self._nodes.values():
            node.runner = runner

    def _require(self, name: str) -> ServerNode:
        node = self._nodes.get(name)
        if node is None:
            raise OckleError(f"there is no server {name}")
        return node

    # -- looking

    def getServer(self, serverNameSearch: str) -> ServerNode | None:
        """Return the server of that name, None when there is none."""
        return self._nodes.get(serverNameSearch)

    def getServernode(self, serverName: str) -> ServerNode:
        """Return the server of that name; raises OckleError when there is none."""
        return self._require(serverName)

    def getDependencies(self, server: str) -> list[str]:
        """Return the names of the servers that ``server`` needs, one level."""
        self._require(server)
        return list(self._graph.predecessors(server))

    def getDependent(self, server: str) -> list[str]:
        """Return the names of the servers that need ``server``, one level."""
        self._require(server)
        return list(self._graph.successors(server))

    def implied(self, server: str, dependency: str) -> str:
        """Return why ``server`` needs ``dependency`` although nobody wrote that down; "" when somebody did."""
        found: Implied | None = self._graph.get_edge_data(dependency, server, default={}).get("implied")
        return found.text if found is not None else ""

    def dependencies(self, server: str) -> Iterator[ServerNode]:
        """Yield the servers that ``server`` and its group need, one level; who does not look costs nothing."""
        return self._around(server, self._graph.pred)

    def dependents(self, server: str) -> Iterator[ServerNode]:
        """Yield the servers that need ``server`` or one of its group, one level."""
        return self._around(server, self._graph.succ)

    def _around(self, server: str, neighbours: _Neighbours) -> Iterator[ServerNode]:
        group = self._sharing.group(server)
        if len(group) == 1:
            return map(self._nodes.__getitem__, neighbours[server])
        return map(self._nodes.__getitem__, dict.fromkeys(name for member in group for name in neighbours[member]))

    def all_dependencies(self, servers: Iterable[str]) -> set[str]:
        """Return everything that has to be on for ``servers``, at any distance, without themselves unless they need
        each other; of their own groups only what they need."""
        return self._closure(servers, self._graph.pred)

    def all_dependents(self, servers: Iterable[str]) -> set[str]:
        """Return everything that needs ``servers``, at any distance, and what shares outlets with that."""
        return self._closure(servers, self._graph.succ)

    def _closure(self, servers: Iterable[str], neighbours: _Neighbours) -> set[str]:
        found: set[str] = set()
        todo = list(servers)
        while todo:
            for neighbour in neighbours[todo.pop()]:
                if neighbour not in found:
                    group = self._sharing.group(neighbour)
                    found.update(group)
                    todo += group
        return found

    def concerned(self, server: str) -> Iterator[str]:
        """Yield the servers whose decisions may follow from a change of ``server``, itself first."""
        yield server
        if not self._sharing:
            yield from self._graph.succ[server]
            yield from self._graph.pred[server]
            return
        for name in (server, *self._graph.succ[server], *self._graph.pred[server]):
            yield from self._sharing.group(name)

    # -- outlets in common

    def group(self, server: str) -> tuple[str, ...]:
        """Return the servers that get and lose power with ``server``, itself included: those that share an outlet with
        it, those that share one with these, and so on."""
        return self._sharing.group(server)

    def with_groups(self, servers: Iterable[str]) -> set[str]:
        """Return ``servers`` and all that get and lose power with one of them."""
        return {member for name in servers for member in self._sharing.group(name)}

    def mates(self, server: str) -> Mapping[str, str]:
        """Return the servers that share an outlet with ``server``: name -> which outlet, for a person."""
        return self._sharing.mates(server)

    def sharers(self, node: ServerNode, goal: bool) -> Iterator[Sharer]:
        """Yield the servers that are switched with ``node``: they share an outlet that does not show ``goal`` yet."""
        if not self._sharing.mates(node.name):
            return
        for outlet in node.outlets:
            if outlet.state is not goal:
                yield from self.fed_by(outlet, node)

    def fed_by(self, outlet: OutletTemplate, node: ServerNode) -> Iterator[Sharer]:
        """Yield the servers that hang on ``outlet`` besides ``node``."""
        for name in self._sharing.users(outlet.marks):
            if name != node.name:
                yield Sharer(name, self._nodes[name].facts, outlet.marks.label)

    def getRoot(self) -> ServerNode | None:
        """Return the first server in topological order, which needs no other; None when there is no server."""
        order = self.getSortedNodeListIndex()
        return self._nodes[order[0]] if order else None

    def getSortedNodeList(self) -> list[ServerNode]:
        """Return the servers in topological order, dependencies first; equals stay in the order of their names."""
        return [self._nodes[name] for name in self.getSortedNodeListIndex()]

    def getSortedNodeListIndex(self) -> list[str]:
        """Return the names of the servers in topological order."""
        return list(self._in_topological_order())

    def in_order(self, servers: Iterable[str]) -> list[str]:
        """Return ``servers`` in topological order; looks at no other unless the network has changed."""
        return sorted(servers, key=self._in_topological_order().__getitem__)

    def _in_topological_order(self) -> dict[str, int]:
        revision, places = self._places
        if revision != self.revision:
            names = (name for layer in self.layers() for name in layer)
            places = {name: place for place, name in enumerate(names)}
            self._places = (self.revision, places)
        return places

    def layers(self) -> list[list[str]]:
        """Return the servers in waves: each needs only servers of the waves before it."""
        waves = networkx.topological_generations(quotient(self._graph, self._sharing))
        return [sorted(self.with_groups(wave)) for wave in waves]

    def isAllOpState(self, opState: OpState) -> bool:
        """Tell whether all servers are in ``opState``."""
        return all(node.facts.op_state == opState for node in self)

    def isReadyToTurnOn(self, server: str) -> bool:
        """Tell whether everything that ``server`` needs is on, tested, and not about to stop."""
        self._require(server)
        return not on_guard(self.dependencies(server))

    def turningOn(self) -> bool:
        """Tell whether any server is between on and off."""
        return any(node.facts.op_state in SWITCHING for node in self)

    # -- switching: carried out by the runner

    def _running(self) -> NetworkRunner:
        if self._runner is None:
            raise OckleError("this network is not run by a daemon")
        return self._runner

    def turnOnServer(self, serverName: str) -> bool:
        """Turn a server on, after what it needs, and wait; True when it is on."""
        self._require(serverName)
        return self._running().turn(serverName, True)

    def turnOffServer(self, serverName: str) -> bool:
        """Turn a server off, after what needs it, and wait; True when it is off."""
        self._require(serverName)
        return self._running().turn(serverName, False)

    def allOff(self) -> bool:
        """Turn all servers off ungracefully: the power is cut, dependents first. True when all are off."""
        return self._running().cut_all()

    def updateNetwork(self) -> None:
        """Read every outlet, run every test, and bring all states up to date."""
        self._running().observe()
