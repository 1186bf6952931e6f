"""``ockle history``: what was measured, as a table, as CSV or as JSON; and ``ockle note``."""

from __future__ import annotations

import argparse
import sys

from .codes import OK, CliError
from .connect import connect, parse_span, resolve
from .output import emit_json, moment, say, show, table
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..webserver.ockle_client.connection import Connection

DAY_S = 86400.0
ROWS = 48
"""Lines of the table: what of a day makes half an hour each."""


def register(commands: Commands) -> None:
    parser = commands.add(
        "history",
        run_history,
        "what was measured",
        text="Without --key: what there is, with least, mean and greatest value. With it: the values in steps.\n"
        "--csv and -o json write every value that is kept, with its stretch of time in seconds since 1970.",
    )
    parser.add_argument("server", nargs="?", default="", metavar="SERVER", help="default: the network as a whole")
    parser.add_argument(
        "--since", type=parse_span, metavar="TIME", default=DAY_S, help="how far back, such as 90m (default: 24h)"
    )
    parser.add_argument("--key", metavar="NAME", help="what is measured, such as power_w")
    parser.add_argument("--object", metavar="NAME", help="of this outlet, control or test")
    parser.add_argument("--csv", action="store_true", help="comma-separated values, for spreadsheets")
    parser = commands.add("note", run_note, "add a note to the history")
    parser.add_argument("text", help="what is to be remembered")
    parser.add_argument("--server", metavar="NAME", help="the server that it is about")


def run_history(args: argparse.Namespace) -> int:
    which: dict[str, Any] = {"server": args.server, "since": -args.since}
    which |= {name: getattr(args, name) for name in ("key", "object") if getattr(args, name)}
    with connect(args) as connection:
        if args.csv or args.output == "json":
            _export(connection, which, csv=args.csv)
            return OK
        found = connection.call("samples", {**which, "points": ROWS if args.key else 1})["series"]
    if args.key and len(found) > 1:
        parts = ", ".join(one["object"] for one in found)
        raise CliError(f"{args.server} has {args.key} more than once; add --object, one of: {parts}")
    text = _values(found) if args.key else _summary(found)
    show(args, found, text or "nothing was measured in that time", [one["key"] for one in found])
    return OK


def _summary(found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        [[_start, end, low, high, mean, count]] = one["segments"][-1][-1:]
        figures = (f"{value:g}" for value in (low, mean, high))
        rows.append((one["object"] or one["kind"], one["key"], *figures, one["unit"], count, moment(end)))
    return table(("OF", "KEY", "LEAST", "MEAN", "GREATEST", "UNIT", "SAMPLES", "LAST"), rows)


def _values(found: list[dict[str, Any]]) -> str:
    rows: list[tuple[object, ...]] = []
    for one in found:
        for number, part in enumerate(one["segments"]):
            if number:
                rows.append(("(nothing was measured)", None, None, None))
            rows += [(moment(start), f"{low:g}", f"{mean:g}", f"{high:g}") for start, _end, low, high, mean, _n in part]
    return table(("TIME", "LEAST", "MEAN", "GREATEST"), rows)


def _export(connection: Connection, which: dict[str, Any], *, csv: bool) -> None:
    if csv:
        from csv import writer

        lines = writer(sys.stdout, lineterminator="\n")
        for number, page in enumerate(_pages(connection, which)):
            if number == 0:
                lines.writerow(page["columns"])
            lines.writerows([_harmless(cell) for cell in row] for row in page["rows"])
        sys.stdout.flush()
    else:
        emit_json(
            [dict(zip(page["columns"], row, strict=True)) for page in _pages(connection, which) for row in page["rows"]]
        )


def _pages(connection: Connection, which: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the pages of an export; all of them end at the same moment."""
    request = {**which, "until": connection.call("ping")["time"]}
    while True:
        page = connection.call("exportSamples", request)
        yield page
        if page["next"] is None:
            return
        request["since"] = page["next"]


def _harmless(cell: object) -> object:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def run_note(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        if args.server:
            [args.server] = resolve(connection, [args.server])
        reply = connection.call("annotate", {"text": args.text, **({"server": args.server} if args.server else {})})
    say(f"note {reply['seq']} was added") if args.output == "table" else show(args, reply, "", [str(reply["seq"])])
    return OK
