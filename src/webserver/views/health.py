"""Whether the GUI works, for load balancers and monitors; and the states for a screen on the wall. No login."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from ..states import GROUPS, look

WORST_FIRST = ("gave-up", "failed", "unknown", "init", "falling", "rising", "forced-off", "forced-on", "off", "on")
"""Styles of states in the order in which the wall shows them."""


@view_config(route_name="health", renderer="json", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def health(_request: Request) -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}


@view_config(route_name="ready", renderer="json", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def ready(request: Request) -> dict[str, Any]:
    """It answers, and hears the daemon; what is wrong otherwise is for those who are logged in."""
    snapshot = request.snapshot
    good = not snapshot.stale and not snapshot.problem
    request.response.status_int = 200 if good else 503
    age = None if snapshot.age_s is None else round(snapshot.age_s, 1)
    return {"status": "ok" if good else "unavailable", "daemon": good, "age_s": age}


@view_config(route_name="status", renderer="status.jinja2", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def status(request: Request) -> dict[str, Any]:
    """Names and states, and nothing of the reasons: they hold addresses and the names of accounts."""
    if not request.registry.web_settings.wall:
        raise HTTPNotFound
    servers = [(name, look(server["state"])) for name, server in request.snapshot.servers.items()]
    counts = {group: sum(seen.group == group for _name, seen in servers) for group in GROUPS}
    rank = {style: place for place, style in enumerate(WORST_FIRST)}
    return {
        "servers": sorted(servers, key=lambda one: (rank.get(one[1].style, 0), one[0])),
        "counts": {group: count for group, count in counts.items() if count},
        "runs": [(run.get("action", ""), run.get("done", 0), run.get("total", 0)) for run in request.snapshot.runs],
    }
