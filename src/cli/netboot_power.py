"""``ockle netboot restart|reinstall|keep``: boards and their power, with the questions that ``ockle restart`` asks."""

from __future__ import annotations

import argparse
from typing import Any

from ..webserver.ockle_client.connection import ClientError, Connection
from .codes import ABORTED, OK, CliError
from .confirm import confirm
from .connect import connect
from .follow import finish, follow
from .netboot_ask import ask
from .output import safe, say, show, tell
from .parser import Commands, Parser
from .switch import describe

ORDER_S = 120.0
"""A board without a server is restarted before the daemon answers."""


def register(commands: Commands) -> None:
    parser = commands.add(
        "restart",
        run_restart,
        "restart boards",
        text="A board that is a server is shut down and started by `ockle restart`, with what needs it. One without a "
        "server loses its power for a moment, at the port where it was found: that wants its name typed.",
    )
    parser.add_argument("board", nargs="+", metavar="BOARD", help="its name, MAC address or address")
    _force(parser)
    agreeing(parser)
    _following(parser)
    parser = commands.add(
        "reinstall",
        run_reinstall,
        "have a board formatted and installed anew",
        text="Marks it, then restarts it. The mark is used up when the installation begins, and stays if the restart "
        "fails: the board is installed at its next boot then. Wants the name of the board typed.",
    )
    parser.add_argument("board", metavar="BOARD", help="its name, MAC address or address")
    parser.add_argument("--image", metavar="FILE", default="", help="root file system (default: as its profile says)")
    parser.add_argument("--no-power", action="store_true", help="only mark it: it is installed at its next boot")
    _force(parser)
    agreeing(parser)
    _following(parser)
    parser = commands.add("keep", run_keep, "take back that boards are to be installed anew")
    parser.add_argument("board", nargs="+", metavar="BOARD", help="its name, MAC address or address")


def agreeing(parser: Parser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only show what it would do")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--confirm", metavar="TEXT", default="", help="what you would have to type when much is at stake; with --yes"
    )


def _force(parser: Parser) -> None:
    parser.add_argument(
        "--force", action="store_true", help="also a board without a server that no switch sees at its port now"
    )


def _following(parser: Parser) -> None:
    parser.add_argument("--no-wait", action="store_true", help="start it, say the number of the run, and leave")


def run_restart(args: argparse.Namespace) -> int:
    return _carry_out(args, "netbootRestart", {"boards": args.board}, "")


def run_reinstall(args: argparse.Namespace) -> int:
    question = {"board": args.board, "image": args.image or None, "power": not args.no_power}
    what = f"This formats the disk of {safe(args.board)} and installs {safe(args.image) or 'its image'}."
    return _carry_out(
        args, "netbootReinstall", {key: value for key, value in question.items() if value is not None}, what
    )


def _carry_out(args: argparse.Namespace, command: str, question: dict[str, Any], what: str) -> int:
    """Look, ask, order, follow."""
    if args.force:
        question["force"] = True
    with connect(args, ORDER_S) as connection:
        looked = ask(connection, command, {**question, "dry_run": True})
        plan = looked["plan"]
        text = "\n".join(filter(None, (what, describe(plan) if plan else "")))
        if args.dry_run:
            show(args, looked, text)
            return OK
        agreed = confirm({**(plan or {}), "tier": looked["tier"], "confirm": looked["confirm"]}, text, **_given(args))
        connection.subscribe(["run", "step"])  # before it begins: nothing of it is missed
        done = _order(connection, command, question | {"confirm": agreed} | _seen(plan))
        if done.get("mark"):
            tell(f"{safe(args.board)} is marked to be installed anew")
        number = done.get("run")
        if number is not None and not args.no_wait:
            return finish(args, follow(connection, str(number), None))
    at = f"its power was off for a moment, at {safe(done.get('cycled'))}" if done.get("cycled") else ""
    started = f"run {number} has started; follow it with: ockle runs {number} --follow" if number is not None else ""
    show(args, done, started or at, [str(number)] if number is not None else [])
    return OK


def _given(args: argparse.Namespace) -> dict[str, Any]:
    return {"yes": args.yes, "typed": args.confirm}


def _seen(plan: dict[str, Any] | None) -> dict[str, Any]:
    return {"rev": plan["rev"]} if plan and "rev" in plan else {}


def _order(connection: Connection, command: str, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return connection.call(command, order)
    except ClientError as error:
        if error.code == "conflict":
            raise CliError(f"{safe(error.message)}: nothing was started", ABORTED) from error
        raise


def run_keep(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        for board in args.board:
            found = ask(connection, "netbootKeep", {"board": board})
            was = "is no longer" if found["dropped"] else "was not"
            say(f"{safe(found['board'])} {was} marked to be installed anew")
    return OK
