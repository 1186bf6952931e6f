"""``ockle emergency``: everything chosen goes down in order within a time, come what may, and stays down."""

from __future__ import annotations

import argparse
from typing import Any

from ..webserver.ockle_client.plans import MUST_BE_TYPED
from .codes import OK, CliError
from .confirm import confirm
from .connect import connect, parse_span, resolve
from .follow import finish, follow
from .output import duration, moment, safe, show
from .parser import SELECTOR_HELP, Commands
from .switch import describe

CONFIRM = "emergency"
CONFIRM_CLEAR = "clear emergency"


def register(commands: Commands) -> None:
    group = commands.group("emergency", "take servers down within a time, come what may, and keep them down")
    parser = group.add(
        "declare",
        declare,
        "shut servers down in order; each is cut when its share of the time is over",
        text=(
            "What needs them goes down, too. Until it is cleared none of them is switched on, whoever orders it and\n"
            "whatever restarts. A server that is "
            'forced or held is left alone. Wants the word "emergency" typed.'
        ),
    )
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)
    parser.add_argument(
        "--within", type=parse_span, required=True, metavar="TIME", help="when the last of them is off: 5m, 90s"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask; needs --confirm, too")
    parser.add_argument("--confirm", metavar="TEXT", default="", help="what you would have to type")
    parser.add_argument("--no-wait", action="store_true", help="say the number of the run, and leave")
    parser.add_argument("--note", default="", help="why, for the records")
    parser = group.add("clear", clear, "end it; what is off stays off until it is ordered on")
    parser.add_argument(
        "--confirm", metavar="TEXT", default="", help="the text that is asked for when not all of them are down"
    )
    group.add("show", show_it, "whether one is declared, by whom, and who is not down yet")


def declare(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        names = resolve(connection, args.selector)
        plan = connection.call("plan", {"action": "off", "servers": names})
        head = f"Emergency: the last of these is cut {duration(args.within)} from now.\n"
        if (plan.get("total_s") or 0) > args.within:
            head += "That is less than they usually take: what is not down in time is cut while it runs.\n"
        confirm({"tier": MUST_BE_TYPED, "confirm": CONFIRM}, head + describe(plan), yes=args.yes, typed=args.confirm)
        connection.subscribe(["run", "step"])
        data = {"servers": names, "within_s": args.within, **({"note": args.note} if args.note else {})}
        number = str(connection.call("declareEmergency", data)["run"])
        if args.no_wait:
            show(args, {"run": number}, f"run {safe(number)} has started", [number])
            return OK
        return finish(args, follow(connection, number, None))


def clear(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found = connection.call("getEmergency")["emergency"]
        if found and found["not_down"] and not args.confirm:
            left = ", ".join(map(safe, found["not_down"]))
            raise CliError(f"not down yet: {left}; to clear it all the same: --confirm {CONFIRM_CLEAR!r}")
        reply = connection.call("clearEmergency", {"confirm": args.confirm} if args.confirm else {})
    show(args, reply, "the emergency is cleared; order on what shall come back: ockle on all")
    return OK


def show_it(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found = connection.call("getEmergency")["emergency"]
    show(args, found, describe_emergency(found), found["servers"] if found else ())
    return OK


def describe_emergency(found: dict[str, Any] | None) -> str:
    """Return a declared emergency, or that there is none, in words."""
    if found is None:
        return "no emergency is declared"
    note = f": {safe(found['note'])}" if found["note"] else ""
    left = ", ".join(map(safe, found["not_down"])) or "nothing"
    return (
        f"emergency declared by {safe(found['who'])}, {moment(found['since'])}{note}\n"
        f"  still up: {left}; {duration(found['left_s'])} left\n"
        "  its servers stay down until: ockle emergency clear"
    )
