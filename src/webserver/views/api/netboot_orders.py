"""Orders about boards: restart, install anew, find their ports. What an order would do is told with ``dry_run``."""

from __future__ import annotations

from typing import Any

from ...proof import prove
from .endpoint import Call, endpoint
from .netboot import BOARD
from .schema import anything, array, body, boolean, integer, number, text

ORDER_S = 125.0
RESULT = anything("what became of it")
CONFIRM = text("what a dry run says", maxLength=300)
LOOKED = {
    "confirm_": CONFIRM,
    "rev_": text("of the plan that was looked at; refused when it has changed", maxLength=80),
    "dry_run_": boolean("true: only tell what it would do, and what confirms it"),
    "force_": boolean("true: also where no switch sees the board now"),
}


@endpoint(
    "POST",
    "/netboot/boards/{board}/restart",
    "Restart a board: by a run where it is a server, else by its port.",
    permission="operate",
    path=BOARD,
    body=body("", **LOOKED),
    answer=RESULT,
    problems=(409, 502),
)
def restart_board(call: Call) -> dict[str, Any]:
    return _ordered(call, "netbootRestart")


@endpoint(
    "POST",
    "/netboot/boards/{board}/reinstall",
    "Have a board installed anew at its next hello, once. What is on its disk is lost.",
    permission="operate",
    path=BOARD,
    body=body(
        "",
        **LOOKED,
        image_=text("another one than that of its profile", maxLength=300),
        power_=boolean("false: do not restart it now"),
    ),
    answer=RESULT,
    problems=(409, 502),
)
def reinstall_board(call: Call) -> dict[str, Any]:
    return _ordered(call, "netbootReinstall")


@endpoint(
    "POST",
    "/netboot/boards/{board}/keep",
    "Take back that a board is to be installed anew.",
    permission="operate",
    path=BOARD,
    answer=RESULT,
    problems=(409,),
)
def keep_board(call: Call) -> dict[str, Any]:
    return call.daemon("netbootKeep", call.path)


@endpoint(
    "POST",
    "/netboot/boards/{board}/find-port",
    "Ask the switches at which port they see a board; switches nothing.",
    permission="operate",
    path=BOARD,
    answer=RESULT,
    problems=(409, 502),
)
def find_port(call: Call) -> dict[str, Any]:
    return call.daemon("netbootFindPort", call.path, ORDER_S)


@endpoint(
    "GET",
    "/netboot/mapping",
    "Return how far the newest mapping of ports is, and what it found.",
    answer=RESULT,
)
def get_mapping(call: Call) -> dict[str, Any]:
    return call.daemon("netbootMapping")


@endpoint(
    "POST",
    "/netboot/mapping",
    "Switch the ports of a switch off and on one after the other, and note who appears.",
    permission="operate",
    body=body(
        "",
        pdu=text("name of the switch", minLength=1, maxLength=300),
        ports_=array(text(maxLength=40), "such as 3, 2.7, 1-8; default: all", maxItems=500),
        write_=boolean("true: boards that are found become hosts"),
        wait_s_=number("seconds that a board is given to show itself", exclusiveMinimum=0, maximum=3600),
        confirm_=CONFIRM,
        dry_run_=boolean("true: only tell which ports it would be"),
    ),
    answer=RESULT,
    problems=(409, 502),
)
def map_ports(call: Call) -> dict[str, Any]:
    return _ordered(call, "netbootMapPorts")


@endpoint(
    "POST",
    "/netboot/mapping/cancel",
    "End a mapping; the port in hand gets its power back first.",
    permission="operate",
    body=body("", id=integer("of the mapping", minimum=0, maximum=2**53)),
    answer=RESULT,
    problems=(409,),
)
def cancel_mapping(call: Call) -> dict[str, Any]:
    return call.daemon("netbootCancelMapping", call.body)


def _ordered(call: Call, command: str) -> dict[str, Any]:
    if not call.body.get("dry_run"):
        prove(call.request)
    return call.daemon(command, {**call.path, **call.body}, ORDER_S)
