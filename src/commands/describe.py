"""Commands that describe the configured network: the documented getServerDict, getServerView, getPDUDict …"""

from __future__ import annotations

from typing import Any

from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..config.templates import described_types
from ..drivers.driver import Driver
from ..networkTree.explain import short_word
from ..networkTree.ServerNode import ServerNode
from .group import CommandGroup, Data, wall_time
from .selection import text_of

_SERVER = {"server": "name"}
_COLOURS = {"on": "green", "off": "grey", "failed": "red", "gave up": "red", "unknown": "orange", "not started": "grey"}


class DescribeCommands(CommandGroup):
    """Names and descriptions, for the GUI and for scripts."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self.add("getServerTree", self.server_tree)
        self.add("getServerView", self.server_view, params=_SERVER)
        self.add("getServerDict", self.server_dict)
        self.add("getServerAvilableDependencies", self.available_dependencies, params=_SERVER)
        self.add("serversDependent", self.servers_dependent, params=_SERVER)
        self.add("getAvailableServerOutlets", self.server_outlets, params=_SERVER)
        self.add("getAvailableServerControls", self.server_controls, params=_SERVER)
        self.add("getAvailableServerTesters", self.server_testers, params=_SERVER)
        self.add("getPDUDict", self.pdus)
        self.add("getControllerDict", self.controllers)
        self.add("getTesterDict", self.testers)
        self.add("getAvailablePDUsList", self.pdu_types)
        self.add("getAvailableControllersList", self.controller_types)
        self.add("getAvailableTestersList", self.tester_types)
        self.add("getAvailablePluginsList", self.plugins)

    def _node(self, data: Data) -> ServerNode:
        node = self.network.getServer(text_of(data, "server"))
        if node is None:
            raise CommandError(f"there is no server {data['server']}", "not_found")
        return node

    # -- servers

    def server_tree(self, data: Data) -> Data:
        """Return the network as a dot graph, an arrow from each server to what needs it.

        Dashed: because of a ``via``; dotted, without a head: on one outlet.
        """
        return {"dot": self.look(self._dot)}

    def _dot(self) -> str:
        lines = ["digraph ockle {", "  rankdir=LR;"]
        for node in self.network.getSortedNodeList():
            word = short_word(node.facts.op_state)
            label = _quoted(f"{node.name}\n{word}")
            lines.append(f"  {_quoted(node.name)} [label={label}, color={_COLOURS.get(word, 'blue')}];")
        for node in self.network.getSortedNodeList():
            for needed in self.network.getDependencies(node.name):
                why = self.network.implied(node.name, needed)
                style = f" [style=dashed, label={_quoted(why)}]" if why else ""
                lines.append(f"  {_quoted(needed)} -> {_quoted(node.name)}{style};")
        for node in self.network.getSortedNodeList():
            for mate, outlet in self.network.mates(node.name).items():
                if node.name < mate:
                    style = f"dir=none, style=dotted, label={_quoted(outlet)}"
                    lines.append(f"  {_quoted(node.name)} -> {_quoted(mate)} [{style}];")
        return "\n".join([*lines, "}"])

    def server_view(self, data: Data) -> Data:
        """Return all that is known of a server: its state, and that of its outlets, controls and tests."""
        node = self._node(data)
        return self.look(lambda: self._view(node))

    def _view(self, node: ServerNode) -> Data:
        facts = node.facts
        return {
            "name": node.name,
            "OpState": facts.op_state.value,
            "word": short_word(facts.op_state),
            "why": node.why,
            "degraded": facts.missing,
            "comment": facts.policy.comment,
            "desired": facts.desired,
            "forced": facts.forced,
            "held": facts.held,
            "startAttempts": node.getStartAttempts(),
            "shutdownAttempts": node.getShutdownAttempts(),
            "dependencies": self.network.getDependencies(node.name),
            "because": {
                needed: text
                for needed in self.network.getDependencies(node.name)
                if (text := self.network.implied(node.name, needed))
            },
            "sameOutlet": dict(self.network.mates(node.name)),
            "dependents": self.network.getDependent(node.name),
            "outlets": {part.name: self._part(part) for part in node.outlets},
            "controls": {part.name: self._part(part) for part in node.controls},
            "tests": {part.name: self._part(part) for part in node.tests},
            "durations": self.engine.durations.known(node.name),
        }

    def server_dict(self, data: Data) -> Data:
        """Return the servers: name -> description."""
        return {node.name: node.facts.policy.comment for node in self.network.getSortedNodeList()}

    def available_dependencies(self, data: Data) -> Data:
        """Return the servers that a server could be made to need, without closing a cycle: name -> description.

        Under ``refused`` those that it could not: name -> the cycle that they would close.
        """
        network = self.network
        name = text_of(data, "server")
        present = set(network.getDependencies(name)) if name in network else set()
        offered: Data = {}
        refused: dict[str, str] = {}
        for node in network.getSortedNodeList():
            cycle = network.cycle_with(name, node.name) if name in network else ()
            if cycle and node.name != name:
                refused[node.name] = " -> ".join(cycle)
            elif node.name != name and node.name not in present:
                offered[node.name] = node.facts.policy.comment
        return {"servers": offered, "refused": refused} if data.get("details") else offered

    def servers_dependent(self, data: Data) -> Data:
        """Return the servers that a server depends on: name -> description."""
        node = self._node(data)
        return {one.name: one.facts.policy.comment for one in self.network.dependencies(node.name)}

    def server_outlets(self, data: Data) -> Data:
        """Return the outlets of a server: name -> information."""
        return {part.name: self._part(part) for part in self._node(data).outlets}

    def server_controls(self, data: Data) -> Data:
        """Return the controls of a server: name -> information."""
        return {part.name: self._part(part) for part in self._node(data).controls}

    def server_testers(self, data: Data) -> Data:
        """Return the tests of a server: name -> information."""
        return {part.name: self._part(part) for part in self._node(data).tests}

    def _part(self, part: Driver) -> Data:
        state: Any = part.opState  # type: ignore[attr-defined]
        return {
            "OpState": state.value,
            "type": type(part).__name__,
            "generator": part.device.name,
            "message": part.last_error,
            "seen": wall_time(self.engine.core.clock, part.seen_at),
            "refusal": getattr(part, "refusal", ""),
            "doubt": getattr(part, "doubt", ""),
            "data": dict(part.data),
        }

    # -- generators

    def _generators(self, kind: str) -> Data:
        found = self._daemon.site.generators(kind)
        return {name: found[name].settings.get("comment") or found[name].type for name in sorted(found)}

    def pdus(self, data: Data) -> Data:
        """Return the configured PDUs: name -> description."""
        return self._generators("outlets")

    def controllers(self, data: Data) -> Data:
        """Return the configured controllers: name -> description."""
        return self._generators("controllers")

    def testers(self, data: Data) -> Data:
        """Return the configured testers: name -> description."""
        return self._generators("testers")

    def pdu_types(self, data: Data) -> Data:
        """Return the types of PDUs that can be configured: name -> description."""
        return described_types("outlets")

    def controller_types(self, data: Data) -> Data:
        """Return the types of controllers that can be configured: name -> description."""
        return described_types("controllers")

    def tester_types(self, data: Data) -> Data:
        """Return the types of testers that can be configured: name -> description."""
        return described_types("testers")

    def plugins(self, data: Data) -> Data:
        """Return the plugins that can be enabled: name -> description; with ``details`` also how they are."""
        found: dict[str, Any] = dict(self._daemon.getAvailablePluginsListIndex())
        if not data.get("details"):
            return found
        states = self._daemon.plugin_states()
        return {
            name: {"doc": doc, "loaded": name in states, "failure": states.get(name, "")} for name, doc in found.items()
        }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
