"""UPSes: what they say, what they feed, and what they took down."""

from __future__ import annotations

from typing import Any

from . import shapes
from .endpoint import Call, endpoint
from .schema import array, choice, mapping, nullable, number, record, text

UPS = record(
    "A UPS. What it took down is an emergency, and cleared as one.",
    name=text(),
    comment=text(),
    host=text("where it is asked"),
    supply=choice("on mains", "on battery", "unknown"),
    since=shapes.WHEN,
    status=text("its own words"),
    charge=nullable(number("percent; null: it does not say")),
    runtime_s=nullable(number("seconds that the battery lasts; null: it does not say")),
    figures=mapping(number(), "what else it measures, the unit in the name"),
    problem=text("why nothing is known, or what is not right with it; empty: all is well"),
    servers=array(shapes.NAME, "what it feeds"),
    shutdown_s=number("seconds that their shutdown takes by its plan"),
    fired=array(text(), "limits that were reached in this mains failure, and why"),
    down=array(shapes.NAME, "what went down for that"),
    waits_for=text("what is missing until they come back"),
)


@endpoint(
    "GET",
    "/ups",
    "Return the UPSes.",
    answer=record("", upses=array(UPS), trouble=text("why what should be done cannot be, empty: all is well")),
    problems=(501,),
)
def list_ups(call: Call) -> dict[str, Any]:
    return call.daemon("getUps")
