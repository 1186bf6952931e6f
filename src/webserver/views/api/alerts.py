"""Alerts and silences: what is wrong, what it takes along, and who has it in hand."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, body, boolean, choice, integer, nullable, number, record, text

NUMBER = {"alert": integer("number of an alert", minimum=1, maximum=2**53)}
SUBJECT = text("what has it: server/web1, outlets/pdu-a, node/web1, ups/rack, daemon, …")
SEVERITY = choice("critical", "warning", "info")
ALERT = record(
    "Something that is, or was, wrong. What has the same cause is one alert.",
    id=integer("its number"),
    state=choice("open", "acknowledged", "silenced", "closed"),
    severity=SEVERITY,
    kind=text("server, device, supply, node, limit, ups, circuit, schedule, plugin, store, daemon, emergency, boot"),
    subject=SUBJECT,
    server=text("the server that it is about, empty for none"),
    title=text("in one sentence, as it began"),
    text=text("in one sentence, as it is now"),
    opened=shapes.WHEN,
    closed=nullable(number("seconds since 1970; null: it is not over")),
    flapping=boolean("it comes and goes: nothing more is told until it is steady"),
    explained_by=integer("number of the alert that it became a part of; 0: none"),
    told=array(record("", at=shapes.WHEN), "when it was told"),
    acknowledged=nullable(record("Who has it in hand.", who=text(), at=shapes.WHEN, note=text())),
    affected=array(
        record("", subject=SUBJECT, server=text(), text=text(), since=shapes.WHEN, until=nullable(number())),
        "what it takes along: these have no alerts of their own",
    ),
    affected_count=integer("of all that it takes along"),
)
HAPPENING = record("What became of it.", at=shapes.WHEN, what=text("opened, told, closed, …"), text=text(), who=text())
SILENCE = record(
    "What is not told, and until when.",
    id=integer("its number"),
    servers=array(text(), "of which nothing is told"),
    subject=text("of which nothing is told, empty: of the servers"),
    until=shapes.WHEN,
    who=text(),
    note=text(),
    at=shapes.WHEN,
)
COUNTS = record("Alerts that are open.", critical=integer(), warning=integer(), info=integer())


@endpoint(
    "GET",
    "/alerts",
    "Return the alerts: those that are not over, unless a state is given.",
    query={
        "state": choice("open", "closed", "all"),
        "since": number("of those that are over only the ones that ended since, in seconds since 1970", minimum=0),
        "limit": integer("how many at most", minimum=1, maximum=1000),
    },
    answer=record("", alerts=array(ALERT), counts=COUNTS, silences=array(SILENCE)),
    problems=(501,),
)
def list_alerts(call: Call) -> dict[str, Any]:
    return call.daemon("getAlerts", call.query)


@endpoint(
    "GET",
    "/alerts/{alert}",
    "Return one alert with all that became of it.",
    path=NUMBER,
    answer=record("", **ALERT["properties"], history=array(HAPPENING)),
    problems=(404, 501),
)
def show_alert(call: Call) -> dict[str, Any]:
    return call.daemon("getAlert", call.path)


@endpoint(
    "POST",
    "/alerts/{alert}/acknowledge",
    "Say that somebody has an alert in hand: there are no more reminders, its end is told.",
    "operate",
    path=NUMBER,
    body=body("", note_=shapes.NOTE),
    answer=ALERT,
    problems=(404, 409, 501),
)
def acknowledge_alert(call: Call) -> dict[str, Any]:
    return call.daemon("acknowledgeAlert", {**call.path, **call.body})


@endpoint(
    "GET",
    "/silences",
    "Return what is silenced now.",
    answer=record("", silences=array(SILENCE)),
    problems=(501,),
)
def list_silences(call: Call) -> dict[str, Any]:
    return {"silences": call.daemon("getAlerts", {"state": "open", "limit": 1})["silences"]}


@endpoint(
    "POST",
    "/silences",
    "Tell nothing of some servers, or of one subject, for a time.",
    "operate",
    body=body(
        "Servers or a subject.",
        servers_=shapes.SELECTION,
        subject_=text("such as outlets/pdu-a; * and ? stand for any", minLength=1, maxLength=300),
        for_=number("seconds; default: an hour", exclusiveMinimum=0, maximum=366 * 86400),
        note_=shapes.NOTE,
    ),
    answer=SILENCE,
    status=201,
    problems=(404, 409, 501),
)
def add_silence(call: Call) -> dict[str, Any]:
    return call.daemon("silenceAlerts", {"for": 3600.0, **call.body})


@endpoint(
    "DELETE",
    "/silences/{silence}",
    "End a silence: what is still wrong is told.",
    "operate",
    path={"silence": integer("number of a silence", minimum=1, maximum=2**53)},
    answer=record("", silence=integer("its number")),
    problems=(404, 501),
)
def end_silence(call: Call) -> dict[str, Any]:
    call.daemon("endSilence", call.path)
    return dict(call.path)
