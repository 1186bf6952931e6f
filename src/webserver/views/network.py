"""The first page: the whole network, as a picture and as a table, with a panel for the server that is selected."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..network.counts import counts
from ..network.drawing import draw, legend
from ..network.picture import Picture, Pictures
from ..network.standalone import stylesheet
from ..network.view import View
from ..ockle_client.connection import ClientError, ConnectionFailed
from ..states import look


def includeme(config: Configurator) -> None:
    config.registry.pictures = Pictures()
    config.add_route("network.panel", "/network/panel")
    config.add_route("network.svg", "/network.svg")
    config.add_route("network.auto", "/network/auto")


@view_config(route_name="network", renderer="network.jinja2", request_method="GET")
def network(request: Request) -> dict[str, Any]:
    found = _seen(request)
    view, servers, picture = found["view"], found["servers"], found["picture"]
    rows = [
        (name, server)
        for name in picture.topology.names
        for server in [servers[name]]
        if not view.state or look(server["state"]).group == view.state
    ]
    drawing = draw(picture, servers, view)
    return {
        **found,
        **_selected(request, view, picture),
        "drawing": drawing,
        "kinds": legend(picture),
        "counts": counts(servers),
        "rows": rows,
        "master": request.snapshot.status.get("master", ""),
    }


@view_config(route_name="network.panel", renderer="parts/network_panel.jinja2", request_method="GET")
def panel(request: Request) -> dict[str, Any]:
    """The panel alone, for the script that swaps it."""
    found = _seen(request)
    return {**found, **_selected(request, found["view"], found["picture"]), "kinds": legend(found["picture"])}


@view_config(route_name="network.svg", renderer="network.svg.jinja2", request_method="GET")
def svg(request: Request) -> dict[str, Any]:
    """The picture as a file; not to be shown from here, as our policy forbids the styles that stand in it."""
    found = _seen(request)
    request.response.content_type = "image/svg+xml"
    request.response.content_disposition = 'attachment; filename="network.svg"'
    drawing = draw(found["picture"], found["servers"], found["view"])
    return {**found, "drawing": drawing, "stylesheet": stylesheet()}


@view_config(route_name="network.auto", request_method="POST", permission="operate")
def switch_auto(request: Request) -> Response:
    """Turn the master switch of AutoControl on or off."""
    request.daemon.call("setAutoControlStatus", {"status": request.POST.get("status", "")})
    return HTTPSeeOther(request.route_path("network", _query=View.of(request.GET.items()).query()))


def _seen(request: Request) -> dict[str, Any]:
    """Return the view that is asked for, its picture, the servers, and what makes addresses of other views."""
    view, snapshot = View.of(request.GET.items()), request.snapshot
    pictures: Pictures = request.registry.pictures

    def url(**changes: Any) -> str:
        path: str = request.route_path("network", _query=view.query(**changes))
        return path

    return {
        "view": view,
        "servers": snapshot.servers,
        "picture": pictures.of(snapshot.tag, snapshot.servers, view),
        "url": url,
        "node_url": lambda name: url(select=name),
        "plan_url": lambda action, *names: plan_path(request, action, names),
        "now": time.time(),
    }


def plan_path(request: Request, action: str, names: Iterable[str]) -> str:
    """Return the address where an order is looked at before it is given."""
    path: str = request.route_path("plan", _query=[("action", action), *(("server", name) for name in names)])
    return path


def _selected(request: Request, view: View, picture: Picture) -> dict[str, Any]:
    """Return what the panel shows: ``selected`` and its ``parts``, or the members of a stack."""
    name, servers = view.select, request.snapshot.servers
    members = picture.stacks.get(name) or picture.foldable.get(name, ())
    found: dict[str, Any] = {"selected": "", "members": (), "parts": None, "parts_problem": "", "stack_of": ""}
    if members and name not in servers:
        return {**found, "selected": name, "members": members}
    if name not in servers:
        return found
    found["selected"] = name
    found["stack_of"] = next((stack for stack, inside in picture.foldable.items() if name in inside), "")
    if request.snapshot.problem:
        return found
    try:
        found["parts"] = request.daemon.call("getServerView", {"server": name}, timeout=5.0)
    except (ClientError, ConnectionFailed) as error:
        found["parts_problem"] = str(error)
    return found
