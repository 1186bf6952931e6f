"""Which board hangs at which port: ports are switched off and on one after the other, and who appears is noted."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..netboot.page import changes, ports_parts
from ..netboot.rows import Parts
from ..ockle_client.connection import ClientError
from ..proof import prove
from ..texts import _

ANSWER_S = 60.0


@view_config(route_name="netboot.ports", renderer="netboot_ports.jinja2", request_method="GET", permission="operate")
def ports(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="netboot.ports_live", renderer="json", request_method="GET")
def live(request: Request) -> dict[str, Any]:
    """Return what of the result has changed since the revision in ``since``."""
    return changes(request, _parts(request)[1])


@view_config(route_name="netboot.ports", renderer="netboot_ports.jinja2", request_method="POST", permission="operate")
def map_ports(request: Request) -> Response | dict[str, Any]:
    post = request.POST
    pdu, confirm = post.get("pdu", "").strip(), post.get("confirm", "").strip()
    if confirm != pdu or not pdu:
        return _page(request, 422, _("Nothing was switched: type the name of the switch."))
    prove(request)
    data: dict[str, Any] = {"pdu": pdu, "confirm": confirm, "write": post.get("write") == "yes"}
    if chosen := post.get("ports", "").strip():
        data["ports"] = chosen
    try:
        request.daemon.call("netbootMapPorts", data, ANSWER_S)
    except ClientError as error:
        if error.code == "unknown_command":
            return _page(request, 501, _("This daemon does not know that order."))
        if error.code not in ("refused", "bad_request", "conflict", "device"):
            raise
        return _page(request, 409, error.message)
    return HTTPSeeOther(request.route_path("netboot.ports"))


def _parts(request: Request) -> tuple[dict[str, Any] | None, Parts]:
    try:
        mapping = request.daemon.call("netbootMapping")
    except ClientError as error:
        if error.code not in ("not_found", "unknown_command"):
            raise
        mapping = {}
    return mapping, ports_parts(request, mapping)


def _page(request: Request, status: int = 200, problem: str = "") -> dict[str, Any]:
    request.response.status_int = status
    mapping, parts = _parts(request)
    return {
        "mapping": mapping,
        "parts": parts,
        "rev": request.registry.netboot_changes.note(parts),
        "switches": _switches(request),
        "typed": {name: request.POST.get(name, "") for name in ("pdu", "ports", "write")},
        "problem": problem,
    }


def _switches(request: Request) -> list[str]:
    return sorted(request.daemon.call("getPDUDict"))
