"""``ockle force``: past the order of the network, so it says who is affected and wants the name of the server typed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.hostranges import fold_names
from ..webserver.ockle_client.connection import Connection
from ..webserver.ockle_client.plans import MUST_BE_TYPED
from .codes import OK
from .confirm import confirm
from .connect import connect, parse_span, resolve
from .output import OFF_WORDS, ON_WORDS, duration, safe, show
from .parser import SELECTOR_HELP, Commands
from .status import ask

FORCE_TIMEOUT_S = 600.0
"""It is answered once the server's switching under way has ended, and the order is in the store."""


def register(commands: Commands) -> None:
    parser = commands.add(
        "force",
        run,
        "switch servers on or off whatever their neighbours do, and keep all automation off them",
        text="Wants the name of the server typed (of several: their number). clear gives them back and asks nothing.",
    )
    parser.add_argument("state", choices=("on", "off", "clear"))
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask; needs --confirm, too")
    parser.add_argument("--confirm", metavar="TEXT", default="", help="what you would have to type")
    parser.add_argument(
        "--for", type=parse_span, metavar="TIME", dest="seconds", help="end it by itself after this time, such as 2h"
    )
    parser.add_argument("--note", default="", help="why, for the records")


def run(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        names = resolve(connection, args.selector)
        if args.state != "clear":
            _agree(args, connection, names)
        data = {"state": args.state, **({"note": args.note} if args.note else {})}
        if args.seconds is not None and args.state != "clear":
            data["for_s"] = args.seconds
        replies = {}
        for name in names:
            agreed = {"confirm": name} if args.state == "off" else {}
            replies[name] = connection.call("force", {"server": name, **data, **agreed}, FORCE_TIMEOUT_S)
    show(args, replies, "\n".join(_said(safe(name), args.state, args.seconds) for name in replies), replies)
    return OK


def _said(name: str, state: str, seconds: float | None) -> str:
    if state == "clear":
        return f"{name} is what is observed again"
    limit = f"for {duration(seconds)}, or " if seconds is not None else ""
    return f"{name} counts as {state} {limit}until: ockle force clear {name}"


def _agree(args: argparse.Namespace, connection: Connection, names: list[str]) -> None:
    """Raise CliError unless the user knows what this does, and wants it."""
    question = {"tier": MUST_BE_TYPED, "confirm": names[0] if len(names) == 1 else str(len(names))}
    text = ""
    if not args.yes:  # who has agreed beforehand is shown nothing
        servers = ask(connection, [])
        bare = [name for name in names if not connection.call("getAvailableServerControls", {"server": name})]
        text = consequences(args.state, names, servers, bare)
    confirm(question, text, yes=args.yes, typed=args.confirm)


def consequences(
    state: str, names: list[str], servers: Mapping[str, Mapping[str, Any]], bare: Iterable[str] = ()
) -> str:
    """Return what forcing ``names`` on or off means for them and for their neighbours.

    ``servers``  all servers by name, as the command ``status`` has them
    ``bare``     those of ``names`` that nothing can shut down
    """
    folded = safe(" ".join(fold_names(names)))
    lines = [f"Force {state} {folded}, at once and whatever the neighbours do:"]
    for name in names:
        lines.append(f"  {safe(name)} is {safe(servers[name]['word'])}")
    if state == "off":
        users = _reach(names, servers, "needed_by", OFF_WORDS)
        lines.append(f"  Still needed by: {_listed(users, servers)}.")
        if users:
            lines.append("  They are not shut down first; they lose what they need.")
        hard = [name for name in names if name in set(bare)]
        soft = [name for name in names if name not in set(bare)]
        if soft:
            lines.append(f"  {safe(' '.join(fold_names(soft)))}: shut down before the power is cut.")
        if hard:
            lines.append(f"  {safe(' '.join(fold_names(hard)))}: no control, so the power is cut without a shutdown.")
    else:
        missing = _reach(names, servers, "needs", ON_WORDS)
        lines.append(f"  Needed, and not on: {_listed(missing, servers)}.")
        if missing:
            lines.append("  They are neither started nor waited for.")
    lines.append(f"Then no automation touches {folded} until: ockle force clear {folded}")
    return "\n".join(lines)


def _reach(
    names: list[str], servers: Mapping[str, Mapping[str, Any]], edge: str, settled: Iterable[str]
) -> dict[str, None]:
    """Return whom ``names`` lead to along ``edge``, nearest first, without those whose state is in ``settled``."""
    seen, todo = dict.fromkeys(names), list(names)
    for name in todo:  # grows while it is walked
        for other in servers[name][edge]:
            if other not in seen and other in servers:
                seen[other] = None
                todo.append(other)
    return {name: None for name in seen if name not in names and servers[name]["word"] not in settled}


def _listed(names: Iterable[str], servers: Mapping[str, Mapping[str, Any]]) -> str:
    return ", ".join(f"{safe(name)} ({safe(servers[name]['word'])})" for name in names) or "nobody"
