"""The page of one server: how it is and why, its parts, its neighbours, what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from pyramid.config import Configurator
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..ockle_client.connection import ClientError, ConnectionFailed
from .netboot import look_of
from .nodes import nodes_look

EVENTS = 20
ACTIONS = ("switch", "test", "check", "force", "hold", "reset")


def includeme(config: Configurator) -> None:
    for action in ACTIONS:
        config.add_route(f"server.{action}", f"/server/{{server}}/{action}")


@view_config(route_name="server", renderer="server.jinja2", request_method="GET")
def server(request: Request) -> Response | dict[str, Any]:
    """Show the server; what was known last while the daemon does not answer."""
    try:
        return page(request)
    except ConnectionFailed:
        name = request.matchdict["server"]
        known = request.snapshot.servers
        if name not in known:
            raise
        return render_to_response(
            "server_offline.jinja2", {"name": name, "status": known[name], "states": _states(request)}, request
        )


def page(request: Request, **more: Any) -> dict[str, Any]:
    """Return what the page of a server shows; ``more``: what an action has to tell."""
    name = request.matchdict["server"]
    call = request.daemon.call
    view = call("getServerView", {"server": name})
    status = call("status")["servers"].get(name)
    if status is None:  # taken out of the configuration just now
        raise ClientError("not_found", f"there is no server {name}")
    return {
        "name": name,
        "view": view,
        "status": status,
        "why": call("why", {"server": name}),
        "states": _states(request),
        "durations": {action: spread(view["durations"][action]) for action in ("on", "off")},
        "events": list(reversed(call("events", {"server": name, "limit": EVENTS})["events"])),
        "board": board_of(request, name),
        "alerts": alerts_of(request, name),
        "nodes": nodes_of(request, name),
        "results": None,
        "answers": None,
        "problem": "",
        **more,
    }


def board_of(request: Request, server: str) -> Mapping[str, Any] | None:
    """Return the board that this server is, as ``netbootBoards`` has it; None when it is none, or nobody can tell."""
    try:
        boards = look_of(request).boards
    except ClientError:  # the page of a server does not depend on the boot server's database
        return None
    return next((one for one in boards if one["server"] == server), None)


def alerts_of(request: Request, server: str) -> list[Mapping[str, Any]]:
    """Return the alerts that are about a server, or take it along; none when nobody can tell."""
    try:
        alerts = request.registry.alerts_page.look(request).alerts
    except ClientError:  # the plugin has just been started: the page does not wait for it
        return []
    return [
        one for one in alerts if server == one["server"] or any(server == other["server"] for other in one["affected"])
    ]


def nodes_of(request: Request, server: str) -> list[Mapping[str, Any]]:
    """Return what the machine of a server says of itself, once for each monitor that asks it."""
    return [one for one in nodes_look(request).nodes or () if one["server"] == server]


def spread(seconds: list[float]) -> Mapping[str, float] | None:
    """Return the median, the longest and the number of learned durations; None without any."""
    return {"median": median(seconds), "longest": max(seconds), "count": len(seconds)} if seconds else None


def _states(request: Request) -> dict[str, str]:
    return {name: server["state"] for name, server in request.snapshot.servers.items()}
