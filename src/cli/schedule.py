"""``ockle schedule``: what is switched by itself and when; one of it now; on and off."""

from __future__ import annotations

import argparse
from typing import Any

from . import switch
from .codes import FAILED, OK, CliError
from .connect import connect, parse_count
from .output import moment, safe, show, table, tell
from .parser import Commands


def register(commands: Commands) -> None:
    group = commands.group("schedule", "switch servers on and off at set times")
    group.add("list", run_list, "the schedules, when each comes next, and what became of the last time")
    parser = group.add("next", run_next, "the times to come of all schedules, in order")
    parser.add_argument("name", nargs="?", metavar="NAME", help="only those of this one")
    parser.add_argument(
        "--limit", type=parse_count, metavar="NUMBER", default=10, help="how many to list (default: 10)"
    )
    parser = group.add("run", run_now, "carry one out now, as an order of yours: with its plan and its confirmation")
    parser.add_argument("name", metavar="NAME")
    switch.add_options(parser)
    for word, value, about in (("enable", "true", "have one carried out"), ("disable", "false", "have one rest")):
        parser = group.add(word, run_enable, f"{about}: writes `enabled` into its file")
        parser.set_defaults(value=value)
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("-m", "--message", default="", help="why, for the history")


def _ask(args: argparse.Namespace, upcoming: int = 1) -> list[dict[str, Any]]:
    with connect(args) as connection:
        reply = connection.call("getSchedules", {"next": upcoming})
    if reply["idle"] and args.output != "json":
        tell(f"nothing is carried out now: {safe(reply['idle'])}")
    found: list[dict[str, Any]] = reply["schedules"]
    return found


def _named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for one in found:
        if one["name"] == name:
            return one
    raise CliError(
        f"there is no schedule {safe(name)}; there is: {', '.join(safe(one['name']) for one in found) or 'none'}"
    )


def run_list(args: argparse.Namespace) -> int:
    found = _ask(args)
    rows = [
        (
            one["name"],
            one["action"],
            ", ".join(one["servers"]),
            one["when"] + (f" {one['zone']}" if one["zone"] else ""),
            _next(one),
            _last(one["last"]),
        )
        for one in found
    ]
    text = table(("SCHEDULE", "DO", "SERVERS", "WHEN", "NEXT", "LAST"), rows)
    show(args, found, text or "no schedules yet: write etc/schedules/NAME.ini", [one["name"] for one in found])
    for one in found:
        if one["problem"] and args.output != "json":
            tell(f"{safe(one['name'])}: {safe(one['problem'])}")
    return OK


def _next(one: dict[str, Any]) -> str:
    if not one["enabled"]:
        return "disabled"
    return moment(one["next"][0]) if one["next"] else "never"


def _last(last: dict[str, Any] | None) -> str:
    if last is None:
        return "-"
    return f"{moment(last['due'])} {last['what']}" + (f", run {last['run']}" if last["run"] else "")


def run_next(args: argparse.Namespace) -> int:
    found = _ask(args, args.limit)
    if args.name is not None:
        found = [_named(found, args.name)]
    coming = sorted(
        (when, one["name"], one["action"], ", ".join(one["servers"])) for one in found for when in one["next"]
    )
    coming = coming[: args.limit]
    text = table(("WHEN", "SCHEDULE", "DO", "SERVERS"), [(moment(when), *rest) for when, *rest in coming])
    data = [{"when": when, "schedule": name, "action": action} for when, name, action, _servers in coming]
    show(args, data, text or "nothing is to come", [name for _when, name, *_rest in coming])
    return OK


def run_now(args: argparse.Namespace) -> int:
    one = _named(_ask(args), args.name)
    if not one["names"]:
        raise CliError(f"{safe(args.name)}: {safe(one['problem'] or 'it is for nobody')}", FAILED)
    args.action, args.now, args.selector, args.exclude = one["action"], False, one["names"], one["exclude"]
    args.note = args.note or f"schedule {args.name}"
    return switch.run(args)


def run_enable(args: argparse.Namespace) -> int:
    from .config import changed, open_store

    if not args.etc:
        _named(_ask(args, 0), args.name)
    with open_store(args) as store:
        reply = store.set(f"schedules/{args.name}.ini", "schedule", "enabled", args.value, args.message)
    return changed(args, reply)
