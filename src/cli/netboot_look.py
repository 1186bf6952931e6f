"""``ockle netboot status|boards|log|leases|unknown``: what the boot server does and how far the boards have come."""

from __future__ import annotations

import argparse
import json
import time

from .codes import NOT_ON, OK
from .connect import connect, parse_count
from .netboot_ask import ask, percent
from .output import STATES, check_reader, coloured, count, moment, safe, say, show, table, tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

    from ..webserver.ockle_client.connection import Connection

LOOK_EVERY_S = 0.5
WORDS = {"booted": "on", "up": "on", "failed": "gave up", "new": "not started", "formatting": "switching off"}
"""Stage -> the state of a server whose glyph and colour it has; all others are on their way up."""


def register(commands: Commands) -> None:
    commands.add(
        "status", run_status, "whether the boot server runs, and what it is doing", text="Exit code 7: it does not run."
    )
    commands.add(
        "boards", run_boards, "every board: how far it has come, where it is", text="With -o wide: what it is, too."
    )
    parser = commands.add("log", run_log, "what a board said and did while it booted and installed itself")
    parser.add_argument("board", metavar="BOARD", help="its name, MAC address or address")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what it says from now on")
    parser.add_argument("-n", "--lines", type=parse_count, metavar="NUMBER", default=50, help="how many (default: 50)")
    commands.add("leases", run_leases, "which address is whose")
    parser = commands.add("unknown", run_unknown, "who asks for an address and is no host")
    parser.add_argument("--forget", action="store_true", help="empty the list; who asks again is in it again")


def run_status(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        status = ask(connection, "netbootStatus")
    show(args, status, "\n".join(_status_lines(status)), [one["name"] for one in status["services"] if one["running"]])
    return OK if status["running"] else NOT_ON


def _status_lines(status: dict[str, Any]) -> list[str]:
    running = [safe(one["name"]) for one in status["services"] if one["running"]]
    lines = []
    if status["running"]:
        lines.append(f"the boot server serves {', '.join(running)} on {safe(status['interface'])} {status['address']}")
    else:
        lines.append("the boot server does not run")
    lines += [f"{safe(one['name'])}: {safe(one['problem'])}" for one in status["services"] if one["problem"]]
    if status["problem"]:
        lines.append(f"problem: {safe(status['problem'])}")
    boards = ", ".join(f"{number} {safe(stage)}" for stage, number in sorted(status["counts"].items()))
    lines.append(f"{count(sum(status['counts'].values()), 'board')}{': ' if boards else ''}{boards}")
    loading = [one for one in status["transfers"] if one["state"] == "running"]
    lines.append(f"{count(len(loading), 'transfer')} under way")
    if status["unknown"]:
        lines.append(f"{count(status['unknown'], 'unknown board')}: ockle netboot unknown")
    lines += [f"hosts, line {one['line']}: {safe(one['text'])}" for one in status["hosts_problems"]]
    return lines


def run_boards(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        boards = ask(connection, "netbootBoards")["boards"]
    wide = args.output == "wide"
    heads = ["BOARD", "STATE", "SINCE", "MAC", "ADDRESS", "PORT", "SERVER"]
    heads += ["LAST SEEN", "KIND", "SERIAL", "IMAGE", "PROFILE", "NOTE"] if wide else ["NOTE"]
    text = table(heads, (_board_row(board, wide) for board in boards))
    show(args, boards, _painted(text, boards) or "no boards: add them to the hosts", [one["label"] for one in boards])
    return OK


def _board_row(board: dict[str, Any], wide: bool) -> list[object]:
    row: list[object] = [board["label"], _state(board), moment(board["since"] or None), board["mac"], board["ip"]]
    row += [board["port"], board["server"]]
    if wide:
        row += [moment(board["last_seen"] or None), board["kind"], board["serial"], board["image"], board["profile"]]
    return [*row, _note(board)]


def _state(board: dict[str, Any]) -> str:
    return f"{STATES[WORDS.get(board['stage'], 'switching on')][0]} {board['text']}"


def _note(board: dict[str, Any]) -> str:
    loading = board["loading"]
    notes = [] if loading and loading["file"] == board["note"] else [board["note"]]
    if loading:
        notes.append(f"{loading['file']} {percent(loading)}")
    if board["reinstall"]:
        notes.append("to be installed anew" if board["reinstall"] == "wanted" else "install begun, not confirmed")
    if not board["known"]:
        notes.append("in no list")
    return ", ".join(dict.fromkeys(note for note in notes if note))


def _painted(text: str, boards: list[dict[str, Any]]) -> str:
    """Return the table with its states in colour, where the terminal takes colours."""
    if not coloured() or not boards:
        return text
    head, *lines = text.splitlines()
    painted = [head]
    for line, board in zip(lines, boards, strict=True):
        word = WORDS.get(board["stage"], "switching on")
        state = safe(_state(board))
        painted.append(line.replace(state, f"\x1b[{STATES[word][1]}m{state}\x1b[0m", 1))
    return "\n".join(painted)


def run_log(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found = ask(connection, "netbootBoard", {"board": args.board})
        lines = found["lines"][-args.lines :]
        if not args.follow:
            show(args, lines, "\n".join(map(_line, lines)) or f"{safe(args.board)} has said nothing yet")
            return OK
        _follow(args, connection, found["board"]["mac"], lines)
    return OK


def _follow(args: argparse.Namespace, connection: Connection, mac: str, lines: list[dict[str, Any]]) -> None:
    newest = 0
    while True:
        for line in lines:
            newest = max(newest, line["id"])
            say(json.dumps(line, ensure_ascii=False) if args.output == "json" else _line(line))
        time.sleep(LOOK_EVERY_S)
        check_reader()
        lines = ask(connection, "netbootBoard", {"board": mac, "after": newest})["lines"]


def _line(line: dict[str, Any]) -> str:
    return f"{moment(line['at'])}  {'= ' if line['stage'] else ''}{safe(line['text'])}"


def run_leases(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        leases = ask(connection, "netbootLeases")["leases"]
    rows = [
        (one["ip"], one["name"] or one["hostname"], one["mac"], one["state"], moment(one["until"])) for one in leases
    ]
    text = table(("ADDRESS", "BOARD", "MAC", "STATE", "UNTIL"), rows)
    show(args, leases, text or "no address is given out", [one["ip"] for one in leases])
    return OK


def run_unknown(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        if args.forget:
            show(args, ask(connection, "netbootForgetUnknown"), "the list is empty until somebody asks again")
            return OK
        found = ask(connection, "netbootUnknown")
    rows = [
        (one["mac"], one["count"], moment(one["first"]), moment(one["last"]), one["text"]) for one in found["unknown"]
    ]
    text = table(("MAC", "REQUESTS", "FIRST", "LAST", "WHAT IT SAYS"), rows)
    show(args, found, text or "nobody asks who is not known", [one["mac"] for one in found["unknown"]])
    if rows and args.output == "table":
        tell("add one with: ockle netboot adopt MAC NAME")
    return OK
