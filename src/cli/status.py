"""``ockle status``: what is on, off, failed, and why."""

from __future__ import annotations

import argparse
import sys

from ..common.hostranges import fold_names
from .codes import FAILED, NOT_ON, OK
from .connect import connect, incoming, resolve
from .output import FAILED_WORDS, ON_WORDS, STATES, glyph, indented, moment, paint, safe, say, show, table, tell
from .parser import SELECTOR_HELP, Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

    from ..webserver.ockle_client.connection import Connection

ALWAYS_SHOWN = ("on", "failed", "off", "unknown")


def register(commands: Commands) -> None:
    parser = commands.add(
        "status", run, "what is on, off or failed", text="Exit code: 0 all on, 1 something failed, 7 neither."
    )
    parser.add_argument("selector", nargs="*", metavar="SEL", help=SELECTOR_HELP)
    parser.add_argument("-w", "--watch", action="store_true", help="go on, and show it anew whenever something changes")


def run(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        servers, status = _ask(connection, args.selector)
        _warn(status)
        _show(args, servers)
        if args.watch:
            connection.subscribe(["state", "force", "desired", "config", "emergency"])
            for _event in incoming(connection):
                while connection.next_event(0.2):  # what belongs together is shown together
                    pass
                servers, status = _ask(connection, args.selector)
                if sys.stdout.isatty():
                    sys.stdout.write("\x1b[H\x1b[2J")
                else:
                    say()
                _warn(status)
                _show(args, servers)
        return exit_code(servers)


def ask(connection: Connection, selectors: list[str]) -> dict[str, dict[str, Any]]:
    """Return the status of the selected servers by name; of all without a selector."""
    return _ask(connection, selectors)[0]


def _ask(connection: Connection, selectors: list[str]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the status of the selected servers, and of the network as a whole."""
    chosen = resolve(connection, selectors) if selectors else None
    status = connection.call("status")
    servers: dict[str, dict[str, Any]] = status["servers"]
    return servers if chosen is None else {name: servers[name] for name in chosen if name in servers}, status


def _warn(status: dict[str, Any]) -> None:
    """Say what keeps the network as a whole from being what was ordered."""
    if status.get("safe_mode"):
        tell(f"safe mode, nothing is switched: {safe(status['safe_mode'])}")
    if status.get("emergency"):
        from .emergency import describe_emergency  # rarely needed, and not free

        tell(describe_emergency(status["emergency"]))
    if any(status.get("alerts", {}).values()):
        from .alert import describe_counts

        tell(describe_counts(status["alerts"]))


def exit_code(servers: dict[str, dict[str, Any]]) -> int:
    words = {server["word"] for server in servers.values()}
    if words & FAILED_WORDS:
        return FAILED
    return OK if words <= ON_WORDS else NOT_ON


def _show(args: argparse.Namespace, servers: dict[str, dict[str, Any]]) -> None:
    text = wide(servers) if args.output == "wide" else folded(servers)
    show(args, servers, text, servers)


def folded(servers: dict[str, dict[str, Any]]) -> str:
    """Return a line per state with its servers as ranges; what failed is listed one by one with the reason."""
    if not servers:
        return "no servers yet: see docs/start.md, or try ockle demo"
    by_word: dict[str, list[str]] = {word: [] for word in STATES}
    for name, server in servers.items():
        by_word.setdefault(server["word"], []).append(name)
    lines = []
    shown = [word for word, names in by_word.items() if names or word in ALWAYS_SHOWN]
    degraded = {name: server["degraded"] for name, server in servers.items() if server.get("degraded")}
    width = max(map(len, [*shown, *(["degraded"] if degraded else [])])) + 2
    for word in shown:
        names = by_word[word]
        head = paint(f"{word}:".ljust(width), word)
        if word in FAILED_WORDS:
            for name in names:
                lines.append(f"{head}{safe(name)} {_reason(servers[name])}".rstrip())
                head = " " * width
        if word not in FAILED_WORDS or not names:
            lines.append(f"{head}{safe(' '.join(fold_names(names))) or '-'}")
    head = "degraded:".ljust(width)
    for name, missing in degraded.items():
        lines.append(f"{head}{safe(name)} ({safe(missing)})")
        head = " " * width
    return "\n".join(lines)


def _reason(server: dict[str, Any]) -> str:
    why = safe(server.get("why") or "")
    return f"({why})" if why else ""


def wide(servers: dict[str, dict[str, Any]]) -> str:
    """Return a line per server, and below it what may be long."""
    rows = [
        (
            f"{glyph(server['word'])} {name}",
            server["word"],
            moment(server.get("since")),
            None if server.get("power_w") is None else f"{server['power_w']:.0f} W",
            attempts(server),
            "held" if server.get("held") else None,
        )
        for name, server in servers.items()
    ]
    head, *lines = table(("SERVER", "STATE", "SINCE", "POWER", "ATTEMPTS", "HELD"), rows).splitlines() or [""]
    found = [head]
    for line, server in zip(lines, servers.values(), strict=True):
        found += [line, *_below(server)]
    return "\n".join(found)


def _below(server: dict[str, Any]) -> list[str]:
    long = {"why": server.get("why"), "needs": " ".join(server.get("needs", ())), "comment": server.get("comment")}
    return [indented(f"{key}: {safe(text)}") for key, text in long.items() if text]


def attempts(server: dict[str, Any]) -> str | None:
    """Return the attempts made, when there are any: ``start 2/3``."""
    made = [
        f"{kind} {tries[0]}/{tries[1]}" for kind, tries in (server.get("attempts") or {}).items() if tries and tries[0]
    ]
    return ", ".join(made) or None
