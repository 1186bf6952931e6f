"""``ockle alert channels`` and ``ockle alert test``: how alerts get out, and whether they do."""

from __future__ import annotations

import argparse
from typing import Any

from .codes import FAILED, OK, CliError
from .connect import connect
from .output import emit_json, moment, safe, say, show, table
from .parser import Commands

LONGEST_S = 210.0
"""A little longer than the daemon waits for a channel."""


def register(group: Commands) -> None:
    """Add the commands to the group ``alert``."""
    group.add("channels", run_channels, "the channels, what waits for each, and what is wrong with it")
    parser = group.add(
        "test",
        run_test,
        "send a test message through a channel at once, and tell what the receiver said",
        text="Exit code: 0 when all took it, 1 when one did not.",
    )
    parser.add_argument("channel", nargs="?", metavar="CHANNEL", help="default: all that are enabled")


def run_channels(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found: list[dict[str, Any]] = connection.call("getChannels")["channels"]
    rows = [
        (
            one["name"],
            one["type"],
            _state(one),
            one["waiting"],
            one["lost"],
            moment(one["sent_at"]),
            one["comment"],
        )
        for one in found
    ]
    heads = ("CHANNEL", "TYPE", "STATE", "WAITING", "LOST", "LAST SENT", "COMMENT")
    show(
        args,
        found,
        table(heads, rows) or "no channels yet: write etc/channels/NAME.ini",
        [one["name"] for one in found],
    )
    if args.output in ("table", "wide"):
        for one in found:
            if one["problem"]:
                say(f"{safe(one['name'])}: {safe(one['problem'])}")
    return OK


def _state(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        return "disabled"
    if one["problem"]:
        return "refused" if one["refused"] else "failing"
    return f"quiet until {moment(one['quiet_until'])}" if one["quiet_until"] is not None else "ready"


def run_test(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        names = [args.channel] if args.channel else _enabled(connection.call("getChannels")["channels"])
        results = [connection.call("testChannel", {"channel": name}, LONGEST_S) for name in names]
    if args.output == "json":
        emit_json(results)
    else:
        for one in results:
            word = "sent" if one["ok"] else "NOT SENT"
            say(f"{safe(one['channel'])}: {word}{': ' if one['text'] else ''}{safe(one['text'])}")
    return OK if all(one["ok"] for one in results) else FAILED


def _enabled(found: list[dict[str, Any]]) -> list[str]:
    names = [one["name"] for one in found if one["enabled"]]
    if not names:
        raise CliError("no channel is enabled" if found else "no channels yet: write etc/channels/NAME.ini")
    return names
