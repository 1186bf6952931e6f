"""``ockle user``: who may log in. Passwords come from the terminal or from stdin, never from the command line."""

from __future__ import annotations

import argparse
import sys

from ..webserver.ockle_client.plans import MUST_BE_TYPED
from .codes import ABORTED, OK, CliError
from .confirm import confirm
from .connect import connect
from .output import moment, safe, say, show, table
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

ROLES = ("viewer", "operator", "admin")
ROLES_HELP = "viewer looks, operator also switches, admin does everything"


def register(commands: Commands) -> None:
    group = commands.group("user", "who may log in to the web GUI, and as what")
    group.add("list", run_list, "the users")
    parser = group.add("add", run_add, "add a user; asks for a password, or reads it from stdin")
    parser.add_argument("name")
    parser.add_argument("--role", choices=ROLES, default="viewer", help=f"{ROLES_HELP}; default: viewer")
    parser = group.add("passwd", run_password, "give a user a new password; asks for it, or reads it from stdin")
    parser.add_argument("name")
    parser = group.add("role", run_role, "give a user another role", text="Logins of that user end.")
    parser.add_argument("name")
    parser.add_argument("role", choices=ROLES, help=ROLES_HELP)
    for verb, about in (("disable", "keep a user out, tokens too"), ("enable", "let a disabled user in again")):
        parser = group.add(verb, run_disable, about)
        parser.set_defaults(disabled=verb == "disable")
        parser.add_argument("name")
    parser = group.add("remove", run_remove, "remove a user, with all tokens")
    parser.add_argument("name")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask; needs --confirm, too")
    parser.add_argument("--confirm", metavar="TEXT", default="", help="the name of the user")
    group.add("setup-code", run_code, "the code that the web GUI asks for as long as there is no admin")


def run_list(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        users = connection.call("users")["users"]
    rows = [
        (
            one["name"],
            one["role"],
            "disabled" if one["disabled"] else "",
            one["sessions"],
            one["tokens"],
            moment(one["created"]),
        )
        for one in users
    ]
    text = table(("USER", "ROLE", "", "LOGINS", "TOKENS", "SINCE"), rows) or "no users yet: ockle user add NAME"
    show(args, users, text, [one["name"] for one in users])
    return OK


def run_add(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        connection.connect()  # before a password is typed in vain
        request = {"user": args.name, "role": args.role, "password": read_password(args.name)}
        user = connection.call("userAdd", request)
    show(args, user, f"{safe(user['name'])} may log in as {user['role']}", [user["name"]])
    return OK


def run_password(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        connection.connect()
        user = connection.call("userChange", {"user": args.name, "password": read_password(args.name)})
    show(args, user, f"{safe(user['name'])} has a new password; all logins have ended", [user["name"]])
    return OK


def run_role(args: argparse.Namespace) -> int:
    return _change(args, {"role": args.role}, f"is {args.role}; all logins have ended")


def run_disable(args: argparse.Namespace) -> int:
    what = "cannot log in any more; all logins have ended" if args.disabled else "may log in again"
    return _change(args, {"disabled": args.disabled}, what)


def _change(args: argparse.Namespace, change: dict[str, Any], what: str) -> int:
    with connect(args) as connection:
        user = connection.call("userChange", {"user": args.name, **change})
    show(args, user, f"{safe(user['name'])} {what}", [user["name"]])
    return OK


def run_remove(args: argparse.Namespace) -> int:
    question = {"tier": MUST_BE_TYPED, "confirm": args.name, "action": "remove", "steps": []}
    text = f"This removes {safe(args.name)} and all tokens of that user. The audit log keeps what they did."
    confirm(question, text, yes=args.yes, typed=args.confirm)
    with connect(args) as connection:
        reply = connection.call("userRemove", {"user": args.name})
    show(args, reply, f"{safe(reply['user'])} is removed", [reply["user"]])
    return OK


def run_code(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("setupCode")
    show(args, reply, reply["code"], [reply["code"]])
    return OK


def read_password(name: str) -> str:
    """Return a password: typed twice at a terminal, else the first line of stdin. Raises CliError."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CliError("no password on stdin")
        return password
    import getpass

    try:
        password = getpass.getpass(f"New password for {safe(name)}: ")
        if getpass.getpass("The same again: ") != password:
            raise CliError("the two are not the same", ABORTED)
    except EOFError:
        say()
        raise CliError("no password", ABORTED) from None
    return password
