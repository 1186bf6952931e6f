"""A board that asks and is not known becomes a host: it gets a name, and the address that is proposed or another."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..ockle_client.connection import ClientError


@view_config(route_name="netboot.adopt", renderer="netboot_adopt.jinja2", request_method="GET", permission="admin")
def form(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="netboot.adopt", renderer="netboot_adopt.jinja2", request_method="POST", permission="admin")
def adopt(request: Request) -> Response | dict[str, Any]:
    data = {name: request.POST.get(name, "").strip() for name in ("mac", "name", "ip")}
    try:
        host = request.daemon.call("netbootAdopt", data)["host"]
    except ClientError as error:
        if error.code not in ("bad_request", "conflict", "refused"):
            raise
        return _page(request, error.message, **data)
    request.registry.netboot_page.forget()
    return HTTPSeeOther(request.route_path("netboot.board", board=host["mac"], _query={"note": "adopt"}))


def _page(request: Request, problem: str = "", **typed: str) -> dict[str, Any]:
    found = request.daemon.call("netbootUnknown")
    mac = typed.get("mac") or request.GET.get("mac", "").strip()
    one = next((one for one in found["unknown"] if one["mac"] == mac), None)
    if problem:
        request.response.status_int = 422
    offered = {"mac": mac, "name": one["hostname"] if one else "", "ip": found["proposal"]}
    return {"one": one, "typed": typed or offered, "proposal": found["proposal"], "problem": problem}
