"""``ockle alert``: what is wrong, who takes note of it, and what nobody wants to hear of for a while."""

from __future__ import annotations

import argparse

from ..common.hostranges import fold_names
from . import alert_channels
from .codes import OK
from .connect import connect, parse_count, parse_span, resolve
from .output import count, duration, indented, moment, safe, say, show, table
from .parser import SELECTOR_HELP, Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

MOST_SHOWN = 20


def register(commands: Commands) -> None:
    group = commands.group("alert", "what is wrong, and who is told")
    parser = group.add("list", run_list, "the open alerts, the worst first")
    parser.add_argument("--all", action="store_true", help="also those that are over, of the last 30 days")
    parser = group.add("show", run_show, "all about an alert: what it takes along, and its history")
    parser.add_argument("number", type=parse_count, metavar="NUMBER")
    parser = group.add("ack", run_ack, "take note of an alert: nobody is reminded of it any more")
    parser.add_argument("number", type=parse_count, metavar="NUMBER")
    parser.add_argument("-m", "--message", default="", help="what is done about it")
    parser = group.add(
        "silence",
        run_silence,
        "have nothing told of servers for a time",
        text="What is still wrong when that is over is told then.",
    )
    parser.add_argument("selector", nargs="*", metavar="SEL", help=SELECTOR_HELP)
    parser.add_argument("--for", dest="seconds", type=parse_span, required=True, metavar="TIME", help="30m, 2h …")
    parser.add_argument("--subject", default="", help="something else, such as outlets/pdu-a; * stands for anything")
    parser.add_argument("-m", "--message", default="", help="why")
    parser = group.add("unsilence", run_unsilence, "end a silence")
    parser.add_argument("number", type=parse_count, metavar="NUMBER")
    alert_channels.register(group)


def run_list(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        reply = connection.call("getAlerts", {"state": "all" if args.all else "open"})
    found = reply["alerts"]
    rows = [
        (one["id"], one["severity"], _state(one), moment(one["opened"]), _span(one), one["text"] + _along(one))
        for one in found
    ]
    text = table(("ALERT", "SEVERITY", "STATE", "SINCE", "LASTED", "WHAT"), rows) or "no open alerts"
    show(args, reply if args.output == "json" else found, text, [str(one["id"]) for one in found])
    if args.output in ("table", "wide"):
        for silence in reply["silences"]:
            say(_silence(silence))
    return OK


def _state(one: dict[str, Any]) -> str:
    return "comes and goes" if one["flapping"] and one["state"] == "open" else str(one["state"])


def _span(one: dict[str, Any]) -> str:
    return duration(one["closed"] - one["opened"]) if one["closed"] is not None else "-"


def _along(one: dict[str, Any]) -> str:
    return f" (with it {one['affected_count']} more)" if one["affected_count"] else ""


def _silence(silence: dict[str, Any]) -> str:
    what = ", ".join([*fold_names(silence["servers"]), *([silence["subject"]] if silence["subject"] else [])])
    note = f": {silence['note']}" if silence["note"] else ""
    until = moment(silence["until"])
    return safe(f"silence {silence['id']}: nothing is told of {what} until {until}, by {silence['who']}{note}")


def run_show(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        alert = connection.call("getAlert", {"alert": args.number})
    show(args, alert, _whole(alert), [str(alert["id"])])
    return OK


def _whole(alert: dict[str, Any]) -> str:
    until = f" to {moment(alert['closed'])}" if alert["closed"] is not None else ""
    lines = [
        f"alert {alert['id']}, {alert['severity']}, {_state(alert)}: {safe(alert['text'])}",
        f"    {safe(alert['subject'])}, {moment(alert['opened'])}{until}",
    ]
    if alert["acknowledged"] is not None:
        known = alert["acknowledged"]
        note = f": {known['note']}" if known["note"] else ""
        lines.append(indented(safe(f"{known['who']} knows since {moment(known['at'])}{note}")))
    if alert["explained_by"]:
        lines.append(f"    part of alert {alert['explained_by']}")
    lines += [f"with it {count(alert['affected_count'], 'problem')}:"] if alert["affected_count"] else []
    for one in alert["affected"][:MOST_SHOWN]:
        over = f", over {moment(one['until'])}" if one["until"] is not None else ""
        lines.append(indented(safe(f"{one['text']} ({moment(one['since'])}{over})")))
    if alert["affected_count"] > MOST_SHOWN:
        lines.append(f"    and {alert['affected_count'] - MOST_SHOWN} more")
    lines.append("history:")
    for line in alert["history"]:
        words = " ".join(word for word in (line["what"], f"by {line['who']}" if line["who"] else "") if word)
        lines.append(indented(safe(f"{moment(line['at'])} {words}{': ' + line['text'] if line['text'] else ''}")))
    return "\n".join(lines)


def run_ack(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        alert = connection.call("acknowledgeAlert", {"alert": args.number, "note": args.message})
    show(args, alert, safe(f"alert {alert['id']} is acknowledged: {alert['text']}"), [str(alert["id"])])
    return OK


def run_silence(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        data = {"subject": args.subject, "for": args.seconds, "note": args.message}
        if args.selector:
            data["servers"] = resolve(connection, args.selector)
        silence = connection.call("silenceAlerts", data)
    show(args, silence, _silence(silence), [str(silence["id"])])
    return OK


def run_unsilence(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        silence = connection.call("endSilence", {"silence": args.number})
    show(args, silence, f"silence {silence['id']} has ended", [str(silence["id"])])
    return OK


def describe_counts(counts: dict[str, int]) -> str:
    """Return how many alerts are open in a line, "" without any; for ``ockle status``."""
    total = sum(counts.values())
    if not total:
        return ""
    worst = f" ({counts['critical']} critical)" if counts.get("critical") else ""
    return f"{count(total, 'open alert')}{worst}: ockle alert list"
