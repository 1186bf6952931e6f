"""``ockle netboot transfers``: what is being loaded, as a table or, with -w, as bars that move."""

from __future__ import annotations

import argparse
import json
import sys
import time

from .codes import OK
from .connect import connect
from .netboot_ask import ask, percent, size
from .output import check_reader, safe, say, show, table
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any, Protocol

    class View(Protocol):
        def update(self, transfers: list[dict[str, Any]]) -> None: ...
        def close(self) -> None: ...


LOOK_EVERY_S = 0.5
SERVICES = {"install": "root file system", "tftp": "TFTP"}


def register(commands: Commands) -> None:
    parser = commands.add(
        "transfers",
        run,
        "what is being loaded: progress, rate, retries",
        text="With --watch until Ctrl-C: a bar for each on a terminal, else a line when one begins or ends; -o json\n"
        "writes an object per line for each that has changed.",
    )
    parser.add_argument("-w", "--watch", action="store_true", help="go on, and show what changes")


def run(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        transfers = ask(connection, "netbootStatus")["transfers"]
        if not args.watch:
            text = table(
                ("BOARD", "FILE", "VIA", "DONE", "SENT", "SIZE", "RATE", "RETRIES", "STATE"), map(_row, transfers)
            )
            show(args, transfers, text or "nothing is being loaded", [one["file"] for one in transfers])
            return OK
        view: View = JsonView() if args.output == "json" else BarView() if sys.stdout.isatty() else LineView()
        try:
            while True:
                view.update(transfers)
                time.sleep(LOOK_EVERY_S)
                check_reader()
                transfers = ask(connection, "netbootStatus")["transfers"]
        except KeyboardInterrupt:
            return OK
        finally:
            view.close()


def _who(one: dict[str, Any]) -> str:
    return safe(one["board"] or one["mac"] or one["ip"])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    rate = "-" if one["rate"] is None else f"{size(one['rate'])}/s"
    state = f"{one['state']}: {one['text']}" if one["text"] else one["state"]
    via = SERVICES.get(one["service"], one["service"])
    return (
        _who(one),
        one["file"],
        via,
        percent(one),
        size(one["sent"]),
        size(one["size"]),
        rate,
        one["retries"],
        state,
    )


class LineView:
    """A line when a transfer begins, and one when it ends."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def update(self, transfers: list[dict[str, Any]]) -> None:
        for one in transfers:
            if self._seen.get(one["id"]) != one["state"]:
                self._seen[one["id"]] = one["state"]
                end = "" if one["state"] == "running" else f" {safe(one['state'])}"
                more = f", {safe(one['text'])}" if one["text"] else ""
                say(f"{_who(one)}: {safe(one['file'])}{end}, {size(one['sent'])} of {size(one['size'])}{more}")

    def close(self) -> None:
        """Nothing is left on the screen to be removed."""


class JsonView:
    """An object per line for each transfer that is another one than before."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}

    def update(self, transfers: list[dict[str, Any]]) -> None:
        for one in transfers:
            if self._seen.get(one["id"]) != one:
                self._seen[one["id"]] = one
                say(json.dumps(one, ensure_ascii=False))

    def close(self) -> None:
        """Nothing is left on the screen to be removed."""


class BarView:
    """A bar for each: ``pi2  kernel8.img  [####----]  31 %  2.9 MiB of 9.0 MiB  2.1 MiB/s``."""

    def __init__(self) -> None:
        # rich takes three times as long to import as the rest of the command line
        from rich.progress import BarColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.fields[who]}", markup=False),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[done]}", markup=False, justify="right"),
            TextColumn("{task.fields[sent]}", markup=False),
            TextColumn("{task.fields[rate]}", markup=False),
        )
        self._tasks: dict[str, Any] = {}
        self._progress.start()

    def update(self, transfers: list[dict[str, Any]]) -> None:
        now = {one["id"] for one in transfers}
        for gone in self._tasks.keys() - now:
            self._progress.remove_task(self._tasks.pop(gone))
        for one in transfers:
            running = one["state"] == "running"
            shown = {
                "description": safe(one["file"]),
                "total": one["size"],
                "completed": one["sent"],
                "who": _who(one),
                "done": percent(one),
                "sent": f"{size(one['sent'])} of {size(one['size'])}",
                "rate": f"{size(one['rate'])}/s" if running and one["rate"] is not None else safe(one["state"]),
            }
            if one["id"] not in self._tasks:
                self._tasks[one["id"]] = self._progress.add_task(**shown)
            else:
                self._progress.update(self._tasks[one["id"]], **shown)

    def close(self) -> None:
        self._progress.stop()
