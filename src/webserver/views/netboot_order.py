"""Restart a board, or install it anew: what would happen is shown first, and ordered as it was looked at."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..ockle_client.connection import ClientError
from ..proof import prove
from ..texts import _
from .netboot_board import ORDER_S, noted_path

COMMANDS = {"restart": "netbootRestart", "reinstall": "netbootReinstall"}
REFUSALS = ("refused", "conflict", "bad_request", "not_found", "device", "timeout")


@view_config(route_name="netboot.order", renderer="netboot_order.jinja2", request_method="GET", permission="operate")
def look(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="netboot.order", renderer="netboot_order.jinja2", request_method="POST", permission="operate")
def order(request: Request) -> Response | dict[str, Any]:
    """Give the order; what was typed, and the plan that was looked at, go with it, and the daemon compares."""
    action = request.matchdict["action"]
    data = _wish(request) | {"confirm": request.POST.get("confirm", "").strip()}
    if rev := request.POST.get("rev", ""):
        data["rev"] = rev
    prove(request)
    try:
        reply = request.daemon.call(COMMANDS[action], data, ORDER_S)
    except ClientError as error:
        if error.code == "unknown_command":
            return _page(request, 501, _("This daemon does not know that order."))
        if error.code not in REFUSALS:
            raise
        return _page(request, 502 if error.code == "device" else 409, error.message)
    request.registry.netboot_page.forget()
    if reply.get("run"):
        return HTTPSeeOther(request.route_path("run", run=reply["run"]))
    return HTTPSeeOther(noted_path(request, action))


def _wish(request: Request) -> dict[str, Any]:
    """Return what is asked for, by the form or by the address of the page."""
    found: dict[str, Any] = {"board": request.matchdict["board"]}
    if request.params.get("force") == "yes":
        found["force"] = True
    if request.matchdict["action"] == "reinstall":
        found["power"] = request.params.get("power", "yes") == "yes"
        if image := request.params.get("image", "").strip():
            found["image"] = image
    return found


def _page(request: Request, status: int = 200, problem: str = "") -> dict[str, Any]:
    request.response.status_int = status
    action = request.matchdict["action"]
    board = request.daemon.call("netbootBoard", {"board": request.matchdict["board"]})["board"]
    wish, found, refusal = _wish(request), None, ""
    try:
        found = request.daemon.call(COMMANDS[action], {**wish, "dry_run": True}, ORDER_S)
    except ClientError as error:
        if error.code == "unknown_command":
            refusal = _("This daemon does not know that order.")
        elif error.code in REFUSALS:
            refusal = error.message
        else:
            raise
    images = {one["image"] for one in request.daemon.call("netbootProfiles")["profiles"]}
    return {
        "action": action,
        "board": board,
        "wish": wish,
        "found": found,
        "refusal": refusal,
        "images": sorted(images | {board["image"]}),
        "problem": problem if problem != refusal else "",
    }
