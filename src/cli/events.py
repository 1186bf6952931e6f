"""``ockle events`` and ``ockle who``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .codes import OK
from .connect import connect, incoming, parse_count, parse_duration, resolve
from .output import moment, safe, say, sentence, show, table
from .parser import Commands


def register(commands: Commands) -> None:
    parser = commands.add(
        "events", run_events, "what happened", text="With --follow, -o json writes one event per line."
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what happens from now on")
    parser.add_argument("--server", metavar="NAME", help="only of this server")
    parser.add_argument("--since", type=parse_duration, metavar="TIME", help="how far back, such as 1h")
    parser.add_argument(
        "--limit", type=parse_count, metavar="NUMBER", default=50, help="how many at most (default: 50)"
    )
    commands.add("who", run_who, "who is connected to the daemon")


def run_events(args: argparse.Namespace) -> int:
    request: dict[str, Any] = {"limit": args.limit}
    if args.server:
        request["server"] = args.server
    if args.since is not None:
        request["since"] = args.since
    with connect(args) as connection:
        if not args.follow:
            events = connection.call("events", request)["events"]
            if args.server and not events:
                resolve(connection, [args.server])  # one that is gone may have left events; a mistyped one has none
            text = "\n".join(map(_line, events)) or "nothing happened"
            show(args, events, text, dict.fromkeys(event["server"] for event in events if event["server"]))
            return OK
        if args.server:
            resolve(connection, [args.server])
        connection.subscribe(server=args.server or "")
        events = connection.call("events", request)["events"]
        for event in events:
            _write(args, event)
        newest = events[-1]["seq"] if events else 0
        for event in incoming(connection):
            if event["seq"] > newest:  # those in between came both ways
                _write(args, event)
    return OK


def _write(args: argparse.Namespace, event: dict[str, Any]) -> None:
    say(json.dumps(event, ensure_ascii=False) if args.output == "json" else _line(event))


def _line(event: dict[str, Any]) -> str:
    return f"{moment(event['time'])}  {safe(event['kind']):8}  {safe(sentence(event))}"


def run_who(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        clients = connection.call("who")["clients"]
    rows = [
        (
            one["name"],
            one["role"],
            one["via"],
            one["address"],
            moment(one["since"]),
            "yes" if one["subscribed"] else None,
        )
        for one in clients
    ]
    text = table(("NAME", "ROLE", "VIA", "ADDRESS", "SINCE", "EVENTS"), rows)
    show(args, clients, text, [one["name"] for one in clients])
    return OK
