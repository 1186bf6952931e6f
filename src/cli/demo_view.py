"""What ``ockle demo`` shows: the live table, the timeline, the critical path, and the proof from the lab's ledger."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from .follow import LineView
from .output import STATES, clock, glyph, safe, table
from .status import attempts

if TYPE_CHECKING:
    from ..simulator.ledger import Ledger

# word of a state -> rich style; the same colours as output.STATES has in ANSI
_STYLES = {"32": "green", "36": "cyan", "31": "red", "35": "magenta", "33": "yellow", "2": "dim"}


WIDE = 100
"""Columns of a terminal that has room for what a server needs."""


class View(Protocol):
    def update(self, run: dict[str, Any], servers: dict[str, dict[str, Any]]) -> None: ...


@contextmanager
def make_view(action: str) -> Iterator[View]:
    """Yield a live table on a terminal, a line per step otherwise."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, transient=True, auto_refresh=False) as live:
        yield _Table(console, live, action)


class _Lines:
    def __init__(self) -> None:
        self._view = LineView()

    def update(self, run: dict[str, Any], servers: dict[str, dict[str, Any]]) -> None:
        self._view.update(run)


class _Table:
    """All servers with their states, a line each, and how far the run is.

    It says how long it has taken, not how long it will: this daemon has never switched these servers before.
    """

    def __init__(self, console: Any, live: Any, action: str) -> None:
        self._console = console
        self._live = live
        self._action = action
        self._began = time.monotonic()

    def update(self, run: dict[str, Any], servers: dict[str, dict[str, Any]]) -> None:
        from rich.table import Table
        from rich.text import Text

        ended = run["done"] + run["failed"] + run["skipped"]
        spent = clock(time.monotonic() - self._began)
        title = f"turning everything {self._action}: {ended} of {run['total']}, {spent}"
        grid = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        wide = self._console.width >= WIDE
        widths = self._widths(servers, wide)
        # rich would take what is missing from all columns
        widths["why"] = max(self._console.width - sum(widths.values()) - 2 * len(widths) - 1, 4)
        for head, width in widths.items():
            grid.add_column(head, no_wrap=True, width=width)
        for name, server in servers.items():
            word = server["word"]
            style = _STYLES.get(STATES.get(word, ("", ""))[1], "")
            grid.add_row(
                Text(safe(name)),
                Text(f"{glyph(word)} {word}", style=style),
                Text(attempts(server) or ""),
                *([Text(safe(" ".join(server.get("needs", ()))))] if wide else []),
                Text(safe(server.get("why") or "")),
            )
        self._live.update(grid, refresh=True)

    @staticmethod
    def _widths(servers: dict[str, dict[str, Any]], wide: bool) -> dict[str, int]:
        """Return heads and widths of the columns before the last; no width changes while the table is on the screen."""
        widths = {
            "server": max(map(len, ("server", *servers))),
            "state": max(map(len, STATES)) + 2,
            "attempts": len("start 1/3"),
        }
        if wide:
            widths["needs"] = max(
                len("needs"), *(len(" ".join(server.get("needs", ()))) for server in servers.values())
            )
        return widths


def timeline(plan: dict[str, Any], run: dict[str, Any], *, show_ratio: bool = True, only_ratio: bool = False) -> str:
    """Return who started when, was on when, and waited for whom; then how the whole compares to the critical path."""
    times = measured(run)
    needs = {step["server"]: step["needs"] for step in plan["steps"]}
    lines = []
    if not only_ratio:
        begin = run["created"]
        rows = [
            (name, f"{start - begin:.1f} s", f"{end - begin:.1f} s", _waited_for(name, needs, times))
            for name, (start, end) in sorted(times.items(), key=lambda item: item[1])
        ]
        lines.append(table(("SERVER", "STARTED", "ON", "WAITED FOR"), rows))
    if show_ratio and times:
        total = max(end for _start, end in times.values()) - run["created"]
        path, length = critical_path({name: end - start for name, (start, end) in times.items()}, needs)
        ratio = total / length if length else 1.0
        lines.append(
            f"{len(times)} servers on in {total:.1f} s; critical path {' > '.join(map(safe, path))}: {length:.1f} s; "
            f"ratio {ratio:.2f}"
        )
    return "\n".join(lines)


