"""Commands that look: status, tree, why, runs, events, select."""

from __future__ import annotations

import time
from typing import Any

from ..common.clock import Clock
from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..networkTree.explain import short_word
from ..networkTree.facts import ServerFacts
from ..networkTree.plan import ACTIONS
from ..networkTree.selection import select
from ..networkTree.ServerNode import ServerNode
from ..testers.TemplateTester import TesterOpState
from .group import CommandGroup, Data, wall_time
from .selection import SELECTOR_HELP, selectors_of, servers_of, text_of


class StatusCommands(CommandGroup):
    """All of them may be used by a viewer."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self._snapshot: Data = {"rev": -1}  # what status said last; replaced as a whole, never changed
        self.add("status", self.status, params={"since?": "a rev: nothing but {same: true} when nothing has changed"})
        self.add("select", self.select, params={"selector": SELECTOR_HELP})
        self.add(
            "plan",
            self.plan,
            params={
                "action": " or ".join(ACTIONS),
                "servers": SELECTOR_HELP,
                "exclude?": f"servers that are not touched: {SELECTOR_HELP}",
            },
        )
        self.add("tree", self.tree, params={"server?": "where to begin", "reverse?": "towards what it needs"})
        self.add("why", self.why, params={"server": "name"})
        self.add("runs", self.runs, params={"limit?": "how many, newest first; default 20"})
        self.add("getRun", self.get_run, params={"run": "number", "log?": "true: also what was sent to the devices"})
        self.add(
            "events",
            self.events,
            params={
                "since?": "seconds ago",
                "since_seq?": "number of the last event known",
                "server?": "name",
                "limit?": "how many of the newest; default 1000",
            },
        )

    def status(self, data: Data) -> Data:
        """Return the state of every server, the running runs, the master switch, why it is in safe mode, open alerts.

        ``rev`` changes when anything else in it does; ``power_w`` and ages may be older than that.
        """
        revision = self.engine.core.revision
        if data.get("since") == revision and not self.engine.runs.running():
            return {"same": True, "rev": revision}
        snapshot = self._snapshot
        if snapshot["rev"] != revision or self.engine.runs.running():
            snapshot = self._snapshot = self.look(self._status)
        return {**snapshot, "time": time.time()}

    def _status(self) -> Data:
        engine = self.engine
        return {
            "rev": engine.core.revision,
            "time": engine.core.clock.wall(),
            "master": "on" if engine.auto else "off",
            "safe_mode": engine.core.safe_mode,
            "store_fault": engine.store_fault,
            "servers": {node.name: self._server(node) for node in self.network.getSortedNodeList()},
            "emergency": engine.emergencies.as_dict(),
            "alerts": dict(engine.open_alerts),
            "runs": [run.summary(engine.core.clock.wall()) for run in engine.runs.running()],
        }

    def _server(self, node: ServerNode) -> Data:
        facts, engine = node.facts, self.engine
        run = engine.runs.of_server(node.name)
        clock = engine.core.clock
        needs = self.network.getDependencies(node.name)
        return {
            "state": facts.op_state.value,
            "word": short_word(facts.op_state),
            "why": node.why,
            "degraded": facts.missing,
            "since": wall_time(clock, facts.since),
            "desired": facts.desired,
            "held": bool(facts.held),
            "forced": facts.forced,
            "force": _force(facts, clock),
            "attempts": {
                "start": [facts.start_attempts, engine.settings.max_start_attempts],
                "stop": [facts.stop_attempts, engine.settings.max_stop_attempts],
            },
            "tags": list(facts.policy.tags),
            "power_w": node.power_w(),
            "tested": _tested(node, clock),
            "needs": needs,
            "because": {needed: text for needed in needs if (text := self.network.implied(node.name, needed))},
            "needed_by": self.network.getDependent(node.name),
            "mates": dict(self.network.mates(node.name)),
            "comment": facts.policy.comment,
            "run": run.id if run else None,
        }

    def select(self, data: Data) -> Data:
        """Return the names of the servers that a selection means, and what of it means nothing."""
        names, unknown = select(self.network, selectors_of(data, "selector"))
        return {"servers": names, "unknown": unknown}

    def plan(self, data: Data) -> Data:
        """Return what an action would do: the steps in order, their times, who else is touched, how to confirm."""
        names = servers_of(self.network, data)
        exclude = servers_of(self.network, data, "exclude") if data.get("exclude") else []
        return self.look(lambda: self.engine.plan(text_of(data, "action"), names, exclude).as_dict())

    def tree(self, data: Data) -> Data:
        """Return the servers as trees: what is needed first, or last if ``reverse``."""
        server = None if data.get("server") is None else text_of(data, "server")
        return self.look(lambda: self._tree(server, bool(data.get("reverse"))))

    def _tree(self, server: str | None, reverse: bool) -> Data:
        network = self.network
        if server is not None and server not in network:
            raise CommandError(f"there is no server {server}", "not_found")
        children = network.getDependencies if reverse else network.getDependent
        above = network.getDependent if reverse else network.getDependencies
        roots = [server] if server is not None else sorted(node.name for node in network if not above(node.name))
        reach = {*roots, *(network.all_dependencies(roots) if reverse else network.all_dependents(roots))}
        return {
            "roots": roots,
            "nodes": {
                name: {
                    "state": node.facts.op_state.value,
                    "word": short_word(node.facts.op_state),
                    "why": node.why,
                    "children": sorted(children(name)),
                    "mates": dict(network.mates(name)),
                    "because": {
                        child: text
                        for child in children(name)
                        if (text := network.implied(*((name, child) if reverse else (child, name))))
                    },
                }
                for name in sorted(reach)
                for node in [network.getServernode(name)]
            },
        }

    def why(self, data: Data) -> Data:
        """Return why a server is as it is: what it waits for, what holds it, what would free it."""
        name = text_of(data, "server")
        if name not in self.network:
            raise CommandError(f"there is no server {name}", "not_found")
        found = self.look(lambda: self.engine.why(name))
        clock = self.engine.core.clock
        for reason in found["reasons"]:
            reason["since"] = wall_time(clock, reason["since"])
        return found

    def runs(self, data: Data) -> Data:
        """Return the newest runs."""
        limit = _number(data, "limit", 20)
        return self.look(lambda: {"runs": self.engine.runs.newest(limit)})

    def get_run(self, data: Data) -> Data:
        """Return a run with all its steps; with ``log`` also each command that was sent for it, and the answer."""
        number = _number(data, "run")
        journal = self.engine.core.journal
        found = self.look(lambda: self.engine.runs.get(number).as_dict(self.engine.core.clock.wall()))
        if data.get("log") is True:
            found["log"] = journal.sent_for(number, self.look(lambda: journal.store.pending("intents")))
        return found

    def events(self, data: Data) -> Data:
        """Return kept events, oldest first."""
        found = self._daemon.events.since(_number(data, "since_seq", 0))
        if data.get("since") is not None:
            edge = time.time() - _seconds(data, "since")
            found = [event for event in found if event.time >= edge]
        if data.get("server"):
            found = [event for event in found if event.server == data["server"]]
        limit = _number(data, "limit", 1000)
        return {"events": [event.as_dict() for event in found[max(0, len(found) - limit) :]]}


def _tested(node: ServerNode, clock: Clock) -> Data | None:
    """Return how the newest run of its tests went, and when; None without tests, and before the first run."""
    run = [test for test in node.tests if test.opState is not TesterOpState.INIT]
    if not run:
        return None
    failed = [test.name for test in run if test.opState is TesterOpState.FAILED]
    return {"failed": failed, "at": wall_time(clock, max(test.seen_at for test in run))}


def _force(facts: ServerFacts, clock: Clock) -> Data | None:
    """Return who forced a server, since when and until when (seconds since 1970); None when nobody did."""
    if facts.forced is None:
        return None
    return {
        "state": facts.forced,
        "who": facts.forced_by,
        "since": facts.forced_since,
        "until": wall_time(clock, facts.forced_until),
        "note": facts.forced_note,
    }


def _number(data: Data, key: str, default: int | None = None) -> int:
    value: Any = data.get(key, default)
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):  # the last one: JSON's 1e400 is read as infinite
        raise CommandError(f"{key} is {value!r}: a whole number is needed") from None
    if number < 0:
        raise CommandError(f"{key} is {value!r}: it cannot be negative")
    return number


def _seconds(data: Data, key: str) -> float:
    value: Any = data[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandError(f"{key} is {value!r}: a number of seconds is needed")
    return float(value)
