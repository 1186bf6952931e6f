"""Servers, and their outlets, controls and tests. To switch a server, make a plan: /plans."""

from __future__ import annotations

from typing import Any

from ...limits import FORCE_S, PART_S
from ...proof import prove
from . import shapes
from .endpoint import Call, endpoint
from .schema import anything, array, body, boolean, check, choice, mapping, number, record, text

SERVER = {"server": shapes.NAME}
STATE = choice("on", "off")
RESULTS = record("", results=mapping(record("", state=text(), message=text(), seconds=number())))


@endpoint(
    "GET",
    "/servers",
    "Return all servers, in the order of their dependencies.",
    query={"tag": text("only those with it"), "state": text("only those whose word it is: on, off, failed …")},
    answer=record("", servers=mapping(shapes.SERVER)),
)
def list_servers(call: Call) -> dict[str, Any]:
    tag, state = call.query.get("tag"), call.query.get("state")
    return {
        "servers": {
            name: server
            for name, server in call.daemon("status")["servers"].items()
            if (tag is None or tag in server["tags"]) and (state is None or state == server["word"])
        }
    }


@endpoint(
    "GET",
    "/servers/{server}",
    "Return all that is known of a server.",
    path=SERVER,
    answer=record(
        "",
        name=shapes.NAME,
        OpState=text(),
        why=text(),
        outlets=mapping(shapes.PART_STATE),
        controls=mapping(shapes.PART_STATE),
        tests=mapping(shapes.PART_STATE),
        durations=record("seconds of the last switchings", on=array(number()), off=array(number())),
    ),
    problems=(404,),
)
def get_server(call: Call) -> dict[str, Any]:
    return call.daemon("getServerView", {"server": call.path["server"]})


@endpoint(
    "GET",
    "/servers/{server}/why",
    "Return why a server is as it is: what holds it, what it waits for, what would free it.",
    path=SERVER,
    answer=record("", server=shapes.NAME, word=text(), reasons=array(anything()), chain=array(anything())),
    problems=(404,),
)
def why_server(call: Call) -> dict[str, Any]:
    return call.daemon("why", {"server": call.path["server"]})


@endpoint(
    "POST",
    "/servers/{server}/test",
    "Run the tests of a server, or one of them, now.",
    path=SERVER,
    body=body("", test_=shapes.PART),
    answer=RESULTS,
    problems=(404, 409, 502),
)
def test_server(call: Call) -> dict[str, Any]:
    one = {"obj": call.body["test"]} if "test" in call.body else {}
    return call.daemon("runTest", {"server": call.path["server"], **one}, PART_S)


@endpoint(
    "POST",
    "/servers/{server}/force",
    "Take a server out of all automation and switch it, whatever its neighbours do; clear gives it back.",
    permission="operate",
    path=SERVER,
    body=body(
        "",
        state=choice("on", "off", "clear"),
        confirm=text("the server's name: its neighbours are not asked", maxLength=300),
        note_=shapes.NOTE,
        for_s_=number("seconds after which it ends by itself; default: never", exclusiveMinimum=0, maximum=31622400),
    ),
    answer=record("", server=shapes.NAME, state=text()),
    problems=(404, 409, 502),
)
def force_server(call: Call) -> dict[str, Any]:
    return confirmed(call, "force", {"server": call.path["server"], **call.body}, FORCE_S)


@endpoint(
    "POST",
    "/servers/{server}/hold",
    "Keep automation off a server, or let it back; its power stays as it is.",
    permission="operate",
    path=SERVER,
    body=body("", held=boolean(), note_=shapes.NOTE),
    answer=record("", server=shapes.NAME, held=boolean()),
    problems=(404,),
)
def hold_server(call: Call) -> dict[str, Any]:
    return call.daemon("hold", {"server": call.path["server"], **call.body})


@endpoint(
    "POST",
    "/servers/{server}/reset",
    "Forget failed attempts, and that a shutdown may be under way: somebody has looked at it.",
    permission="operate",
    path=SERVER,
    answer=record("", server=shapes.NAME, state=text()),
    problems=(404,),
)
def reset_server(call: Call) -> dict[str, Any]:
    return call.daemon("reset", {"server": call.path["server"]})


BY_HAND: dict[str, Any] = {
    "permission": "operate",
    "body": body(
        "",
        state=STATE,
        confirm=text("the server's name: what depends on it is not switched", maxLength=300),
        force_=boolean("even where somebody may be harmed by it"),
    ),
    "answer": record("", opState=text()),
    "problems": (404, 409, 502),
}


@endpoint(
    "POST",
    "/servers/{server}/outlets/{outlet}",
    "Switch one outlet, past the order of the network.",
    path={**SERVER, "outlet": shapes.PART},
    **BY_HAND,
)
def switch_outlet(call: Call) -> dict[str, Any]:
    return _by_hand(call, "switchOutlet", call.path["outlet"])


@endpoint(
    "POST",
    "/servers/{server}/controls/{control}",
    "Have one control shut its server down or, where its type can, start it.",
    path={**SERVER, "control": shapes.PART},
    **BY_HAND,
)
def switch_control(call: Call) -> dict[str, Any]:
    return _by_hand(call, "switchControl", call.path["control"])


def _by_hand(call: Call, command: str, part: str) -> dict[str, Any]:
    request = {"server": call.path["server"], "obj": part, **call.body}
    return confirmed(call, command, request, PART_S)


def confirmed(call: Call, command: str, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    """Send ``command`` if the name of its server was confirmed, as a page and the command line have it typed."""
    check({"enum": [request["server"]]}, request["confirm"], "confirm")
    prove(call.request)
    return call.daemon(command, request, timeout)
