"""``ockle audit``: who did what, from where, and what became of it."""

from __future__ import annotations

import argparse
import time

from .codes import FAILED, OK
from .connect import connect, parse_count, parse_span
from .output import moment, safe, show, table, tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

ANSWER_S = 60.0


def register(commands: Commands) -> None:
    parser = commands.add(
        "audit",
        run,
        "who did what, from where, and what became of it",
        text="Orders, changes, logins, and what was refused, newest first. Each entry is sealed by the next one, so\n"
        "that none can be changed or left out unseen.",
    )
    parser.add_argument("--who", default="", help="only of users whose name has this in it")
    parser.add_argument("--server", default="", help="only what concerns this server")
    parser.add_argument(
        "--command", default="", dest="wanted", help="only this command of the daemon, such as setServer"
    )
    parser.add_argument("--since", type=parse_span, metavar="TIME", help="only the last, such as 2h")
    parser.add_argument("-n", "--limit", type=parse_count, default=50, help="how many at most (default: 50)")
    parser.add_argument(
        "--check", action="store_true", help="look whether the log is as it was written; exit code 1 if not"
    )


def run(args: argparse.Namespace) -> int:
    request: dict[str, Any] = {"limit": args.limit, "who": args.who, "server": args.server, "command": args.wanted}
    if args.since is not None:
        request["since"] = time.time() - args.since
    if args.check:
        request["check"] = True
    with connect(args) as connection:
        reply = connection.call("audit", request, ANSWER_S)
    entries = reply["entries"]
    rows = [(moment(one["time"]), one["who"], _where(one), _what(one), _outcome(one)) for one in entries]
    text = table(("WHEN", "WHO", "FROM", "WHAT", "RESULT"), rows) or "nothing of that kind"
    show(args, reply if args.check else entries, text, [str(one["id"]) for one in entries])
    if args.check:
        problem = reply["problem"]
        tell(f"ockle: the log was changed: {safe(problem)}" if problem else "the log is as it was written")
    return FAILED if reply.get("problem") else OK


def _where(entry: dict[str, Any]) -> str:
    place = entry["reported"] or entry["address"]
    return f"{entry['via']} {place}".strip()


def _what(entry: dict[str, Any]) -> str:
    run = f" (run {entry['run']})" if entry["run"] else ""
    return f"{entry['command']} {entry['object']}".strip() + run


def _outcome(entry: dict[str, Any]) -> str:
    return f"{entry['result']}: {entry['text']}" if entry["text"] else str(entry["result"])
