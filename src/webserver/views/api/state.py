"""The poll of every open page: what state every server is in, from the snapshot, without asking the daemon."""

from __future__ import annotations

from typing import Any

from ...alerts.words import badge
from ...states import look
from . import shapes
from .endpoint import Call, endpoint
from .schema import array, boolean, choice, integer, mapping, nullable, number, record, text

STATE = record(
    "What a page shows of a server.",
    state=text("in full"),
    word=text("as it is shown"),
    glyph=text(),
    style=text("the end of its CSS class"),
    group=text("under which it is counted"),
    why=text(),
    run=nullable(shapes.RUN_ID),
    power_w=nullable(number()),
    since=nullable(shapes.WHEN),
)

ALERTS = record(
    "The alerts that are open; null: none is.",
    count=integer("how many"),
    severity=choice("critical", "warning", "info", description="of the worst"),
    word=text("the severity as it is shown"),
    glyph=text(),
    style=text("the end of its CSS class"),
)


@endpoint(
    "GET",
    "/state",
    "Return the state of every server and the running runs, of the servers only those that changed since a rev.",
    query={"since": text("the rev of the last answer")},
    answer=record(
        "",
        rev=text("another one, another content"),
        age_s=nullable(number("how old the content is; null: nothing is known yet")),
        problem=text("why the daemon is not heard, empty while it is"),
        same=boolean("nothing but this, rev, age_s and problem when since is the rev"),
        full=boolean("true: these are all servers; false: those that changed since the rev that was given"),
        master=choice("on", "off", ""),
        topology=text("another one when who needs whom has changed: a picture of the network is then out of date"),
        servers=mapping(STATE),
        runs=array(shapes.SUMMARY),
        alerts=nullable(ALERTS),
    ),
)
def state(call: Call) -> dict[str, Any]:
    """Never 304: waitress closes the connection after one."""
    snapshot = call.request.snapshot
    reply: dict[str, Any] = {"rev": snapshot.tag, "age_s": snapshot.age_s, "problem": snapshot.problem}
    if call.query.get("since") == snapshot.tag:
        return {**reply, "same": True}
    changed = snapshot.changed_since(call.query.get("since", ""))
    names = snapshot.servers if changed is None else changed
    return {
        **reply,
        "full": changed is None,
        "master": snapshot.status.get("master", ""),
        "topology": call.request.registry.pictures.topology(snapshot.tag, snapshot.servers).revision,
        "servers": {name: _shown(snapshot.servers[name]) for name in names},
        "runs": snapshot.runs,
        "alerts": badge(snapshot.status.get("alerts")) or None,
    }


def _shown(server: Any) -> dict[str, Any]:
    seen = look(server["state"])
    return {
        "state": server["state"],
        "word": seen.word,
        "glyph": seen.glyph,
        "style": seen.style,
        "group": seen.group,
        "why": server["why"],
        "run": server["run"],
        "power_w": server["power_w"],
        "since": server["since"],
    }
