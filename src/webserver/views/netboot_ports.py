"""Which board hangs at which port: ports are switched off and on one after the other, and who appears is noted."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..live.page import changes, revision
from ..live.parts import Parts
from ..netboot.page import ports_parts
from ..ockle_client.connection import ClientError
from ..proof import prove
from ..texts import _

ANSWER_S = 60.0
REFUSALS = {
    "refused": 409,
    "bad_request": 422,
    "conflict": 409,
    "device": 502,
    "not_found": 404,
    "unknown_command": 501,
}
SWITCH_TYPE = "PoE"


@view_config(route_name="netboot.ports", renderer="netboot_ports.jinja2", request_method="GET", permission="operate")
def ports(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="netboot.ports_live", renderer="json", request_method="GET")
def live(request: Request) -> dict[str, Any]:
    """Return what of the result has changed since the revision in ``since``."""
    return changes(request, _parts(request)[1])


@view_config(route_name="netboot.ports", renderer="netboot_ports.jinja2", request_method="POST", permission="operate")
def map_ports(request: Request) -> Response | dict[str, Any]:
    """Show which ports it would be; with the name of the switch typed, begin."""
    data = _wish(request)
    confirm = request.POST.get("confirm")
    try:
        if confirm is None:
            return _page(request, preview=request.daemon.call("netbootMapPorts", {**data, "dry_run": True}, ANSWER_S))
        prove(request)
        request.daemon.call("netbootMapPorts", {**data, "confirm": confirm.strip()}, ANSWER_S)
    except ClientError as error:
        return _refused(request, error)
    return HTTPSeeOther(request.route_path("netboot.ports"))


@view_config(
    route_name="netboot.ports_cancel", renderer="netboot_ports.jinja2", request_method="POST", permission="operate"
)
def cancel(request: Request) -> Response | dict[str, Any]:
    number = request.POST.get("id", "")
    try:
        request.daemon.call("netbootCancelMapping", {"id": int(number[:15]) if number.isdecimal() else 0})
    except ClientError as error:
        return _refused(request, error)
    return HTTPSeeOther(request.route_path("netboot.ports"))


def _wish(request: Request) -> dict[str, Any]:
    post = request.POST
    found: dict[str, Any] = {"pdu": post.get("pdu", "").strip(), "write": post.get("write") == "yes"}
    if chosen := post.get("ports", "").replace(",", " ").split():
        found["ports"] = chosen
    return found


def _refused(request: Request, error: ClientError) -> dict[str, Any]:
    if error.code not in REFUSALS:
        raise error
    unknown = error.code == "unknown_command"
    text = _("This daemon does not know that order.") if unknown else error.message
    return _page(request, REFUSALS[error.code], text)


def _parts(request: Request) -> tuple[dict[str, Any], Parts]:
    """Return the newest mapping, {} = there was none, and the parts of the page that show it."""
    try:
        mapping = request.daemon.call("netbootMapping")
    except ClientError as error:
        if error.code not in ("not_found", "unknown_command"):
            raise
        mapping = {}
    return mapping, ports_parts(request, mapping)


def _page(
    request: Request, status: int = 200, problem: str = "", preview: dict[str, Any] | None = None
) -> dict[str, Any]:
    request.response.status_int = status
    mapping, parts = _parts(request)
    return {
        "mapping": mapping,
        "parts": parts,
        "rev": revision(request, parts),
        "switches": _switches(request),
        "typed": {name: request.POST.get(name, "") for name in ("pdu", "ports", "write")},
        "preview": preview,
        "problem": problem,
    }


def _switches(request: Request) -> list[str]:
    found = request.daemon.call("configObjects", {"folder": "outlets", "stored": True})["objects"]
    return [one["name"] for one in found if one["type"] == SWITCH_TYPE]
