"""One board: how far it has come, what it said, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..netboot.page import board_parts, board_path, changes
from ..netboot.rows import Parts
from ..ockle_client.connection import ClientError
from ..proof import prove
from ..texts import N_, _

ORDER_S = 125.0
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
    images = {profile["image"] for profile in request.daemon.call("netbootProfiles")["profiles"]}
    return {
        "board": one,
        "parts": parts,
        "rev": request.registry.netboot_changes.note(parts),
        "path": board_path(request, one),
        "note": _(NOTES[note]) if note in NOTES else "",
        "problem": problem,
        "found": found,
        "images": sorted(images | {one["image"]}),
        "image": request.POST.get("image", ""),
    }


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
        if error.code not in ("refused", "device", "conflict", "bad_request", "timeout"):
            raise
        return page(request, {"device": 502, "timeout": 504}.get(error.code, 409), error.message)


def _restart(request: Request) -> Answer:
    data: dict[str, Any] = {"board": request.matchdict["board"]}
    if confirm := request.POST.get("confirm", "").strip():
        data |= {"confirm": confirm, "force": request.POST.get("force") == "yes"}
        prove(request)
    return _went(request, "netbootRestart", data)


def _reinstall(request: Request) -> Answer:
    label = request.daemon.call("netbootBoard", {"board": request.matchdict["board"]})["board"]["label"]
    confirm = request.POST.get("confirm", "").strip()
    if confirm != label:
        return page(request, 422, _("Nothing was ordered: type the name of the board, {}.").format(label))
    prove(request)
    data = {"board": request.matchdict["board"], "confirm": confirm, "power": request.POST.get("power") == "yes"}
    if image := request.POST.get("image", "").strip():
        data["image"] = image
    return _went(request, "netbootReinstall", data)


def _keep(request: Request) -> Answer:
    return _went(request, "netbootKeep", {"board": request.matchdict["board"]})


def _find_port(request: Request) -> Answer:
    found = request.daemon.call("netbootFindPort", {"board": request.matchdict["board"]}, ORDER_S)
    return page(request, found=found)


def _went(request: Request, command: str, data: dict[str, Any]) -> Answer:
    reply = request.daemon.call(command, data, ORDER_S)
    request.registry.netboot_looks.forget()
    if reply.get("run"):
        return HTTPSeeOther(request.route_path("run", run=reply["run"]))
    path = request.route_path("netboot.board", board=request.matchdict["board"])
    return HTTPSeeOther(f"{path}?note={request.matchdict['action']}")


_ORDERS: dict[str, Callable[[Request], Answer]] = {
    "restart": _restart,
    "reinstall": _reinstall,
    "keep": _keep,
    "find-port": _find_port,
}
