"""``ockle runs`` and ``ockle cancel``."""

from __future__ import annotations

import argparse
from typing import Any

from .codes import OK
from .connect import connect, parse_count
from .follow import finish, follow
from .output import clock, indented, moment, safe, show, table
from .parser import Commands


def register(commands: Commands) -> None:
    parser = commands.add("runs", run_runs, "what was switched by whom, or the steps of one run")
    parser.add_argument("run_id", nargs="?", metavar="ID", help="the number of a run")
    parser.add_argument("-f", "--follow", action="store_true", help="follow the run to its end")
    parser.add_argument(
        "--limit", type=parse_count, metavar="NUMBER", default=20, help="how many to list (default: 20)"
    )
    parser = commands.add("cancel", run_cancel, "end a run: running steps are finished, waiting ones are dropped")
    parser.add_argument("run_id", metavar="ID")


def run_runs(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        if args.run_id is None:
            runs = connection.call("runs", {"limit": args.limit})["runs"]
            show(args, runs, _list(runs) or "no runs yet", [str(run["id"]) for run in runs])
            return OK
        if args.follow:
            connection.subscribe(["run", "step"])
            return finish(args, follow(connection, args.run_id, None))
        run = connection.call("getRun", {"run": args.run_id})
    show(args, run, _one(run), [step["server"] for step in run["steps"]])
    return OK


def _list(runs: list[dict[str, Any]]) -> str:
    noted = any(run.get("note") for run in runs)
    rows = [
        (
            run["id"],
            run["action"],
            _targets(run["targets"]),
            run["state"],
            f"{run['done']}/{run['total']}",
            run["failed"] or None,
            moment(run["created"]),
            _took(run),
            f"{run['who']} via {run['via']}",
            *([run.get("note")] if noted else []),
        )
        for run in runs
    ]
    heads = ("RUN", "DO", "SERVERS", "STATE", "DONE", "FAILED", "STARTED", "TOOK", "WHO")
    return table((*heads, "NOTE") if noted else heads, rows)


def _targets(names: list[str]) -> str:
    return " ".join(names) if len(names) <= 4 else f"{' '.join(names[:3])} and {len(names) - 3} more"


def _took(run: dict[str, Any]) -> str:
    if run.get("ended"):
        return clock(run["ended"] - run["created"])
    return "-" if run.get("eta_s") is None else f"{clock(run['eta_s'])} left"


def _one(run: dict[str, Any]) -> str:
    head = (
        f"run {safe(run['id'])}: {safe(run['action'])}, {safe(run['state'])}, "
        f"started {moment(run['created'])} by {safe(run['who'])} via {safe(run['via'])}"
    )
    if run.get("note"):
        head += f"\n{indented(safe(run['note']))}"
    rows = [
        (
            step["server"],
            step["action"],
            step["state"],
            moment(step.get("started")),
            clock(step["ended"] - step["started"]) if step.get("ended") and step.get("started") else None,
            step.get("why"),
        )
        for step in run["steps"]
    ]
    return f"{head}\n{table(('SERVER', 'DO', 'STATE', 'STARTED', 'TOOK', 'WHY'), rows)}".rstrip()


def run_cancel(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("cancel", {"run": args.run_id})
    show(args, reply, f"run {safe(reply['run'])}: {safe(reply['state'])}", [str(reply["run"])])
    return OK
