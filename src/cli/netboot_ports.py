"""``ockle netboot find-port|map-ports|mapping``: which board hangs on which port of which switch."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ..webserver.ockle_client.connection import Connection
from .codes import ABORTED, FAILED, OK, CliError
from .confirm import confirm
from .connect import connect, parse_span
from .netboot_ask import ask
from .netboot_power import agreeing
from .output import count, safe, show, table, tell
from .parser import Commands

FIND_S = 60.0
LOOK_EVERY_S = 0.5
SETTLED = frozenset({"found", "nothing came", "left out", "failed", "cancelled"})


def register(commands: Commands) -> None:
    parser = commands.add(
        "find-port",
        run_find,
        "at which port of which switch a board hangs",
        text="Asks the PoE switches what they have learned; nothing is switched. An address at two ports is refused.",
    )
    parser.add_argument("board", metavar="BOARD", help="its name, address or MAC address; also one that is unknown")
    parser.add_argument("--pdu", metavar="NAME", default="", help="only this switch")
    parser = commands.add(
        "map-ports",
        run_map,
        "find out who hangs on the ports of a switch, by taking their power away one after the other",
        text="Ports that feed a server are left out. Each port ends as it was, also when this is interrupted. Wants "
        "the name of the switch typed.",
    )
    parser.add_argument("pdu", metavar="SWITCH", help="name of its file in etc/outlets")
    parser.add_argument("port", nargs="*", metavar="PORT", help="3, 2.7 (port 7 of group 2), 1-8; default: all")
    parser.add_argument("--write", action="store_true", help="add who is found to hosts.csv; nobody there is changed")
    parser.add_argument("--wait", type=parse_span, metavar="TIME", help="what a board is given (default: 60s)")
    parser.add_argument("--no-wait", action="store_true", help="start it and leave")
    agreeing(parser)
    parser = commands.add("mapping", run_mapping, "what mapping ports has found so far")
    parser.add_argument("id", nargs="?", type=int, help="of the job (default: the newest)")
    parser.add_argument("--cancel", action="store_true", help="end it; the port in hand gets its power back first")


def run_find(args: argparse.Namespace) -> int:
    with connect(args, FIND_S) as connection:
        question = {"mac": args.board} if _is_mac(args.board) else {"board": args.board}
        found = ask(connection, "netbootFindPort", question | ({"pdu": args.pdu} if args.pdu else {}))
    show(args, found, "\n".join(_found_lines(found)), [f"{found['switch']} {found['poe'] or found['port']}"])
    return OK


def _is_mac(word: str) -> bool:
    from ..common.mac import normalised

    try:
        return bool(normalised(word))
    except ValueError:
        return False


def _found_lines(found: dict[str, Any]) -> list[str]:
    who = f"{safe(found['board'])} ({found['mac']})" if found["board"] else found["mac"]
    alias = f" ({safe(found['alias'])})" if found["alias"] else ""
    lines = [f"{who}: {safe(found['switch'])} {safe(found['port'])}{alias}"]
    poe = found["poe"] or "cannot be told: poe_numbering and poe_map in the switch's file"
    feeds = f", feeds {', '.join(map(safe, found['servers']))}" if found["servers"] else ""
    lines.append(f"  PoE port {poe}{feeds}")
    if found["mismatch"]:
        lines.append(f"  one of the two is wrong: {safe(found['mismatch'])}")
    vlans = f", VLAN {', '.join(map(str, found['vlans']))}" if found["vlans"] else ""
    lines.append(f"  bridge port {found['bridge_port']}, ifIndex {found['if_index'] or '-'}{vlans}")
    if found["macs"] > 1:
        lines.append(f"  {found['macs']} addresses hang there: its power is not only this board's")
    lines += [
        f"  on the way there: {safe(at['switch'])} {safe(at['port'])} ({at['uplink']})" for at in found["elsewhere"]
    ]
    lines += [f"  not asked: {safe(name)}: {safe(why)}" for name, why in found["silent"].items()]
    return lines


def run_map(args: argparse.Namespace) -> int:
    question: dict[str, Any] = {"pdu": args.pdu, "write": args.write}
    question |= {"ports": args.port} if args.port else {}
    question |= {"wait_s": args.wait} if args.wait is not None else {}
    with connect(args, FIND_S) as connection:
        looked = ask(connection, "netbootMapPorts", {**question, "dry_run": True})
        ready = [row for row in looked["rows"] if row["state"] not in SETTLED]
        text = f"This cuts the power of {count(len(ready), 'port')}, one by one:\n{_rows(looked['rows'])}"
        if args.dry_run or not ready:
            show(args, looked, text, [row["at"] for row in ready])
            return OK
        agreed = confirm({"tier": looked["tier"], "confirm": looked["confirm"]}, text, yes=args.yes, typed=args.confirm)
        job = ask(connection, "netbootMapPorts", {**question, "confirm": agreed})
        if not args.no_wait:
            job = follow_mapping(connection, job)
    show(args, job, _rows(job["rows"]), [f"{row['port']} {row['mac']}" for row in job["rows"] if row["mac"]])
    return FAILED if any(row["state"] == "failed" for row in job["rows"]) else OK


def follow_mapping(connection: Connection, job: dict[str, Any]) -> dict[str, Any]:
    """Tell each port as it is done. Raises CliError when the user interrupts: the job goes on."""
    told = {row["at"] for row in job["rows"] if row["state"] in SETTLED}
    try:
        while True:
            job = ask(connection, "netbootMapping", {"id": job["id"]})
            for row in job["rows"]:
                if row["state"] in SETTLED and row["at"] not in told:
                    told.add(row["at"])
                    tell(f"{safe(row['at'])}: {_told(row)}")
            if job["state"] != "running":
                return job
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        goes_on = f"the mapping goes on in the daemon; end it with: ockle netboot mapping {job['id']} --cancel"
        raise CliError(goes_on, ABORTED) from None


def _told(row: dict[str, Any]) -> str:
    return " ".join(safe(row[name]) for name in ("state", "mac", "text") if row[name])


def _rows(rows: list[dict[str, Any]]) -> str:
    cells = ((row["at"], row["state"], row["mac"], row["board"], _note(row)) for row in rows)
    return table(("PORT", "STATE", "MAC", "BOARD", "NOTE"), cells)


def _note(row: dict[str, Any]) -> str:
    return ", ".join(filter(None, (row["text"], "added to the hosts" if row["written"] else "")))


def run_mapping(args: argparse.Namespace) -> int:
    with connect(args, FIND_S) as connection:
        job = ask(connection, "netbootMapping", {"id": args.id} if args.id is not None else {})
        if args.cancel:
            job = ask(connection, "netbootCancelMapping", {"id": job["id"]})
    tell(f"mapping {job['id']} of {safe(job['pdu'])}: {safe(job['state'])}")
    show(args, job, _rows(job["rows"]), [f"{row['port']} {row['mac']}" for row in job["rows"] if row["mac"]])
    return OK
