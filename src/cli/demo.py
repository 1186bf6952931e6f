"""``ockle demo``: a virtual lab in this process and a real daemon in another, which powers the lab's network up."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..webserver.ockle_client.connection import DEFAULT_PORT, ClientError, Connection, ConnectionFailed
from .codes import FAILED, OK, CliError
from .demo_view import make_view, next_steps, proof, timeline
from .follow import ENDED, recap
from .output import clock, moment, safe, say, sentence, tell

if TYPE_CHECKING:
    from ..simulator.lab import Lab

READY_TIMEOUT_S = 60.0
RUN_TIMEOUT_S = 600.0
STOP_TIMEOUT_S = 20.0
LOG_LINES = 15
HOST = "127.0.0.1"


def demo(args: argparse.Namespace) -> int:
    """Run the demonstration; Ctrl-C and SIGTERM take everything down again."""
    try:
        from ..simulator.example import SITE, example_spec
        from ..simulator.lab import Lab
        from ..simulator.relocate import copy_site
    except ImportError as error:
        raise CliError(f"the lab needs {error.name}: pip install 'ockle[demo]'") from error

    port = args.port or _free_port()
    with ExitStack() as stack:
        stack.enter_context(_one_interrupt())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ockle-demo-")))
        tell("starting the virtual lab ...")
        lab = stack.enter_context(Lab(example_spec(args.speed)))
        etc = folder / "etc"
        settings = {
            "main": {"state_dir": str(folder / "state")},
            "plugins.SocketListener": {"host": HOST, "port": str(port)},
        }
        copy_site(SITE, etc, lab, settings)
        log = folder / "daemon.log"
        child = stack.enter_context(_daemon(etc, log))
        with Connection(HOST, port, via="cli", user="demo") as connection:
            try:
                _wait_until_ready(child, connection, log)
                return _play(args, child, connection, lab, port)
            except KeyboardInterrupt:
                tell("\ntaking everything down ...")
                return OK
            except ConnectionFailed as error:
                raise CliError(f"the daemon went away: {error}\n{_tail(log)}", FAILED) from error


def _play(args: argparse.Namespace, child: subprocess.Popen[bytes], connection: Connection, lab: Lab, port: int) -> int:
    connection.subscribe(["run", "step", "state"])
    plan, run = _power(connection, "on")
    say(timeline(plan, run, show_ratio=False))
    if run["state"] != "done":
        tell(recap(run))
        return FAILED
    if not (args.exit_when_up or args.exit_when_down):
        say(timeline(plan, run, only_ratio=True))
        say(next_steps(port))
        _stay(child, connection)
        return OK
    code = OK
    if args.exit_when_down:
        _plan, down = _power(connection, "off")
        say(recap(down))
        text, clean = proof(lab.ledger)
        say(text)
        code = OK if clean and down["state"] == "done" else FAILED
    say(timeline(plan, run, only_ratio=True))
    return code


def _power(connection: Connection, action: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn everything on or off, show how that goes, and return the plan and the finished run."""
    servers = connection.call("select", {"selector": ["all"]})["servers"]
    plan = connection.call("plan", {"action": action, "servers": servers})
    order = {"action": action, "servers": servers, "confirm": plan.get("confirm", ""), "note": "demo"}
    number = connection.call("run", order)["run"]
    deadline = time.monotonic() + RUN_TIMEOUT_S
    with make_view(action) as view:
        while True:
            run = connection.call("getRun", {"run": number})
            view.update(run, connection.call("status")["servers"])
            if run["state"] in ENDED:
                return plan, run
            if time.monotonic() > deadline:
                raise CliError(f"run {safe(number)} has not ended within {clock(RUN_TIMEOUT_S)}", FAILED)
            if connection.next_event(0.5):
                while connection.next_event(0.05):  # what comes in a burst is shown at once
                    pass


def _stay(child: subprocess.Popen[bytes], connection: Connection) -> None:
    """Show what happens until the user has seen enough."""
    while child.poll() is None:
        event = connection.next_event(1.0)
        if event and event["kind"] == "state":
            say(f"{moment(event['time'])}  {safe(sentence(event))}")
    raise CliError(f"the daemon ended with exit code {child.returncode}", FAILED)


@contextmanager
def _daemon(etc: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon on ``etc``; at the end it is asked to stop, and stopped if it does not."""
    # the child finds the package where this process found it: checkout, install or one-file build
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for name in ("NOTIFY_SOCKET", "STATE_DIRECTORY", "OCKLE_HOST", "OCKLE_TOKEN"):
        environment.pop(name, None)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "ockle", "daemon", "--etc", str(etc)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process, which then stops the daemon in order
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                tell("the daemon does not stop; it is killed")
                child.kill()
                child.wait()


def _wait_until_ready(child: subprocess.Popen[bytes], connection: Connection, log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            connection.call("status")
            return
        except ConnectionFailed:
            connection.close()
        except ClientError as error:  # it listens, but core is still registering its commands
            if error.code != "unknown_command":
                raise
        try:
            code = child.wait(0.1)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
            raise CliError(f"the daemon is not ready after {clock(READY_TIMEOUT_S)}\n{_tail(log)}", FAILED) from None
        raise CliError(f"the daemon ended with exit code {code}\n{_tail(log)}", FAILED)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join(map(safe, lines))


def _free_port() -> int:
    """Return the usual port when nobody has it, so that no --host need be typed; any free one otherwise."""
    for port in (DEFAULT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CliError("no free port on 127.0.0.1", FAILED)


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Have the first SIGINT or SIGTERM raise KeyboardInterrupt, and later ones leave the taking down alone."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in former:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
