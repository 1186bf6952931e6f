"""Nodes: what machines say of themselves, and how it stands to its limits."""

from __future__ import annotations

from typing import Any

from .endpoint import Call, endpoint
from .schema import array, choice, mapping, nullable, number, record, text

ASK_S = 60.0
NODE = record(
    "A machine that is asked for its figures.",
    name=text(),
    server=text("the server that it is, empty for none"),
    monitor=text("the monitor that asks it"),
    url=text("where it is asked"),
    state=choice("up", "missing", "waiting", "off", description="waiting: not known yet; off: its server is"),
    since=number("when that began, in seconds since 1970"),
    at=nullable(number("when the figures came, in seconds since 1970; null: not yet")),
    problem=text("why there are no figures, or what is wrong with them; empty: all is well"),
    figures=mapping(number(), "what it measures, the unit in the name"),
    limits=array(
        record(
            "A limit of a figure.",
            key=text("the figure"),
            rule=text("as it is configured"),
            severity=choice("info", "warning", "critical"),
            state=choice("ok", "pending", "over", description="pending: beyond, but not for long enough yet"),
            since=nullable(number("seconds since 1970")),
            value=nullable(number("what the figure was last")),
        )
    ),
)


@endpoint(
    "GET",
    "/nodes",
    "Return the nodes with their figures and limits.",
    answer=record("", nodes=array(NODE), warnings=array(text(), "limits that guard nothing")),
    problems=(501,),
)
def list_nodes(call: Call) -> dict[str, Any]:
    return call.daemon("getNodes")


@endpoint(
    "POST",
    "/nodes/{node}/ask",
    "Ask a node for its figures now.",
    "operate",
    path={"node": text("name of a node", minLength=1, maxLength=300)},
    answer=NODE,
    problems=(404, 409, 501),
)
def ask_node(call: Call) -> dict[str, Any]:
    return call.daemon("askNode", call.path, ASK_S)
