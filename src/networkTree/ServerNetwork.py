"""ServerNetwork: the directed acyclic graph of servers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import networkx

from ..common.common import SWITCHING, OpState
from ..common.errors import DependencyException, OckleError
from .decide import on_guard
from .runner import NetworkRunner
from .ServerNode import ServerNode


class ServerNetwork:
    """The servers and what depends on what. Edges run from a dependency to its dependents, as power-up does.

    ``revision``  rises with each change of servers or dependencies
    """

    def __init__(self) -> None:
        self._graph: networkx.DiGraph[str] = networkx.DiGraph()
        self._nodes: dict[str, ServerNode] = {}  # every name here is a node of _graph, and the other way round
        self._runner: NetworkRunner | None = None
        self.revision = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __iter__(self) -> Iterator[ServerNode]:
        return iter(self._nodes.values())

    # -- building

    def addServer(self, node: ServerNode, dependencies: Iterable[str] = ()) -> None:
        """Add ``node``, which needs the servers named in ``dependencies``; they have to be there already.

        Raises OckleError for a name that exists already or a dependency that does not; nothing is changed then.
        """
        needed = list(dependencies)
        if node.name in self._nodes:
            raise OckleError(f"a server named {node.name} exists already")
        for name in needed:
            self._require(name)
        self._nodes[node.name] = node
        self._graph.add_node(node.name)
        self._graph.add_edges_from((name, node.name) for name in needed)
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
            raise _cycle_error(cycle)
        self._graph.add_edge(dependency, server)
        self.revision += 1

    def addDependencies(self, dependencies: Iterable[tuple[str, str]]) -> None:
        """Add many (server, dependency) pairs at once: O(servers + dependencies), while one by one each costs a search.

        Raises DependencyException when there is a cycle afterwards; nothing is changed then.
        """
        pairs = [(dependency, server) for server, dependency in dependencies]
        for dependency, server in pairs:
            self._require(server)
            self._require(dependency)
        before = self._graph.copy()
        self._graph.add_edges_from(pairs)
        if not networkx.is_directed_acyclic_graph(self._graph):
            edges = networkx.find_cycle(self._graph)
            self._graph = before
            raise _cycle_error(tuple(reversed([edges[0][0], *(target for _, target in edges)])))
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
        self._nodes.pop(name).runner = None
        self.revision += 1

    def cycle_with(self, server: str, dependency: str) -> tuple[str, ...]:
        """Return the cycle that ``server`` needing ``dependency`` would close, () if none: a, what it needs …, a."""
        if server == dependency:
            return (server, server)
        if not networkx.has_path(self._graph, server, dependency):
            return ()
        return (server, *reversed(networkx.shortest_path(self._graph, server, dependency)))

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

    def dependencies(self, server: str) -> Iterator[ServerNode]:
        """Yield the servers that ``server`` needs, one level; who does not look costs nothing."""
        return map(self._nodes.__getitem__, self._graph.predecessors(server))

    def dependents(self, server: str) -> Iterator[ServerNode]:
        """Yield the servers that need ``server``, one level."""
        return map(self._nodes.__getitem__, self._graph.successors(server))

    def all_dependencies(self, servers: Iterable[str]) -> set[str]:
        """Return everything that ``servers`` need, at any distance, without themselves unless they need each other."""
        return self._closure(servers, self._graph.pred)

    def all_dependents(self, servers: Iterable[str]) -> set[str]:
        """Return everything that needs ``servers``, at any distance."""
        return self._closure(servers, self._graph.succ)

    @staticmethod
    def _closure(servers: Iterable[str], neighbours: object) -> set[str]:
        found: set[str] = set()
        todo = list(servers)
        while todo:
            for name in neighbours[todo.pop()]:  # type: ignore[index]
                if name not in found:
                    found.add(name)
                    todo.append(name)
        return found

    def getRoot(self) -> ServerNode | None:
        """Return the first server in topological order, which needs no other; None when there is no server."""
        order = self.getSortedNodeListIndex()
        return self._nodes[order[0]] if order else None

    def getSortedNodeList(self) -> list[ServerNode]:
        """Return the servers in topological order, dependencies first; equals stay in the order of their names."""
        return [self._nodes[name] for name in self.getSortedNodeListIndex()]

    def getSortedNodeListIndex(self) -> list[str]:
        """Return the names of the servers in topological order."""
        return [name for layer in self.layers() for name in layer]

    def layers(self) -> list[list[str]]:
        """Return the servers in waves: each needs only servers of the waves before it."""
        return [sorted(layer) for layer in networkx.topological_generations(self._graph)]

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


def _cycle_error(cycle: tuple[str, ...]) -> DependencyException:
    return DependencyException("the dependencies have a cycle: " + " -> ".join(cycle), cycle)
