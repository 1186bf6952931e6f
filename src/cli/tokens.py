"""``ockle token``: secrets by which programs log in."""

from __future__ import annotations

import argparse

from .codes import OK, CliError
from .connect import connect, parse_span
from .output import moment, safe, say, show, table, tell
from .parser import Commands
from .users import ROLES

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

DAY_S = 86400.0


def register(commands: Commands) -> None:
    group = commands.group("token", "tokens by which programs log in, to the API and to the daemon")
    group.add("list", run_list, "the tokens, without their secrets")
    parser = group.add(
        "add",
        run_add,
        "make a token and print it, this once",
        text="It never may more than its user, and ends with the user. Programs send it as\n"
        "Authorization: Bearer TOKEN, the command line takes it from --token-file or OCKLE_TOKEN.",
    )
    parser.add_argument("name", help="what it is for")
    parser.add_argument("--user", required=True, help="whose it is")
    parser.add_argument("--role", choices=ROLES, help="the most it may do; default: what the user may")
    parser.add_argument(
        "--for", type=_days, metavar="TIME", dest="seconds", help="how long it is good, such as 90d or 12h"
    )
    parser = group.add("remove", run_remove, "remove a token; connections that use it lose their role at once")
    parser.add_argument("token", metavar="ID", help="its id, or USER/NAME")


def run_list(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        tokens = connection.call("tokens")["tokens"]
    rows = [
        (
            one["id"],
            f"{one['user']}/{one['name']}",
            one["role"],
            _used(one),
            moment(one["expires"]) if one["expires"] else "never",
        )
        for one in tokens
    ]
    show(
        args,
        tokens,
        table(("ID", "USER/NAME", "ROLE", "LAST USED", "ENDS"), rows) or "no tokens",
        [one["id"] for one in tokens],
    )
    return OK


def _used(token: dict[str, Any]) -> str:
    return moment(token["last_used"]) if token["last_used"] else "never"


def run_add(args: argparse.Namespace) -> int:
    request = {"name": args.name, "user": args.user, "role": args.role, "expires_s": args.seconds}
    with connect(args) as connection:
        token = connection.call("tokenAdd", {name: value for name, value in request.items() if value is not None})
    if args.output == "table":
        tell(f"{safe(token['user'])}/{safe(token['name'])}, {token['role']}; it is not shown again:")
        say(token["token"])
    else:
        show(args, token, token["token"], [token["token"]])
    return OK


def run_remove(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found = [
            one
            for one in connection.call("tokens")["tokens"]
            if args.token in (one["id"], f"{one['user']}/{one['name']}")
        ]
        if not found:
            raise CliError(f"there is no token {safe(args.token)} (ockle token list shows them all)")
        connection.call("tokenRemove", {"id": found[0]["id"]})
    show(args, found[0], f"{safe(found[0]['user'])}/{safe(found[0]['name'])} is removed", [found[0]["id"]])
    return OK


def _days(text: str) -> float:
    """Return seconds from ``90d``, or as ``parse_span`` does. For argparse."""
    days = text.removesuffix("d")
    if days != text and days.isascii() and days.isdigit() and 0 < int(days[:6]) == int(days[:9]):
        return int(days) * DAY_S
    return parse_span(text)
