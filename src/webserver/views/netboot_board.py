"""One board: how far it has come, what it said, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..live.page import changes, revision
from ..live.parts import Parts
from ..netboot.page import board_parts, board_path
from ..ockle_client.connection import ClientError
from ..texts import N_, _

ORDER_S = 125.0
REFUSALS = {"refused": 409, "conflict": 409, "bad_request": 422, "not_found": 404, "device": 502, "timeout": 504}
NOTES = {
    "restart": N_("It is switched off and on again."),
    "reinstall": N_("It is installed anew the next time it says hello."),
    "keep": N_("It is not installed anew."),
    "adopt": N_("It is known from now on, and gets its address when it asks again."),
}
"""What stands in ``?note=`` after an order -> what the page says."""
Answer: TypeAlias = Response | dict[str, Any]


@view_config(route_name="netboot.board", renderer="netboot_board.jinja2", request_method="GET")
def board(request: Request) -> dict[str, Any]:
    return page(request)


@view_config(route_name="netboot.board_live", renderer="json", request_method="GET")
def live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    return changes(request, _parts(request)[1])


def _parts(request: Request) -> tuple[dict[str, Any], Parts]:
    found = request.daemon.call("netbootBoard", {"board": request.matchdict["board"]})
    return found["board"], board_parts(request, found["board"], found["lines"])


def page(request: Request, status: int = 200, problem: str = "", found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what the page shows. ``found``: where the board's port is, if that was asked for."""
    request.response.status_int = status
    one, parts = _parts(request)
    note = request.GET.get("note", "")
    return {
        "board": one,
        "parts": parts,
        "rev": revision(request, parts),
        "path": board_path(request, one),
        "note": _(NOTES[note]) if note in NOTES else "",
        "problem": problem,
        "found": found,
    }


def noted_path(request: Request, note: str) -> str:
    """Return the address of the board's page, which then says ``note``, one of NOTES."""
    path: str = request.route_path("netboot.board", board=request.matchdict["board"], _query={"note": note})
    return path


@view_config(
    route_name="netboot.board_do", renderer="netboot_board.jinja2", request_method="POST", permission="operate"
)
def do(request: Request) -> Answer:
    """Give an order, and lead back to the page; a refusal is told there."""
    action = request.matchdict["action"]
    try:
        return _ORDERS[action](request)
    except ClientError as error:
        if error.code == "unknown_command":
            return page(request, 501, _("This daemon does not know that order."))
        if error.code not in REFUSALS:
            raise
        return page(request, REFUSALS[error.code], error.message)


def _find_port(request: Request) -> Answer:
    found = request.daemon.call("netbootFindPort", {"board": request.matchdict["board"]}, ORDER_S)
    return page(request, found=found)


def _keep(request: Request) -> Answer:
    request.daemon.call("netbootKeep", {"board": request.matchdict["board"]})
    request.registry.netboot_page.forget()
    return HTTPSeeOther(noted_path(request, "keep"))


_ORDERS: dict[str, Callable[[Request], Answer]] = {"keep": _keep, "find-port": _find_port}
