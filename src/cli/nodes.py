"""``ockle nodes``: what machines measure of themselves, and what of it is too much."""

from __future__ import annotations

import argparse
from typing import Any

from .codes import OK, CliError
from .connect import connect
from .output import indented, moment, safe, say, show, table, tell
from .parser import Commands

FIRST = {"cpu_percent": "CPU", "memory_percent": "MEMORY", "disk_percent": "DISK", "temp": "TEMP"}
"""Figures that have a column of their own."""


def register(commands: Commands) -> None:
    parser = commands.add("nodes", run, "what machines measure of themselves, and what of it is too much")
    parser.add_argument("name", nargs="?", metavar="NAME", help="ask this one now, and tell all about it")


def run(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("getNodes")
        found: list[dict[str, Any]] = reply["nodes"]
        if args.name is not None:
            found = [one for one in found if one["name"] == args.name]
            if not found:
                known = ", ".join(safe(one["name"]) for one in reply["nodes"][:20]) or "none"
                raise CliError(f"there is no node {safe(args.name)}; there is: {known}")
            if found[0]["state"] != "off":
                found = [connection.call("askNode", {"node": args.name})]
    show(args, found, _list(found) or "no nodes yet: write etc/monitors/NAME.ini", [one["name"] for one in found])
    if args.output in ("table", "wide"):
        for one in found:
            for line in _more(one, whole=args.name is not None):
                say(line)
        for warning in reply["warnings"]:
            tell(safe(warning))
    return OK


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["name"],
            one["state"],
            moment(one["at"]),
            *(_figure(one["figures"].get(key), key) for key in FIRST),
            ", ".join(limit["key"] for limit in one["limits"] if limit["state"] == "over") or "-",
            one["monitor"],
        )
        for one in found
    ]
    return table(("NODE", "STATE", "ASKED", *FIRST.values(), "BEYOND ITS LIMIT", "MONITOR"), rows)


def _figure(value: float | None, key: str) -> str:
    unit = " %" if key.endswith("_percent") else " °C" if key == "temp" else ""
    return "-" if value is None else f"{value:.0f}{unit}"


def _more(one: dict[str, Any], *, whole: bool) -> list[str]:
    lines = [f"{one['name']}: {one['problem']}"] if one["problem"] else []
    for limit in one["limits"]:
        if whole or limit["state"] != "ok":
            since = f", since {moment(limit['since'])}" if limit["state"] != "ok" and limit["since"] else ""
            value = "not sent" if limit["value"] is None else f"{limit['value']:g}"
            lines.append(f"{one['name']}: {limit['rule']}: {limit['state']}, {value}{since}")
    if whole:
        lines.append(f"asked at {one['url']}")
        lines += [f"{key} = {value:g}" for key, value in one["figures"].items()]
    return [indented(safe(line), 2) for line in lines]
