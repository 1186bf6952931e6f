"""Real parts for end-to-end tests: the lab, a daemon process, a client, the command line, and the ledger's verdict.

Waiting is done on what the daemon says (its log, its events) and on what the lab's devices saw (the ledger); every wait
has a limit that a busy machine does not reach.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from forked_daemon import ForkedDaemon
from ockle.cli.main import main
from ockle.simulator.lab import Lab
from ockle.simulator.ledger import Entry, Ledger
from ockle.simulator.relocate import read
from ockle.simulator.site_writer import write_site
from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec, SwitchSpec
from ockle.webserver.ockle_client.connection import Connection

PATIENCE_S = 30.0
"""Limit of a wait; nothing here takes a tenth of it on a machine with nothing else to do."""

ROOT = Path(__file__).resolve().parents[1]
MAIN_DAEMON = (sys.executable, str(ROOT / "src" / "MainDaemon.py"))
MODULE = (sys.executable, "-m", "ockle", "daemon")
FORKED: tuple[str, ...] = ()
"""No new program, but a fork of one that has imported all: for tests that are not about how the daemon is started."""
ENDED = frozenset({"done", "failed", "cancelled"})
Options = Mapping[str, str]


def rack(speed: float = 0.2, **changes: Mapping[str, Any]) -> LabSpec:
    """Seven machines in four layers, on two PDUs and a PoE switch. ``changes``: machine -> fields of its spec.

    core <- nas (two supplies, one per PDU) <- db <- web; core <- dns <- web, pi1; nothing needs or is needed by lone.
    """
    machines: dict[str, dict[str, Any]] = {
        "core": {"supplies": (("pdu-a", 1),), "services": ("ssh", "tcp")},
        "dns": {"supplies": (("pdu-a", 2),), "depends": ("core",)},
        "nas": {"supplies": (("pdu-a", 3), ("pdu-b", 3)), "depends": ("core",), "watts": 120.0},
        "db": {"supplies": (("pdu-b", 1),), "depends": ("nas",)},
        "web": {"supplies": (("pdu-a", 4),), "depends": ("db", "dns")},
        "pi1": {"supplies": (("sw", 1),), "depends": ("dns",), "watts": 6.0},
        "lone": {"supplies": (("pdu-b", 2),)},
    }
    return LabSpec(
        devices=(PduSpec("pdu-a", 8), PduSpec("pdu-b", 8), SwitchSpec("sw", 4)),
        machines=tuple(
            MachineSpec(name, **{"boot_s": 1.0, "shutdown_s": 0.8, **fields, **changes.get(name, {})})
            for name, fields in machines.items()
        ),
        speed=speed,
    )


def chain(*names: str, speed: float = 0.2, **changes: Mapping[str, Any]) -> LabSpec:
    """Machines on one PDU, each of which needs the one before it: as small as a network with an order gets."""
    machines = [
        MachineSpec(
            name,
            **{
                "supplies": (("pdu", place + 1),),
                "boot_s": 1.0,
                "shutdown_s": 0.8,
                "depends": names[place - 1 : place] if place else (),
                **changes.get(name, {}),
            },
        )
        for place, name in enumerate(names)
    ]
    return LabSpec(devices=(PduSpec("pdu", 8), PduSpec("pdu2", 8)), machines=tuple(machines), speed=speed)


# -- the daemon


class Daemon:
    """A daemon process; its log is read as it comes. ``port`` is known once it is ready.

    ``environment``  further variables, which only a new program finds when it starts
    """

    def __init__(self, etc: Path, command: Sequence[str] = FORKED, environment: Options | None = None) -> None:
        self.lines: list[str] = []
        self.port = 0
        self._grown = threading.Condition()  # re-entrant: messages of failures look again
        self._ended = False
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environment or {})}
        for name in ("NOTIFY_SOCKET", "STATE_DIRECTORY", "OCKLE_HOST", "OCKLE_TOKEN", "OCKLE_ETC"):
            env.pop(name, None)
        command = command or (MODULE if environment else FORKED)
        self.process = _exec(etc, command, env) if command else ForkedDaemon(etc, env)
        output = self.process.output if isinstance(self.process, ForkedDaemon) else self.process.stdout
        self._reader = threading.Thread(target=self._read, args=(output,), name="daemon's log", daemon=True)
        self._reader.start()

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                with self._grown:
                    self.lines.append(line.rstrip("\n"))
                    self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    @property
    def log(self) -> str:
        with self._grown:
            return "\n".join(self.lines)

    @property
    def tail(self) -> str:
        """The last lines of the log, for messages of failed tests."""
        with self._grown:
            return "\n".join([line for line in self.lines if " DEBUG " not in line][-60:])

    def said(self, pattern: str, *, after: int = 0, timeout: float = PATIENCE_S) -> re.Match[str]:
        """Wait for a line that has ``pattern``, behind the first ``after`` lines; without one fails with the log."""
        deadline = time.monotonic() + timeout
        with self._grown:
            while True:
                found = next((match for line in self.lines[after:] if (match := re.search(pattern, line))), None)
                if found is not None:
                    return found
                if self._ended or not self._grown.wait(deadline - time.monotonic()):
                    raise AssertionError(f"the daemon did not say {pattern!r}:\n" + self.tail)

    def ready(self) -> Self:
        self.port = int(self.said(r"listening on 127\.0\.0\.1:(\d+)")[1])
        self.said(r"is ready")
        return self

    def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE_S) -> int:
        """Send a signal and return the exit code; the log is complete then."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.ended(timeout)
        self._reader.join(timeout)
        return code

    def ended(self, timeout: float = PATIENCE_S) -> int:
        """Wait for the end that comes by itself; a daemon that does not end is killed, and the test fails."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the daemon does not end:\n{self.tail}") from None

    def connect(self, **options: Any) -> Connection:
        return Connection("127.0.0.1", self.port, timeout=PATIENCE_S, **options)


def _exec(etc: Path, command: Sequence[str], environment: Options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, "--etc", str(etc)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    )


@dataclass
class Result:
    """What a command of the command line did."""

    code: int
    out: str
    err: str


def ockle(*words: str, port: int = 0) -> Result:
    """Run the command line in this process, against the daemon on ``port``."""
    out, err = io.StringIO(), io.StringIO()
    address = ["--host", f"127.0.0.1:{port}"] if port else []
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*address, *words])
    return Result(code, out.getvalue(), err.getvalue())


# -- a site


@dataclass
class Site:
    """A lab with the INI files for it, and the daemon that runs there now."""

    lab: Lab
    etc: Path
    stack: ExitStack
    daemon: Daemon = field(init=False)
    client: Connection = field(init=False)

    @property
    def ledger(self) -> Ledger:
        return self.lab.ledger

    def start(self, command: Sequence[str] = FORKED, environment: Options | None = None) -> Daemon:
        """Start a daemon and wait until it serves; ``client`` is connected to it and has subscribed to its events."""
        self.daemon = Daemon(self.etc, command, environment)
        self.stack.callback(self.daemon.stop)
        self.daemon.ready()
        self.attach()
        return self.daemon

    def attach(self) -> None:
        self.client = self.daemon.connect(via="socket", user="tester")
        self.stack.callback(self.client.close)
        self.client.subscribe()

    def cli(self, *words: str) -> Result:
        return ockle(*words, port=self.daemon.port)

    def call(self, command: str, **data: Any) -> dict[str, Any]:
        return self.client.call(command, data, PATIENCE_S)

    def edit(self, path: str, section: str, **options: str) -> None:
        """Change options of an INI file below etc."""
        ini = read(self.etc / path)
        ini.setdefault(section, {}).update(options)
        ini.write()

    # -- looking

    def status(self) -> dict[str, dict[str, Any]]:
        servers: dict[str, dict[str, Any]] = self.call("status")["servers"]
        return servers

    def states(self) -> dict[str, str]:
        return {name: server["state"] for name, server in self.status().items()}

    def until(self, what: str, holds: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
        """Ask ``holds`` anew whenever an event comes, and now and then, until it returns something true."""
        deadline = time.monotonic() + timeout
        while True:
            found = holds()
            if found:
                return found
            if time.monotonic() > deadline:
                states = {name: (one["state"], one["why"]) for name, one in self.status().items()}
                raise AssertionError(f"not {what}: {states}\n{self.daemon.tail}")
            self.client.next_event(0.2)

    def until_state(self, timeout: float = PATIENCE_S, **wanted: str) -> None:
        """Wait until servers have these OpStates: ``until_state(web="OK")``."""
        self.until(f"in {wanted}", lambda: wanted.items() <= self.states().items(), timeout)

    def event(self, kind: str, text: str, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for an event of the daemon's whole life so far whose text has the pattern ``text``."""

        def look() -> dict[str, Any] | None:
            found = self.call("events")["events"]
            return next((one for one in found if one["kind"] == kind and re.search(text, one["text"])), None)

        result: dict[str, Any] = self.until(f"an event {kind} {text!r}", look, timeout)
        return result

    # -- switching

    def order(self, action: str, *servers: str, **options: Any) -> int:
        """Begin a run and return its number; confirmations are given."""
        plan = self.call("plan", action=action, servers=list(servers))
        request = {"action": action, "servers": list(servers), "rev": plan["rev"], "confirm": plan["confirm"]}
        return int(self.call("run", **request, **options)["run"])

    def run(self, number: int) -> dict[str, Any]:
        return self.call("getRun", run=number)

    def ended(self, number: int, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Wait for the end of a run and return it."""

        def look() -> dict[str, Any] | None:
            run = self.run(number)
            return run if run["state"] in ENDED else None

        result: dict[str, Any] = self.until(f"at the end of run {number}", look, timeout)
        return result

    def switch(self, action: str, *servers: str, timeout: float = PATIENCE_S) -> dict[str, Any]:
        """Carry out an action to its end, which has to be good."""
        run = self.ended(self.order(action, *servers), timeout)
        assert run["state"] == "done", f"{run}\n{self.daemon.tail}"
        return run

    def steps(self, run: dict[str, Any]) -> dict[str, str]:
        return {step["server"]: step["state"] for step in run["steps"]}


@contextmanager
def site(
    spec: LabSpec,
    folder: Path,
    *,
    plugins: Mapping[str, Options] | None = None,
    main: Options | None = None,
    start: bool = True,
    **files: Any,
) -> Iterator[Site]:
    """A running lab with a site of its own in ``folder`` and, if ``start``, a daemon.

    ``plugins``  name -> options of [plugins.NAME]; ``main``: options of [main]; ``files``: see ``write_site``
    """
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(spec))
        settings: dict[str, dict[str, str]] = {
            "main": {
                "state_dir": str(folder / "state"),
                "poll_interval": "300ms",
                "test_interval": "300ms",
                **(main or {}),
            },
            "plugins.SocketListener": {"port": "0"},
        }
        for name, options in (plugins or {}).items():
            settings.setdefault(f"plugins.{name}", {}).update(options)
        etc = folder / "etc"
        write_site(lab, etc, settings=settings, **files)
        made = Site(lab, etc, stack)
        if start:
            made.start()
        yield made


# -- the verdict of the devices


def dependencies(spec: LabSpec) -> list[tuple[str, str]]:
    """All pairs (server, what it needs)."""
    return [(machine.name, needed) for machine in spec.machines for needed in machine.depends]


def moves(ledger: Ledger, spec: LabSpec, machine: str, closed: bool, after: int = 0) -> list[Entry]:
    """The movements of the contacts that feed ``machine``."""
    supplies = {
        (device, str(outlet)) for one in spec.machines if one.name == machine for device, outlet in one.supplies
    }
    return [
        entry
        for entry in ledger.entries()[after:]
        if entry.kind == "relay" and (entry.device, entry.what) in supplies and entry.detail["closed"] is closed
    ]


def judge_up(ledger: Ledger, spec: LabSpec, pairs: Sequence[tuple[str, str]], after: int = 0) -> None:
    """Assert of every pair that what is needed served before a contact of the server that needs it moved."""
    entries = ledger.entries()[after:]
    for server, needed in pairs:
        served = min((one.t for one in entries if (one.kind, one.device) == ("up", needed)), default=None)
        assert served is not None, f"{needed} never came up"
        first = min(one.t for one in moves(ledger, spec, server, True, after))
        assert served < first, f"{server} got power before {needed} served:\n{ledger.lines()}"


def judge_down(ledger: Ledger, spec: LabSpec, pairs: Sequence[tuple[str, str]], after: int = 0) -> None:
    """Assert that each server was halted before its cut, and cut before anybody asked what it needs to shut down."""
    entries = ledger.entries()[after:]

    def moment(kind: str, device: str) -> float:
        return min(one.t for one in entries if (one.kind, one.device) == (kind, device))

    for server in {name for pair in pairs for name in pair}:
        cut = min(one.t for one in moves(ledger, spec, server, False, after))
        assert moment("shutdown", server) < moment("halted", server) < cut, f"{server} was cut:\n{ledger.lines()}"
    for server, needed in pairs:
        last = max(one.t for one in moves(ledger, spec, server, False, after))
        assert last < moment("shutdown", needed), f"{needed} went before {server} was off:\n{ledger.lines()}"
    assert ledger.cuts_while_mounted() == []
