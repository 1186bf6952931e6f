"""``ockle on``, ``off``, ``restart`` and ``plan``: see the plan, agree to it, have it run, follow it."""

from __future__ import annotations

import argparse
from typing import Any

from ..webserver.ockle_client.connection import ClientError, Connection
from ..webserver.ockle_client.plans import changes, steps_of
from .codes import ABORTED, FAILED, OK, CliError
from .confirm import confirm
from .connect import connect, parse_duration, resolve
from .follow import finish, follow
from .output import count, duration, safe, show, table, tell
from .parser import SELECTOR_HELP, Commands, Parser

LOOKS = 3
"""How often a plan that changed while it was read is shown anew."""


def register(commands: Commands) -> None:
    about = {
        "on": "turn servers on, first what they need",
        "off": "turn servers off, first what needs them, each shut down before its power is cut",
        "restart": "turn servers off and on again, with what needs them",
    }
    for action, text in about.items():
        parser = commands.add(action, run, text)
        parser.set_defaults(action=action, now=False)
        _selector(parser)
        add_options(parser)
        _exclude(parser)
        if action == "off":
            parser.add_argument("--now", action="store_true", help="cut the power without shutting down")
    parser = commands.add("plan", run_plan, "show what on, off, restart or cut would do")
    parser.add_argument("action", choices=("on", "off", "restart", "cut"))
    _selector(parser)
    _exclude(parser)
    parser.add_argument("--critical", action="store_true", help="only the steps that determine the time")
    parser.add_argument("--svg", metavar="FILE", default="", help="draw it into this file as well")


def add_options(parser: Parser) -> None:
    """Add what ``run`` needs besides the action and the servers."""
    parser.add_argument("--dry-run", action="store_true", help="only show the plan")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--confirm", metavar="TEXT", default="", help="what you would have to type when much is at stake; with --yes"
    )
    parser.add_argument("--no-wait", action="store_true", help="start it, say the number of the run, and leave")
    parser.add_argument("--timeout", type=parse_duration, metavar="TIME", help="give up after this time, such as 10m")
    parser.add_argument("--note", default="", help="why, for the records")


def _selector(parser: Parser) -> None:
    # + and no default: without a target nothing is ever switched
    parser.add_argument("selector", nargs="+", metavar="SEL", help=SELECTOR_HELP)


def _exclude(parser: Parser) -> None:
    parser.add_argument(
        "--exclude",
        action="append",
        metavar="SEL",
        default=[],
        help="leave these servers as they are, and what cannot be switched without them; may be repeated",
    )


def _question(args: argparse.Namespace, connection: Connection, action: str) -> dict[str, Any]:
    """Return what the daemon is asked for, as a plan or as a run."""
    question: dict[str, Any] = {"action": action, "servers": resolve(connection, args.selector)}
    return {**question, "exclude": resolve(connection, args.exclude)} if args.exclude else question


def run_plan(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        plan = connection.call("plan", _question(args, connection, args.action))
    steps = [step for step in plan["steps"] if step["critical"] or not args.critical]
    if args.svg:
        _draw(args.svg, {**plan, "steps": steps})
    show(args, plan, describe({**plan, "steps": steps}), [step["server"] for step in steps])
    return OK


def _draw(path: str, plan: dict[str, Any]) -> None:
    from .plan_svg import draw  # not paid for by those who only ask for the text

    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would cost start-up time
            file.write(draw(plan))
    except OSError as error:
        raise CliError(f"{safe(path)}: cannot write the picture: {error.strerror}", FAILED) from error


def run(args: argparse.Namespace) -> int:
    action = "cut" if args.now else args.action
    with connect(args) as connection:
        question = _question(args, connection, action)
        plan = connection.call("plan", question)
        if args.dry_run:
            show(args, plan, describe(plan), [step["server"] for step in plan["steps"]])
            return OK
        if not plan["steps"]:
            show(args, plan, describe(plan))
            return FAILED if _left_out(args, plan, question) else OK
        connection.subscribe(["run", "step"])  # before the run starts: nothing of it is missed
        started = _agree_and_start(args, connection, plan, question)
        number = str(started["run"])
        if args.no_wait:
            show(
                args,
                started,
                f"run {safe(number)} has started; follow it with: ockle runs {safe(number)} --follow",
                [number],
            )
            return OK
        code = finish(args, follow(connection, number, args.timeout))
        left = _left_out(args, started["plan"], question)
        for line in left:
            tell(line)
        return code or (FAILED if left else OK)


def _left_out(args: argparse.Namespace, plan: dict[str, Any], question: dict[str, Any]) -> list[str]:
    """Return a line for each server that was asked for and is not touched; who asks for all means those that can be."""
    untouched = {
        name: why for name, why in (plan.get("untouched") or {}).items() if name not in question.get("exclude", ())
    }
    named = plan.get("targets", ()) if "all" not in args.selector else ()
    return [f"{safe(name)}: not touched: {safe(untouched[name])}" for name in named if name in untouched]


def _agree_and_start(
    args: argparse.Namespace, connection: Connection, plan: dict[str, Any], question: dict[str, Any]
) -> dict[str, Any]:
    for _look in range(LOOKS):
        agreed = confirm(plan, describe(plan), yes=args.yes, typed=args.confirm)
        request = {**question, "rev": plan["rev"], "confirm": agreed}
        if args.note:
            request["note"] = args.note
        if args.timeout is not None:
            request["timeout_s"] = args.timeout
        try:
            return connection.call("run", request)
        except ClientError as error:
            if error.code != "conflict":
                raise
            former = plan
            plan = error.data.get("plan") or connection.call("plan", question)
            changes = difference(former, plan)
            if not changes:  # not the plan: another run has these servers
                raise
            tell(f"The plan changed since you looked: {changes}")
            if args.yes:  # nobody has seen the new one
                raise CliError("not started, because the plan changed; run it again", ABORTED) from error
    raise CliError("the plan keeps changing; nothing was started", ABORTED)


def difference(former: dict[str, Any], now: dict[str, Any]) -> str:
    """Return which steps came (+) and went (-): ``+ db1 off, - web2 off``."""
    return ", ".join(map(safe, changes(steps_of(former), steps_of(now))))


def describe(plan: dict[str, Any]) -> str:
    """Return the plan for reading: steps in order with reason and time, then what is left alone and why."""
    lines = [f"{safe(warning)}" for warning in plan.get("warnings", ())]
    steps = plan["steps"]
    if steps:
        lines.append(f"Plan ({count(len(steps), 'step')}, about {duration(plan.get('total_s'))}):")
        rows = [
            (
                f"  {step['n']}.",
                step["server"],
                step["action"],
                _because(step),
                duration(step.get("eta_s")) + (" critical" if step.get("critical") else ""),
            )
            for step in steps
        ]
        lines += table(("",) * 5, rows).splitlines()[1:]
    else:
        lines.append("Nothing to do.")
    if plan.get("already"):
        goal = {"on": "on", "restart": "as wanted"}.get(plan["action"], "off")
        lines.append(f"Already {goal}: {', '.join(map(safe, plan['already']))}.")
    for name, reason in plan.get("untouched", {}).items():
        lines.append(f"Not touched: {safe(name)} ({safe(reason)}).")
    return "\n".join(lines)


def _because(step: dict[str, Any]) -> str:
    return step.get("because") or (f"after {', '.join(step['needs'])}" if step.get("needs") else " ")
