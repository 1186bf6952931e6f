"""``ockle ups``: what the UPSes say, and what is done about it."""

from __future__ import annotations

import argparse
from typing import Any

from ..common.hostranges import fold_names
from .codes import OK, CliError
from .connect import connect
from .output import duration, indented, moment, safe, say, show, table, tell
from .parser import Commands


def register(commands: Commands) -> None:
    parser = commands.add("ups", run, "what the UPSes say, what they feed, and what they took down")
    parser.add_argument("name", nargs="?", metavar="NAME", help="all about this one")


def run(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("getUps")
    found: list[dict[str, Any]] = reply["upses"]
    if args.name is not None:
        found = [one for one in found if one["name"] == args.name]
        if not found:
            known = ", ".join(safe(one["name"]) for one in reply["upses"]) or "none"
            raise CliError(f"there is no UPS {safe(args.name)}; there is: {known}")
    show(args, found, _list(found) or "no UPSes yet: write etc/ups/NAME.ini", [one["name"] for one in found])
    if args.output in ("table", "wide"):
        for one in found:
            for line in _more(one, whole=args.name is not None):
                say(line)
        if reply["trouble"]:
            tell(f"not done: {safe(reply['trouble'])}")
    return OK


def _list(found: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["name"],
            one["supply"],
            moment(one["since"]),
            "-" if one["charge"] is None else f"{one['charge']:.0f} %",
            duration(one["runtime_s"]),
            duration(one["shutdown_s"] or None),
            ", ".join(fold_names(one["servers"])),
            ", ".join(fold_names(one["down"])),
        )
        for one in found
    ]
    return table(("UPS", "SUPPLY", "SINCE", "CHARGE", "RUNTIME", "SHUTDOWN", "FEEDS", "TOOK DOWN"), rows)


def _more(one: dict[str, Any], *, whole: bool) -> list[str]:
    lines = [f"{one['name']}: {one['problem']}"] if one["problem"] else []
    lines += [f"{one['name']}: {fired}" for fired in one["fired"]]
    lines += [f"{one['name']}: waits for {one['waits_for']}"] if one["waits_for"] else []
    if whole:
        lines += [f"asked at {one['host']}, says {one['status'] or 'nothing'}"]
        lines += [f"{key} = {value:g}" for key, value in one["figures"].items()]
    return [indented(safe(line), 2) for line in lines]
