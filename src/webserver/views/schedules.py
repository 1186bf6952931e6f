"""Schedules: what is switched by itself, and when. They are edited with the settings, and run now through a plan."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from ..ockle_client.connection import ClientError
from ..texts import N_

UPCOMING = 3
WHAT = {
    "ordered": N_("ordered"),
    "nothing to do": N_("nothing to do"),
    "missed": N_("missed"),
    "refused": N_("refused"),
}


@view_config(route_name="runs.schedules", renderer="schedules.jinja2", request_method="GET")
def schedules(request: Request) -> dict[str, Any]:
    try:
        found = request.daemon.call("getSchedules", {"next": UPCOMING})
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        found = {"schedules": [], "idle": ""}
        return {**found, "enabled": False, "what": WHAT, "run_url": None}
    return {**found, "enabled": True, "what": WHAT, "run_url": lambda one: _run_url(request, one)}


def _run_url(request: Request, one: dict[str, Any]) -> str:
    """Return the address of the plan that carries a schedule out now."""
    names = [("server", name) for name in one["servers"]]
    query = [("action", one["action"]), *names, *(("exclude", name) for name in one["exclude"])]
    path: str = request.route_path("plan", _query=query)
    return path
