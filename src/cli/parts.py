"""``ockle outlet``, ``ockle control`` and ``ockle auto``: single parts by hand, and AutoControl's master switch."""

from __future__ import annotations

import argparse
from typing import Any

from ..webserver.ockle_client.plans import MUST_BE_TYPED
from .codes import FAILED, OK
from .confirm import confirm
from .connect import connect
from .output import safe, show, table
from .parser import Commands

LISTS = {"outlet": "getAvailableServerOutlets", "control": "getAvailableServerControls"}
SWITCHES = {"outlet": "switchOutlet", "control": "switchControl"}
SWITCH_TIMEOUT_S = 120.0


def register(commands: Commands) -> None:
    for kind in ("outlet", "control"):
        group = commands.group(kind, f"{kind}s of a server by hand, past the order of the network")
        parser = group.add("list", run_list, f"the {kind}s of a server")
        parser.set_defaults(kind=kind)
        parser.add_argument("server")
        for state in ("on", "off"):
            parser = group.add(state, run_switch, f"switch one {kind} {state}, without the servers that depend on it")
            parser.set_defaults(kind=kind, state=state)
            parser.add_argument("server")
            parser.add_argument("part", metavar=kind.upper(), help=f"name of the {kind} in the server's file")
            parser.add_argument("-y", "--yes", action="store_true", help="do not ask; needs --confirm, too")
            parser.add_argument("--confirm", metavar="TEXT", default="", help="the name of the server")
            if kind == "outlet":
                parser.add_argument("--force", action="store_true", help="even if the server is running")
        if kind == "outlet":
            parser = group.add("check", run_check, "have outlets of a server take a command that changes nothing")
            parser.add_argument("server")
            parser.add_argument("part", metavar="OUTLET", nargs="?", help="name of the outlet; default: all")
    commands.add(
        "resume",
        run_resume,
        "leave safe mode, once a person has looked",
        text="In safe mode the daemon watches and sends nothing: it could not trust its store, or died again and\n"
        "again. ockle doctor says why. Afterwards open runs go on.",
    )
    parser = commands.add("auto", run_auto, "the master switch of AutoControl")
    parser.add_argument("state", choices=("on", "off", "status"))


def run_list(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        parts = connection.call(LISTS[args.kind], {"server": args.server})
    rows = [(name, _text(part)) for name, part in parts.items()]
    show(args, parts, table((args.kind.upper(), "STATE"), rows) or f"no {args.kind}s", parts)
    return OK


def _text(part: Any) -> str:
    """Return what is known of a part in one line; what a device measured stands beside the rest."""
    if not isinstance(part, dict):
        return str(part)
    flat = {**part, **part["data"]} if isinstance(part.get("data"), dict) else part
    return ", ".join(
        f"{key} {value}" for key, value in flat.items() if key != "data" and value not in (None, "", {}, [])
    )


def run_switch(args: argparse.Namespace) -> int:
    what = f"{args.kind} {args.part} of {args.server}"
    question = {"tier": MUST_BE_TYPED, "confirm": args.server, "action": args.state, "steps": []}
    confirm(
        question,
        f"This switches {safe(what)} {args.state} at once, whatever needs it.",
        yes=args.yes,
        typed=args.confirm,
    )
    request: dict[str, Any] = {"server": args.server, "obj": args.part, "state": args.state}
    if getattr(args, "force", False):
        request["force"] = True
    with connect(args) as connection:
        reply = connection.call(SWITCHES[args.kind], request, SWITCH_TIMEOUT_S)
    show(args, reply, f"{safe(what)}: {safe(reply.get('opState', 'done'))}", [args.part])
    return OK


def run_resume(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("resume")
    reason = safe(reply["reason"])
    show(args, reply, f"safe mode was left; it was: {reason}" if reason else "it was not in safe mode")
    return OK


def run_check(args: argparse.Namespace) -> int:
    request = {"server": args.server, **({"obj": args.part} if args.part else {})}
    with connect(args) as connection:
        results = connection.call("checkOutlet", request, SWITCH_TIMEOUT_S)["results"]
    lines = []
    for name, found in results.items():
        lines.append(f"{safe(name)}: {safe(found['message']) or 'it takes commands'}")
        lines += [f"    {safe(line)}" for line in found["device"]]
    show(args, results, "\n".join(lines) or "no outlets", results)
    return FAILED if any(found["message"] for found in results.values()) else OK


def run_auto(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        if args.state == "status":
            reply = connection.call("getAutoControlStatus")
        else:
            reply = connection.call("setAutoControlStatus", {"status": args.state})
    show(args, reply, f"AutoControl is {safe(reply['status'])}", [str(reply["status"])])
    return OK
