"""``ockle demo``: a virtual lab in this process and a real daemon in another, which powers the lab's network up."""

from __future__ import annotations

import argparse
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from ..webserver.ockle_client.connection import DEFAULT_PORT
from .codes import FAILED, OK, CliError
from .demo_daemon import HOST, DemoDaemon
from .demo_gui import USUAL_PORT, DemoGui
from .demo_view import make_view, next_steps, proof, timeline
from .follow import ENDED, recap
from .output import clock, moment, safe, say, sentence, tell

if TYPE_CHECKING:
    from ..simulator.lab import Lab
    from ..simulator.receiver import Receiver

RUN_TIMEOUT_S = 600.0


def demo(args: argparse.Namespace) -> int:
    """Run the demonstration; Ctrl-C and SIGTERM take everything down again."""
    try:
        from ..simulator.example import SITE, example_spec
        from ..simulator.lab import Lab
        from ..simulator.netboot_example import add_boot_server, netboot_spec, plug_stranger
        from ..simulator.receiver import Receiver
        from ..simulator.relocate import copy_site
    except ImportError as error:
        raise CliError(f"the lab needs {error.name}: pip install 'ockle[demo]'") from error

    port = _free_port(args.port, DEFAULT_PORT)
    with ExitStack() as stack:
        stack.enter_context(_one_interrupt())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ockle-demo-")))
        tell("starting the virtual lab ...")
        lab = stack.enter_context(Lab(netboot_spec(args.speed) if args.netboot else example_spec(args.speed)))
        settings = {
            "main": {"state_dir": str(folder / "state")},
            "plugins.SocketListener": {"host": HOST, "port": str(port)},
            "plugins.Alerts": {"confirm": "5s", "settle": "5s", "site_name": "demo"},  # nobody waits for a minute here
            "web": {"local_role": "admin"},  # whoever started the demo may press its buttons
        }
        copy_site(SITE, folder / "etc", lab, settings)
        receiver = stack.enter_context(Receiver())
        receiver.add_channel(folder / "etc")
        if args.netboot:
            add_boot_server(folder / "etc", lab)
        daemon = stack.enter_context(DemoDaemon(folder, port))
        try:
            daemon.wait_until_ready()
            if args.netboot:
                plug_stranger(lab)
            url = ""
            if not (args.exit_when_up or args.exit_when_down):
                url = stack.enter_context(DemoGui(folder, port, _free_port(args.gui_port, USUAL_PORT))).url
            return _play(args, daemon, lab, receiver, port, url)
        except KeyboardInterrupt:
            tell("\ntaking everything down ...")
            return OK


def _play(args: argparse.Namespace, daemon: DemoDaemon, lab: Lab, receiver: Receiver, port: int, url: str) -> int:
    if url:
        tell(f"the GUI is at {url}")
    plan, run = _power(daemon, "on")
    say(timeline(plan, run, show_ratio=False))
    if run["state"] != "done":
        tell(recap(run))
        return FAILED
    if not (args.exit_when_up or args.exit_when_down):
        say(timeline(plan, run, only_ratio=True))
        say(next_steps(port, url))
        _stay(daemon, receiver)
    code = OK
    if args.exit_when_down:
        _plan, down = _power(daemon, "off")
        say(recap(down))
        text, clean = proof(lab.ledger)
        say(text)
        code = OK if clean and down["state"] == "done" else FAILED
    say(timeline(plan, run, only_ratio=True))
    return code


def _power(daemon: DemoDaemon, action: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Turn everything on or off, show how that goes, and return the plan and the finished run."""
    servers = daemon.look("select", {"selector": ["all"]})["servers"]
    plan = daemon.look("plan", {"action": action, "servers": servers})
    order = {"action": action, "servers": servers, "confirm": plan.get("confirm", ""), "note": "demo"}
    number = daemon.order("run", order)["run"]
    deadline = time.monotonic() + RUN_TIMEOUT_S
    with make_view(action) as view:
        while True:
            run = daemon.look("getRun", {"run": number})
            view.update(run, daemon.look("status")["servers"])
            if run["state"] in ENDED:
                return plan, run
            if time.monotonic() > deadline:
                raise CliError(f"run {safe(number)} has not ended within {clock(RUN_TIMEOUT_S)}", FAILED)
            if daemon.next_event(0.5):
                while daemon.next_event(0.05):  # what comes in a burst is shown at once
                    pass


def _stay(daemon: DemoDaemon, receiver: Receiver) -> NoReturn:
    """Show what happens until the user has seen enough and interrupts, or the daemon ends: that raises CliError."""
    while True:
        while (alert := receiver.next()) is not None:
            say(alert_line(alert))
        event = daemon.next_event(1.0)
        if event and event["kind"] == "state":
            say(f"{moment(event['time'])}  {safe(sentence(event))}")


def alert_line(alert: dict[str, Any]) -> str:
    """Return what came to the receiver, for reading; anybody on this machine can post to it."""
    try:
        words = "; ".join((alert["title"], *alert["lines"]))
        return f"{moment(alert['at'])}  alert, {safe(alert['severity'])}: {safe(words)}"
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return "something that is no alert came to the receiver"


def _free_port(wanted: int, usual: int) -> int:
    """Return ``wanted``, or for 0 the usual port when nobody has it, so that nothing need be typed, or any."""
    for port in (wanted,) if wanted else (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CliError(
        f"port {wanted} of {HOST} is taken; without --port a free one is found" if wanted else "no free port", FAILED
    )


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
