"""A lab, its configuration, and the daemons that live and die there; what was ordered, and what has to come of it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

from ockle.simulator.lab import Lab
from ockle.simulator.site_writer import write_site
from ockle.simulator.spec import LabSpec
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed

from .common import Finding
from .judge import Deeds, Judge
from .life import Life

CALL_S = 30.0
QUIET_S = 30.0
"""No device sees anything for so long, and the goal is not reached: nothing is going to happen any more."""
LOOK_S, ASK_S = 0.02, 0.1
OUTCOMES_S = 10.0
"""Outcomes are written when something else is, or a second later."""
LOG_TAIL = 40
CHANGES_OF_PLAN = 20
ATTEMPTS = 3
Options = Mapping[str, str]


class Died(Exception):
    """The daemon is gone, in the middle of a call or while it was watched."""


class Site:
    """One network with its ledger and its store, over many lives of the daemon.

    ``goal``    server -> "on" or "off", as ordered; ``held`` and ``auto`` likewise
    ``lives``   how many daemons there were; ``refused``: how many orders were
    ``main``, ``files``  further options of [main], and for ``write_site``; ``excuse_s``: see ``Judge``
    """

    def __init__(
        self,
        spec: LabSpec,
        folder: Path,
        context: ForkServerContext,
        *,
        main: Options | None = None,
        quiet_s: float = QUIET_S,
        excuse_s: float = 0.0,
        **files: Any,
    ) -> None:
        self.spec = spec
        self.names = [machine.name for machine in spec.machines]
        self.goal = dict.fromkeys(self.names, "off")
        self.held: set[str] = set()
        self.auto = True
        self.lives = self.refused = 0
        self.judge = Judge(spec, excuse_s)
        self.findings: list[Finding] = []
        self.etc, self._log, self._socket = folder / "etc", folder / "log", folder / "socket"
        self._state = folder / "state" / "state.db"
        self._context = context
        self._main, self._files, self._quiet_s = main or {}, files, quiet_s
        self._life: Life | None = None
        self._listens_by = 0.0
        self._client: Connection | None = None
        self._taken = self._judged = self._orders = 0
        self._notes: dict[str, tuple[str, tuple[str, ...]]] = {}  # note of an order -> what it wants of whom
        self.lab = Lab(spec)

    def __enter__(self) -> Site:
        self.lab.__enter__()
        self._deeds = Deeds(self.spec, time.time() - self.lab.ledger.now())
        write_site(
            self.lab,
            self.etc,
            settings={
                "main": {
                    "state_dir": str(self._state.parent),
                    "poll_interval": "300ms",
                    "test_interval": "300ms",
                    "safe_mode_after": "0",  # it is killed more often in a row than a daemon that had better stop
                    **self._main,
                },
                "plugins.SocketListener": {"port": "0", "unix_socket": str(self._socket)},
                "plugins.AutoControl": {"enabled": "true", "at_start": "restore"},
            },
            **self._files,
        )
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        self._hang_up()
        if self._life is not None and self._life.alive:
            self._life.kill()
            self._life.ended()
        self.lab.__exit__(kind, value, trace)

    # -- lives

    @property
    def life(self) -> Life:
        if self._life is None:
            raise RuntimeError("no daemon was started")
        return self._life

    def start(self, armed: str = "") -> Life:
        """Begin a life; it need not come as far as serving."""
        self._hang_up()
        self._listens_by = time.monotonic() + CALL_S
        self._life = Life(self._context, self.etc, self._log, armed)
        self.lives += 1
        return self._life

    def serve(self) -> None:
        """Begin a life and wait until it serves. Raises Died."""
        if not self.start().ready():
            raise Died(f"the daemon did not start\n{self.log_tail()}")

    def buried(self) -> None:
        """Take note of a death: the connection is gone."""
        self._hang_up()
        self.sync()

    @property
    def wal(self) -> Path:
        return self._state.with_name("state.db-wal")

    def log_tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(["the daemon's log:", *lines[-LOG_TAIL:]])

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # -- talking

    def call(self, command: str, **data: Any) -> dict[str, Any]:
        """Raises Died, and ClientError for a refusal."""
        if self._client is None:
            self._client = Connection(unix=str(self._socket), timeout=CALL_S, via="socket", user="campaign")
        try:
            return self._client.call(command, data, CALL_S)
        except ConnectionFailed as error:
            self._hang_up()
            if _not_yet(error) and self.life.alive and time.monotonic() < self._listens_by:
                time.sleep(LOOK_S)  # ready, and its listener about to be
                return self.call(command, **data)
            raise Died(f"{command}: {error}") from error

    def order(self, action: str, servers: list[str]) -> None:
        """Order a run. What comes of it counts from the moment when it is durable, told or not."""
        for _ in range(CHANGES_OF_PLAN):  # what is under way may change the plan between the look and the order
            try:
                self._order(action, servers)
                return
            except ClientError as error:
                if error.code != "conflict":
                    raise
        raise ClientError("conflict", f"{action}: the plan has changed {CHANGES_OF_PLAN} times")

    def _order(self, action: str, servers: list[str]) -> None:
        self._orders += 1
        note = f"order {self._orders}"
        plan = self.call("plan", action=action, servers=servers)
        steps = plan["steps"]
        self._notes[note] = (action, tuple(step["server"] for step in steps))
        self.call("run", action=action, servers=servers, rev=plan["rev"], confirm=plan["confirm"], note=note)
        self._reached(note)

    def _reached(self, note: str) -> None:
        action, servers = self._notes.pop(note, ("", ()))
        for name in servers:
            if name not in self.judge.forced and name not in self.held:
                self.goal[name] = "off" if action == "off" else "on"

    @contextmanager
    def _forcing(self, name: str) -> Iterator[None]:
        self.sync()
        self.judge.forced[name] = "clearing"
        yield
        self.sync()

    def force(self, name: str, state: str) -> None:
        with self._forcing(name):
            self.call("force", server=name, state=state)
        self._forced(name, None if state == "clear" else state)

    def _forced(self, name: str, state: str | None) -> None:
        if state is None:
            self.judge.forced.pop(name, None)
            self.goal[name] = "on" if self.judge.state(name) in ("up", "booting") else "off"
        else:
            self.judge.forced[name] = state
            self.goal[name] = state

    def hold(self, name: str, held: bool) -> None:
        self.call("hold", server=name, held=held)
        (self.held.add if held else self.held.discard)(name)

    def set_auto(self, on: bool) -> None:
        self.call("setAutoControlStatus", status="on" if on else "off")
        self.auto = on

    # -- after a death

    def recall(self, doubtful: frozenset[str]) -> None:
        """Ask a new daemon what it remembers: what was acknowledged must be there; the rest may be, as a whole.

        ``doubtful``  what was being asked when the daemon died: "force NAME", "hold NAME", "auto"
        """
        status = self.call("status")
        for run in sorted(self.call("runs", limit=50)["runs"], key=lambda one: one["id"]):
            self._reached(run["note"])
        self._notes.clear()
        for name, server in status["servers"].items():
            now, was = server["forced"], self.judge.forced.get(name)
            if was == "clearing" or f"force {name}" in doubtful:
                self._forced(name, now)
            elif now != was:
                self._broken(f"I6: the force of {name} was {was} and is {now} after a restart")
                self._forced(name, now)
            held = bool(server["held"])
            if held is not (name in self.held) and f"hold {name}" not in doubtful:
                self._broken(f"I6: {name} was {'not ' * held}held and is{' not' * (not held)} after a restart")
            (self.held.add if held else self.held.discard)(name)

    def disturbed(self, *names: str, fed_by: str = "") -> None:
        """A fault is about to change the power of ``names``, of all that ``fed_by`` feeds, or of everything."""
        self.sync()
        fed = [one.name for one in self.spec.machines if any(device == fed_by for device, _ in one.supplies)]
        for name in names or (fed if fed_by else self.names):
            self.judge.fault(name, self.lab.ledger.now())

    # -- watching

    def sync(self) -> bool:
        """Judge what is new in the ledger; tell whether there was anything."""
        new = self.lab.ledger.entries()[self._taken :]
        self._taken += len(new)
        self.judge.take(new)
        self.findings += self.judge.findings
        self.judge.findings.clear()
        return bool(new)

    def watch(self) -> float:
        """Wait until the goal is reached, and the daemon says so; the seconds it took. Raises Died, Stuck."""
        began = quiet = asked = time.monotonic()
        while True:
            if not self.life.alive:
                self.buried()
                raise Died("while it was watched")
            now = time.monotonic()
            if self.sync():
                quiet = now
            if self._reached_by_devices() and now - asked >= ASK_S:
                asked = now
                missing = self._missing()
                if not missing:
                    return time.monotonic() - began
            if now - quiet > self._quiet_s or now - began > self.bound_s():
                raise Stuck(f"I5: not where it was ordered after {now - began:.0f} s", self._missing())
            time.sleep(LOOK_S)

    def _reached_by_devices(self) -> bool:
        return all(self.judge.state(name) == ("up" if goal == "on" else "off") for name, goal in self.goal.items())

    def _missing(self) -> str:
        """What the daemon says is not as ordered, "" when all is."""
        status = self.call("status")
        wrong = []
        for name, server in status["servers"].items():
            goal = self.goal[name]
            good = f"Forced {goal}" if self.judge.forced.get(name) else "OK" if goal == "on" else "OFF"
            if server["state"] != good or self.judge.state(name) != ("up" if goal == "on" else "off"):
                wrong.append(
                    f"{name}: {server['state']} and {self.judge.state(name)} in place of {good}: {server['why']}"
                )
        wrong += [f"run {run['id']} {run['action']} is {run['state']}" for run in status["runs"]]
        return "\n".join(wrong)

    def bound_s(self) -> float:
        """I5: what the critical path may take with everything that can be late, times the attempts."""
        depth: dict[str, int] = {}
        for machine in self.spec.machines:  # listed after what they need
            depth[machine.name] = 1 + max((depth[one] for one in machine.depends), default=0)
        slow = max(machine.boot_s + machine.shutdown_s for machine in self.spec.machines) * self.spec.speed * 3
        return max(depth.values()) * (20.0 + slow + 2 * 5.0) * ATTEMPTS

    # -- the journal

    def settle_deeds(self) -> None:
        """Judge the journal against the commands that the devices saw since the last time."""
        deadline = time.monotonic() + OUTCOMES_S
        while True:
            rows = self._intents()
            if all(row["outcome"] is not None for row in rows) or time.monotonic() > deadline:
                break
            time.sleep(ASK_S)
        self.findings += self._deeds.judge(self.judge.take_commands(), rows)
        self._judged = max((row["id"] for row in rows), default=self._judged)

    def _intents(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self._state}?mode=ro", uri=True, timeout=CALL_S)) as store:
            store.row_factory = sqlite3.Row
            return [
                dict(row) for row in store.execute("SELECT * FROM intents WHERE id > ? ORDER BY id", (self._judged,))
            ]

    def _broken(self, what: str, how: str = "") -> None:
        self.findings.append(Finding(what, how or self.log_tail()))


def _not_yet(error: ConnectionFailed) -> bool:
    """The listener's socket is another life's still, or being made."""
    return any(text in str(error) for text in ("Connection refused", "No such file"))


class Stuck(Exception):
    """The goal is not reached in time. Arguments: what, and how it stands."""


__all__ = ["ClientError", "Died", "Site", "Stuck"]
