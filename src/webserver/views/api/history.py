"""What happened and what was measured."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, body, boolean, integer, mapping, number, record, text

SERVER = {"server": shapes.NAME}
SPAN = {
    "since": number("seconds since 1970, or negative: seconds before until"),
    "until": number("seconds since 1970; default: now"),
}
WHICH = {
    **SPAN,
    "server": text("name; empty or left out: the network as a whole"),
    "servers": text("names, ranges web[1-4], @tag, state:WORD, all; separated by blanks"),
    "kind": text("outlet, control, test, server or network"),
    "object": text("name of the outlet, control or test"),
    "key": text("what is measured, such as power_w"),
    "points": integer("how many of each series at most; default: 600", minimum=1, maximum=5000),
}
SERIES = record(
    "What is measured; every_s: seconds from one sample to the next.",
    server=text(),
    kind=text(),
    object=text(),
    key=text(),
    unit=text(),
    every_s=number(),
)
BUCKET = array(number(), "start, end, least, greatest, mean, number of samples")
SAMPLES = record(
    "A series in stretches without a gap.", **SERIES["properties"], segments=array(array(BUCKET), "stretches")
)
BAND = record(
    "A stretch of time in one state; empty: the daemon did not run.",
    start=shapes.WHEN,
    end=shapes.WHEN,
    state=text(),
    why=text(),
    run={},
    who=text(),
)


@endpoint(
    "GET",
    "/history",
    "Return what happened, newest first, as far back as it is kept.",
    query={
        **SPAN,
        "server": text("only its events"),
        "kind": text("kind of event"),
        "who": text("name of a user or a token"),
        "via": text("cli, gui, socket or plugin"),
        "text": text("what the text has in it"),
        "failed": boolean("only what tells of a failure"),
        "limit": integer("default: 100", minimum=1, maximum=1000),
        "before": integer("next of the page before", minimum=1, maximum=2**53),
    },
    answer=record("", events=array(shapes.EVENT), next={}, fault=text("why only what is in memory is known")),
)
def list_history(call: Call) -> dict[str, Any]:
    return call.daemon("eventsHistory", call.query)


@endpoint(
    "POST",
    "/notes",
    "Add a note to the history.",
    permission="operate",
    body=body(
        "",
        text=text("what is to be remembered", minLength=1, maxLength=2000),
        server_=text("name of the server that it is about"),
        event_=integer("number of the event that it is about", minimum=1, maximum=2**53),
    ),
    answer=record("", seq=integer("its number")),
)
def add_note(call: Call) -> dict[str, Any]:
    return call.daemon("annotate", call.body)


@endpoint(
    "GET",
    "/series",
    "Return what is measured.",
    query={"server": text("only of it")},
    answer=record("", series=array(SERIES)),
)
def list_series(call: Call) -> dict[str, Any]:
    return call.daemon("series", call.query)


@endpoint(
    "GET",
    "/samples",
    "Return what was measured, put together to some points, with gaps as gaps.",
    query=WHICH,
    answer=record("", since=shapes.WHEN, until=shapes.WHEN, series=array(SAMPLES), left_out=integer()),
)
def list_samples(call: Call) -> dict[str, Any]:
    query: dict[str, Any] = dict(call.query)
    if "servers" in query:
        query["servers"] = query["servers"].split()
    return call.daemon("samples", query)


@endpoint(
    "GET",
    "/servers/{server}/timeline",
    "Return the states of a server over time, its attempts, tests and orders.",
    path=SERVER,
    query=SPAN,
    problems=(404,),
    answer=record("", server=text(), since=shapes.WHEN, until=shapes.WHEN, bands=array(BAND)),
)
def get_timeline(call: Call) -> dict[str, Any]:
    return call.daemon("timeline", {"server": call.path["server"], **call.query})


@endpoint(
    "GET",
    "/durations",
    "Return how long servers took to start and to stop the last times.",
    query={"server": text("only of it")},
    answer=record("", servers=mapping({})),
)
def list_durations(call: Call) -> dict[str, Any]:
    return call.daemon("durations", call.query)
