"""Nodes: what machines say of themselves, live, how it stands to its limits, and what became of it."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..live.page import changes, revision
from ..live.parts import Parts
from ..nodes import words
from ..nodes.page import Look, node_parts, overview_page
from ..past import charts_of
from ..window import window_of

ASK_S = 60.0
ROUTES = {
    "servers.nodes_live": "/nodes/live",
    "servers.node": "/nodes/{node}",
    "servers.node_live": "/nodes/{node}/live",
    "servers.nodes_ask": "/nodes/{node}/ask",
}


def includeme(config: Configurator) -> None:
    config.registry.nodes_page = overview_page()
    for name, pattern in ROUTES.items():
        config.add_route(name, pattern)

    def finish() -> None:
        config.get_jinja2_environment().globals.update(
            node_look=words.node_look,
            limit_look=words.limit_look,
            figures_of=words.figures,
            figures_shown=words.SHOWN,
            figure_name=words.figure_name,
            figure_text=words.figure_text,
            worst_limit=words.worst_limit,
        )

    config.action(None, finish, order=1000)


def nodes_look(request: Request) -> Look:
    """Return all nodes, as they were at most a second ago."""
    found: Look = request.registry.nodes_page.look(request)
    return found


@view_config(route_name="servers.nodes", renderer="nodes.jinja2", request_method="GET")
def nodes(request: Request) -> dict[str, Any]:
    look = nodes_look(request)
    parts = request.registry.nodes_page.parts(request, look)
    enabled = look.nodes is not None
    return {"enabled": enabled, "parts": parts, "rev": revision(request, parts), "problem": ""}


@view_config(route_name="servers.nodes_live", renderer="json", request_method="GET")
def nodes_live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    return changes(request, request.registry.nodes_page.parts(request, nodes_look(request)))


@view_config(route_name="servers.node", renderer="node.jinja2", request_method="GET")
def node(request: Request) -> dict[str, Any]:
    found, parts = _one(request)
    window = window_of(request)
    which = {"server": found["server"], "kind": "node", "object": found["name"]}
    charts, problem = charts_of(request, which, window)
    shown = {"node": found, "parts": parts, "rev": revision(request, parts), "window": window}
    return {**shown, "charts": charts, "charts_problem": problem, "problem": ""}


@view_config(route_name="servers.node_live", renderer="json", request_method="GET")
def node_live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    return changes(request, _one(request)[1])


@view_config(route_name="servers.nodes_ask", request_method="POST", permission="operate")
def ask(request: Request) -> Response:
    """Ask a node now, and go back to the page that the button stood on."""
    name = request.matchdict["node"]
    request.daemon.call("askNode", {"node": name}, timeout=ASK_S)
    request.registry.nodes_page.forget()
    if request.POST.get("back") == "node":
        return HTTPSeeOther(request.route_path("servers.node", node=name))
    return HTTPSeeOther(request.route_path("servers.nodes"))


def _one(request: Request) -> tuple[dict[str, Any], Parts]:
    name = request.matchdict["node"]
    found = next((one for one in nodes_look(request).nodes or () if one["name"] == name), None)
    if found is None:
        raise HTTPNotFound
    return found, node_parts(request, found)