def measured(run: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return start and end of each step that was done, in seconds since 1970, by server."""
    return {
        step["server"]: (step["started"], step["ended"])
        for step in run["steps"]
        if step["state"] == "done" and step.get("started") and step.get("ended")
    }


def _waited_for(name: str, needs: Mapping[str, Sequence[str]], times: Mapping[str, tuple[float, float]]) -> str:
    """Return the server whose end let this one start, with the others that it needs behind it."""
    known = [other for other in needs.get(name, ()) if other in times]
    known.sort(key=lambda other: -times[other][1])
    return ", ".join(known)


def critical_path(times: Mapping[str, float], needs: Mapping[str, Sequence[str]]) -> tuple[list[str], float]:
    """Return the chain of dependencies that takes longest, first server first, and its length in seconds.

    ``times``  seconds of each server; names in ``needs`` without a time count as on already
    Raises ValueError when ``needs`` has a cycle. Cost: O(servers + dependencies).
    """
    best: dict[str, tuple[float, str | None]] = {}  # length up to and with the server, the server before it
    for root in times:
        stack = [(root, iter(needs.get(root, ())))]
        open_names = {root}
        while stack:
            name, rest = stack[-1]
            if name in best:
                open_names.discard(name)
                stack.pop()
                continue
            ahead = next((other for other in rest if other in times and other not in best), None)
            if ahead is None:
                before = [other for other in needs.get(name, ()) if other in times]
                last = max(before, key=lambda other: best[other][0], default=None)
                best[name] = (times[name] + (best[last][0] if last else 0.0), last)
            elif ahead in open_names:
                raise ValueError(f"a cycle through {ahead}")
            else:
                open_names.add(ahead)
                stack.append((ahead, iter(needs.get(ahead, ()))))
    if not best:
        return [], 0.0
    at: str | None = max(best, key=lambda name: best[name][0])
    length, path = best[at][0] if at else 0.0, []
    while at is not None:
        path.append(at)
        at = best[at][1]
    return path[::-1], length


def next_steps(port: int, url: str = "") -> str:
    """Return what to type in another terminal, and where the GUI is."""
    from ..webserver.ockle_client.connection import DEFAULT_PORT

    ockle = _own_name() if port == DEFAULT_PORT else f"{_own_name()} --host 127.0.0.1:{port}"
    lines = (
        ("status", "what is on"),
        ("tree", "who needs whom"),
        ("off nas01", "its dependents go down first; asks before"),
        ("on web1", "with all that it needs"),
        ("events --follow", "what happens"),
        ("alert test", "a message, which comes out here"),
        ("config check --etc etc", "in the checkout: the files behind this"),
    )
    width = max(len(f"{ockle} {words}") for words, _about in lines)
    text = "\n".join(f"  {f'{ockle} {words}'.ljust(width)}  {about}" for words, about in lines)
    gui = f"Open {url} in a browser, or try in another terminal" if url else "In another terminal, try"
    return f"All is on. {gui}:\n{text}\nCtrl-C takes everything down."


def _own_name() -> str:
    """Return what to type for ``ockle``: as it was typed, where a shell would not find it (a venv not activated)."""
    typed = sys.argv[0]
    name = os.path.basename(typed)  # noqa: PTH119 - it is a text for a person
    is_a_command = "ockle" in name and os.path.sep in typed and os.access(typed, os.X_OK)
    return typed if is_a_command and shutil.which(name) is None else name if is_a_command else "ockle"


def proof(ledger: Ledger) -> tuple[str, bool]:
    """Return what the machines saw of the cuts, and whether no disk was mounted at any."""
    cuts = [entry for entry in ledger.entries("power") if entry.what == "off"]
    violations = ledger.cuts_while_mounted()
    lines = [f"{entry.device}: power was cut at {entry.t:.1f} s while its disk was mounted" for entry in violations]
    lines.append(f"the lab's ledger: {len(cuts)} cuts, {len(violations)} of them with the disk mounted")
    return "\n".join(lines), not violations
