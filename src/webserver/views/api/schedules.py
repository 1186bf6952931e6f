"""Schedules: what is switched by itself, when it comes, and what became of the last time."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, boolean, choice, integer, nullable, record, text

SCHEDULE = record(
    "A schedule. Change it through the configuration, carry it out now through a plan.",
    name=text(),
    comment=text(),
    enabled=boolean(),
    action=choice("on", "off", "restart"),
    servers=array(text(), "selectors, as they are configured"),
    names=array(shapes.NAME, "the servers that they mean now"),
    exclude=array(shapes.NAME, "servers that it leaves as they are"),
    when=text("its times, for people"),
    zone=text("time zone, empty: that of the daemon's machine"),
    next=array(shapes.WHEN, "the times to come; none while it is disabled"),
    last=nullable(
        record(
            "What became of the last time.",
            due=shapes.WHEN,
            at=shapes.WHEN,
            what=choice("ordered", "nothing to do", "missed", "refused"),
            text=text("more about that"),
            run=integer("number of the run, 0: none"),
        )
    ),
    problem=text("why it never comes, or whom there is not; empty: all is well"),
)


@endpoint(
    "GET",
    "/schedules",
    "Return the schedules with the times to come.",
    query={"next": integer("how many times of each; default: 1", minimum=0, maximum=1000)},
    answer=record("", schedules=array(SCHEDULE), idle=text("why nothing is carried out now, empty if it is")),
    problems=(501,),
)
def list_schedules(call: Call) -> dict[str, Any]:
    return call.daemon("getSchedules", call.query)
