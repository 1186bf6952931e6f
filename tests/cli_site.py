"""A daemon for tests of the command line: the real socket, registry and client, and commands over a few dicts.

It has the shapes of the real commands' replies, and writes down every command that would switch something.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

from ockle.cli.main import main
from ockle.common.errors import CommandError
from ockle.common.hostranges import expand
from socket_site import Services, listening, port_of

NAMES = ("sw-core", "nas01", "web1", "web2", "db1")
SWITCHING = (
    *("run", "setServer", "switchNetwork", "switchOutlet", "switchControl"),
    *("force", "hold", "reset", "setAutoControlStatus", "cancel"),
    *("declareEmergency", "clearEmergency"),
)


@dataclass
class Result:
    code: int
    out: str
    err: str


class Site:
    """``sent``: the switching commands with their data; ``tier``, ``plan_rev``: what the next plan has."""

    def __init__(self, services: Services, address: str) -> None:
        self.address = address
        self.services = services
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.tier = 1
        self.rev = 1
        self.words = dict.fromkeys(NAMES, "on")
        self.fails: set[str] = set()
        self.run_states: list[str] = ["done"]
        self.needs = {"web1": ["nas01"], "web2": ["nas01"], "nas01": ["sw-core"]}
        self.controls: dict[str, Any] = {"ssh": {"OpState": "OK"}}
        self.note = ""
        self.reason = 'test "pg" timeout'
        add = services.communicationHandler.AddCommandToList
        for name in ("status", "select", "plan", "getRun", "runs", "tree", "why", "runTest", "events"):
            add(name, getattr(self, f"_{name}"), role="viewer")
        self.emergency: dict[str, Any] | None = None
        self.untouched: dict[str, str] = {}
        add("getEmergency", lambda _data: {"emergency": self.emergency}, role="viewer")
        add("getAvailableServerControls", lambda _data: self.controls, role="viewer")
        for name in SWITCHING:
            add(name, self._recorder(name), role="operator")

    def fresh(self) -> Site:
        """Have all as at the beginning."""
        self.sent.clear()
        self.tier, self.rev, self.run_states, self.fails = 1, 1, ["done"], set()
        self.words, self.emergency, self.note = dict.fromkeys(NAMES, "on"), None, ""
        self.reason = 'test "pg" timeout'
        self.untouched = {}
        return self

    def run(self, *words: str) -> Result:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--host", self.address, *words])
        return Result(code, out.getvalue(), err.getvalue())

    def _recorder(self, name: str) -> Any:
        def command(data: dict[str, Any]) -> dict[str, Any]:
            self.sent.append((name, data))
            if name == "run" and data["rev"] != self.rev:
                raise CommandError("the plan changed", "conflict", {"plan": self._plan(data)})
            if name == "run":
                return {"run": "214", "plan": self._plan(data)}
            if name == "setAutoControlStatus":
                return {"status": data["status"]}
            if name == "declareEmergency":
                return {"run": "214", "emergency": {}}
            if name == "cancel":
                return {"run": data["run"], "state": "cancelled"}
            return {"opState": "OK", "status": "done"}

        return command

    def _status(self, _data: dict[str, Any]) -> dict[str, Any]:
        servers: dict[str, dict[str, Any]] = {
            name: {
                "state": word, "word": word, "why": self.reason if word == "failed" else "", "since": 1.0,
                "desired": "on", "held": False, "forced": None, "attempts": {"start": [0, 3], "stop": [0, 3]},
                "tags": [], "power_w": 12.4, "needs": self.needs.get(name, []), "comment": "", "run": None,
                "needed_by": [user for user, needs in self.needs.items() if name in needs],
            }
            for name, word in self.words.items()
        }  # fmt: skip
        return {"rev": self.rev, "time": 1.0, "master": "on", "servers": servers, "runs": []}

    def _select(self, data: dict[str, Any]) -> dict[str, Any]:
        found: list[str] = []
        unknown: list[str] = []
        for text in data["selector"]:
            try:
                names = list(NAMES) if text == "all" else expand(text)
            except ValueError:
                names = [text]
            found += [name for name in names if name in NAMES]
            unknown += [name for name in names if name not in NAMES]
        return {"servers": list(dict.fromkeys(found)), "unknown": unknown}

    def _plan(self, data: dict[str, Any]) -> dict[str, Any]:
        steps = [
            {"n": n, "server": name, "action": data["action"], "needs": [], "because": "you asked", "eta_s": 20.0,
             "start_s": 0.0, "critical": True}
            for n, name in enumerate(data["servers"], 1)
        ]  # fmt: skip
        return {
            "action": data["action"], "rev": self.rev, "tier": self.tier, "confirm": "nas01", "steps": steps,
            "targets": data["servers"], "already": [], "untouched": self.untouched,
            "total_s": 110.0, "critical": [], "warnings": [],
        }  # fmt: skip

    def _getRun(self, data: dict[str, Any]) -> dict[str, Any]:
        state = self.run_states.pop(0) if len(self.run_states) > 1 else self.run_states[0]
        ended = 14.0 if state in ("done", "failed", "cancelled") else None
        steps: list[dict[str, Any]] = [
            {"server": "web1", "action": "off", "state": "done", "why": "", "started": 10.0, "ended": 12.0, "eta_s": 0},
            {"server": "nas01", "action": "off", "state": {"done": "done", "failed": "failed"}.get(state, "running"),
             "why": "relay stuck" if state == "failed" else "", "started": 12.0, "ended": ended, "eta_s": 0},
        ]  # fmt: skip
        count = {one: sum(step["state"] == one for step in steps) for one in ("done", "failed", "skipped")}
        return {
            "id": data["run"], "action": "off", "targets": ["nas01"], "who": "guy", "via": "cli", "note": self.note,
            "created": 10.0,
            "ended": ended, "state": state, **count, "total": 2, "eta_s": None, "steps": steps,
        }  # fmt: skip

    def _runs(self, _data: dict[str, Any]) -> dict[str, Any]:
        return {"runs": [self._getRun({"run": "214"})]}

    def _tree(self, _data: dict[str, Any]) -> dict[str, Any]:
        def node(word: str, *children: str) -> dict[str, Any]:
            return {"state": word, "word": word, "why": "", "children": list(children)}

        nodes = {"sw-core": node("on", "nas01", "db1"), "nas01": node("on", "web1"), "web1": node("failed")}
        return {"roots": ["sw-core"], "nodes": {**nodes, "db1": node("on", "nas01")}}

    def _why(self, data: dict[str, Any]) -> dict[str, Any]:
        reasons = [{"text": "waiting for db1", "since": None, "frees": "db1 is on"}]
        chain = [{"server": "db1", "state": "Failed to start", "why": "pg"}]
        return {"server": data["server"], "state": "OFF", "reasons": reasons, "chain": chain}

    def _runTest(self, data: dict[str, Any]) -> dict[str, Any]:
        state = "FAILED" if data["server"] in self.fails else "SUCCEEDED"
        return {"results": {"tcp": {"state": state, "message": "port 80", "seconds": 0.01}}}

    def _events(self, _data: dict[str, Any]) -> dict[str, Any]:
        return {"events": [event.as_dict() for event in self.services.events.since(0)]}


@contextmanager
def cli_site() -> Iterator[Site]:
    with listening() as (services, listener):
        yield Site(services, f"127.0.0.1:{port_of(listener)}")
