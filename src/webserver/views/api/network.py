"""The network as a whole: events, AutoControl, safe mode, emergencies, figures."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...proof import prove
from . import shapes
from .endpoint import Call, endpoint
from .schema import array, body, boolean, check, choice, integer, mapping, number, record, text

EMERGENCY_WORD = "emergency"


@endpoint(
    "GET",
    "/events",
    "Return what happened lately, oldest first.",
    query={
        "since": number("seconds ago", minimum=0),
        "since_seq": integer("number of the last event known", minimum=0, maximum=2**53),
        "server": text("only its events"),
        "limit": integer("how many of the newest; default: 200", minimum=1, maximum=1000),
    },
    answer=record("", events=array(shapes.EVENT)),
)
def list_events(call: Call) -> dict[str, Any]:
    return call.daemon("events", {"limit": 200, **call.query})


@endpoint(
    "GET",
    "/auto",
    "Return the master switch of AutoControl.",
    answer=record("", status=choice("on", "off")),
)
def get_auto(call: Call) -> dict[str, Any]:
    return call.daemon("getAutoControlStatus")


@endpoint(
    "POST",
    "/auto",
    "Turn the master switch of AutoControl. Off: only what is ordered is switched.",
    permission="operate",
    body=body("", status=choice("on", "off")),
    answer=record("", status=choice("on", "off")),
)
def set_auto(call: Call) -> dict[str, Any]:
    return call.daemon("setAutoControlStatus", call.body)


@endpoint(
    "POST",
    "/resume",
    "Leave safe mode, as a person has looked: open runs go on.",
    permission="operate",
    answer=record("", reason=text("why it was entered, empty if it was not")),
)
def resume(call: Call) -> dict[str, Any]:
    return call.daemon("resume")


@endpoint(
    "GET",
    "/emergency",
    "Return the declared emergency, null when there is none.",
    answer=record("", emergency=shapes.EMERGENCY),
)
def get_emergency(call: Call) -> dict[str, Any]:
    return call.daemon("getEmergency")


@endpoint(
    "POST",
    "/emergency",
    "Have servers, and what needs them, down within a time, come what may; they stay down until it is cleared.",
    permission="operate",
    body=body(
        "",
        servers=shapes.SELECTION,
        within_s=number("seconds after which the last of them is cut", exclusiveMinimum=0, maximum=604800),
        confirm=text(f"the word {EMERGENCY_WORD}", maxLength=50),
        note_=shapes.NOTE,
    ),
    answer=record("", run=integer("that carries it out"), emergency=shapes.EMERGENCY),
    status=202,
    problems=(404, 409),
)
def declare_emergency(call: Call) -> dict[str, Any]:
    request = dict(call.body)
    check({"enum": [EMERGENCY_WORD]}, request.pop("confirm"), "confirm")
    prove(call.request)
    return call.daemon("declareEmergency", request)


@endpoint(
    "POST",
    "/emergency/clear",
    "End the emergency; what is off stays off until it is ordered on.",
    permission="operate",
    body=body("", confirm_=text("what is asked for while not all of them are down", maxLength=50)),
    answer=record("", emergency=shapes.EMERGENCY),
    problems=(409,),
)
def clear_emergency(call: Call) -> dict[str, Any]:
    prove(call.request)
    return call.daemon("clearEmergency", call.body)


@endpoint(
    "GET",
    "/metrics",
    "Return figures of the network.",
    answer=record(
        "",
        servers=mapping(integer(), "word of a state -> how many"),
        power_w=mapping(number(), "server -> watts, of those that measure"),
        runs_running=integer(),
        safe_mode=boolean(),
        emergency=boolean(),
        store_fault=boolean(),
        rev=integer(),
    ),
)
def get_metrics(call: Call) -> dict[str, Any]:
    status = call.daemon("status")
    servers = status["servers"]
    return {
        "servers": dict(Counter(server["word"] for server in servers.values())),
        "power_w": {name: one["power_w"] for name, one in servers.items() if one["power_w"] is not None},
        "runs_running": len(status["runs"]),
        "safe_mode": bool(status["safe_mode"]),
        "emergency": bool(status["emergency"]),
        "store_fault": bool(status["store_fault"]),
        "rev": status["rev"],
    }
