"""``ockle test``, ``hold``, ``reset`` and ``wait``: what one does with single servers."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from ..webserver.ockle_client.connection import Connection
from .codes import FAILED, OK, TIMEOUT, CliError
from .connect import connect, parse_duration, resolve
from .output import FAILED_WORDS, OFF_WORDS, ON_WORDS, safe, show, table
from .parser import SELECTOR_HELP, Commands
from .status import ask, folded

TEST_TIMEOUT_S = 120.0
GOALS: dict[str, frozenset[str]] = {"on": ON_WORDS, "off": OFF_WORDS, "failed": FAILED_WORDS}


def register(commands: Commands) -> None:
    parser = commands.add("test", run_test, "run the tests of servers now")
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)
    parser.add_argument("--only", metavar="TEST", help="only the test of this name")
    parser = commands.add("hold", run_hold, "take servers out of the daemon's hands, or give them back")
    parser.add_argument("--release", action="store_true", help="give them back")
    _targets(parser)
    parser = commands.add(
        "reset", run_reset, 'forget the failed attempts of servers that "gave up": they are tried again'
    )
    _targets(parser, note=False)
    parser = commands.add("wait", run_wait, "wait until servers are on, off or failed")
    parser.add_argument("--for", dest="goal", required=True, choices=tuple(GOALS))
    parser.add_argument("--timeout", type=parse_duration, metavar="TIME", help="give up after this time, such as 10m")
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)


def _targets(parser: argparse.ArgumentParser, note: bool = True) -> None:
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)
    if note:
        parser.add_argument("--note", default="", help="why, for the records")


def run_test(args: argparse.Namespace) -> int:
    request = {"obj": args.only} if args.only else {}
    with connect(args) as connection:
        answers = {
            name: connection.call("runTest", {"server": name, **request}, TEST_TIMEOUT_S)["results"]
            for name in resolve(connection, args.selector)
        }
    rows = [
        (server, test, result["state"], f"{result.get('seconds') or 0:.2f} s", result.get("message"))
        for server, results in answers.items()
        for test, result in results.items()
    ]
    bad = {row[0] for row in rows if str(row[2]).casefold() != "succeeded"}
    text = table(("SERVER", "TEST", "RESULT", "TOOK", "MESSAGE"), rows) or "no tests"
    show(args, answers, text, [name for name in answers if name not in bad])
    return FAILED if bad else OK


def _each(args: argparse.Namespace, command: str, data: dict[str, Any], said: Callable[[str], str]) -> int:
    """Send ``command`` for every selected server; the first refusal ends it."""
    with connect(args) as connection:
        replies = {
            name: connection.call(command, {"server": name, **data}) for name in resolve(connection, args.selector)
        }
    show(args, replies, "\n".join(said(safe(name)) for name in replies), replies)
    return OK


def run_hold(args: argparse.Namespace) -> int:
    data = {"held": not args.release, **({"note": args.note} if args.note else {})}
    if args.release:
        return _each(args, "hold", data, lambda name: f"{name} is in the daemon's hands again")
    return _each(args, "hold", data, lambda name: f"{name} is left alone until: ockle hold --release {name}")


def run_reset(args: argparse.Namespace) -> int:
    return _each(args, "reset", {}, lambda name: f"{name}: attempts forgotten")


def run_wait(args: argparse.Namespace) -> int:
    deadline = None if args.timeout is None else time.monotonic() + args.timeout
    with connect(args) as connection:
        connection.subscribe(["state", "force", "config"])
        names = resolve(connection, args.selector)
        while True:
            servers = ask(connection, names)
            words = {server["word"] for server in servers.values()}
            if words <= GOALS[args.goal]:
                show(args, servers, folded(servers), servers)
                return OK
            if args.goal != "failed" and "gave up" in words:
                show(args, servers, folded(servers), servers)
                return FAILED
            _next(connection, deadline, args)


def _next(connection: Connection, deadline: float | None, args: argparse.Namespace) -> None:
    """Wait for something to happen; ask the daemon for a sign of life now and then."""
    wait = 30.0 if deadline is None else min(30.0, deadline - time.monotonic())
    if wait <= 0:
        raise CliError(f"not {args.goal} in time", TIMEOUT)
    connection.next_event(wait)
