"""Follows a run to its end: a bar with the time left on a terminal, a line per step otherwise (both on stderr)."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Protocol

from ..webserver.ockle_client.connection import Connection
from .codes import ABORTED, FAILED, OK, TIMEOUT, CliError
from .output import clock, safe, show, tell

LOOK_EVERY_S = 1.0
"""The run is looked at at least this often, and at most four times as often however many events come."""
ENDED = frozenset({"done", "failed", "cancelled"})


class View(Protocol):
    def update(self, run: dict[str, Any]) -> None: ...
    def close(self) -> None: ...


def follow(connection: Connection, number: str, timeout: float | None) -> dict[str, Any]:
    """Show the run until it has ended and return it. The connection must be subscribed to ``run`` and ``step``.

    Raises CliError after ``timeout`` seconds, or when the user interrupts: the run itself goes on in both cases.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    view: View = BarView() if _has_terminal() else LineView()
    goes_on = f"run {safe(number)} goes on in the daemon; stop it with: ockle cancel {safe(number)}"
    try:
        while True:
            run = connection.call("getRun", {"run": number})
            view.update(run)
            if run["state"] in ENDED:
                return run
            if deadline is not None and time.monotonic() >= deadline:
                raise CliError(f"no end within {clock(timeout)}; {goes_on}", TIMEOUT)
            _wait_for_news(connection, deadline)
    except KeyboardInterrupt:
        raise CliError(goes_on, ABORTED) from None
    finally:
        view.close()


def _wait_for_news(connection: Connection, deadline: float | None) -> None:
    start = time.monotonic()
    until = start + LOOK_EVERY_S if deadline is None else min(start + LOOK_EVERY_S, deadline)
    if connection.next_event(max(until - start, 0.0)):
        settle = start + LOOK_EVERY_S / 4  # what comes in a burst is looked at once
        while connection.next_event(max(settle - time.monotonic(), 0.0)):
            pass


def finish(args: argparse.Namespace, run: dict[str, Any]) -> int:
    """Say how the run ended, name what failed, and return the exit code."""
    failed = [step for step in run.get("steps", ()) if step["state"] == "failed"]
    for step in failed:
        tell(f"{safe(step['server'])}: {safe(step['action'])} failed: {safe(step.get('why') or 'no reason known')}")
    show(args, run, recap(run), [step["server"] for step in run.get("steps", ()) if step["state"] == "done"])
    if run["state"] == "cancelled":
        return ABORTED
    return FAILED if run["state"] == "failed" or failed else OK


def recap(run: dict[str, Any]) -> str:
    """Return the last line of a run: ``ockle: run 214: 3 off, 0 failed, 0 skipped in 1:44``."""
    done: dict[str, int] = {}
    for step in run.get("steps", ()):
        if step["state"] == "done":
            done[step["action"]] = done.get(step["action"], 0) + 1
    parts = [f"{number} {action}" for action, number in done.items()] or [f"{run['done']} done"]
    spent = clock(run["ended"] - run["created"]) if run.get("ended") else "-"
    ending = " (cancelled)" if run["state"] == "cancelled" else ""
    counts = ", ".join([*parts, f"{run['failed']} failed", f"{run['skipped']} skipped"])
    return f"ockle: run {safe(run['id'])}: {counts} in {spent}{ending}"


def _has_terminal() -> bool:
    return sys.stderr.isatty()


class LineView:
    """A line whenever a step changes its state."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], str] = {}

    def update(self, run: dict[str, Any]) -> None:
        for number, step in enumerate(run.get("steps", ())):
            key = (number, step["server"])
            if self._seen.get(key, "waiting") != step["state"]:
                self._seen[key] = step["state"]
                why = f" ({safe(step['why'])})" if step.get("why") else ""
                tell(f"{safe(step['server'])}: {safe(step['action'])} {safe(step['state'])}{why}")

    def close(self) -> None:
        """Nothing is left on the screen to be removed."""


class BarView:
    """A bar: ``[####----] 1/3  hv1 off, test "ssh" still answers   0:31 left 1:19``."""

    def __init__(self) -> None:
        # rich takes three times as long to import as the rest of the command line
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", left="")
        self._progress.start()

    def update(self, run: dict[str, Any]) -> None:
        busy = [step for step in run.get("steps", ()) if step["state"] == "running"]
        text = ", ".join(safe(f"{step['server']} {step['action']}") for step in busy[:3])
        if len(busy) == 1 and busy[0].get("why"):
            text += f", {safe(busy[0]['why'])}"
        elif len(busy) > 3:
            text += f" and {len(busy) - 3} more"
        left = "" if run.get("eta_s") is None else f"left {clock(run['eta_s'])}"
        ended = run["done"] + run["failed"] + run["skipped"]
        self._progress.update(self._task, completed=ended, total=run["total"], description=text, left=left)

    def close(self) -> None:
        self._progress.stop()
