"""Runs: the list, and one of them while it is under way and afterwards."""

from __future__ import annotations

import time
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from .. import recap
from ..gantt import draw, rows_of_run
from ..gantt.rows import now_of_run
from ..orders import again, back

SHOWN = 100
LONGEST_ID = 15


def includeme(config: Configurator) -> None:
    config.add_route("run.live", "/runs/{run:\\d+}/live")
    config.add_route("run.cancel", "/runs/{run:\\d+}/cancel")


@view_config(route_name="runs", renderer="runs.jinja2", request_method="GET")
def runs(request: Request) -> dict[str, Any]:
    found = request.daemon.call("runs", {"limit": SHOWN})["runs"]
    return {"runs": found, "title": recap.title, "run_state": recap.state, "shown": SHOWN}


@view_config(route_name="run", renderer="run.jinja2", request_method="GET")
def run(request: Request) -> dict[str, Any]:
    return _shown(request)


@view_config(route_name="run.live", renderer="parts/run.jinja2", request_method="GET")
def live(request: Request) -> dict[str, Any]:
    """Return the part of the page that changes, for the page's script."""
    return _shown(request)


@view_config(route_name="run.cancel", request_method="POST", permission="operate")
def cancel(request: Request) -> Response:
    number = _number(request)
    request.daemon.call("cancel", {"run": number})
    return HTTPSeeOther(request.route_path("run", run=number))


def _shown(request: Request) -> dict[str, Any]:
    found = request.daemon.call("getRun", {"run": _number(request), "log": True})
    now = time.time()
    rows = rows_of_run(found, now)
    return {
        "run": found,
        "rows": rows,
        "title": recap.title(found),
        "run_state": recap.state(found),
        "chart": draw(rows, recap.title(found), now_of_run(found, now) if found["begun"] else None) if rows else "",
        "recap": recap.recap(found),
        "begins_in": 0.0 if found["begun"] else max(0.0, found["begins"] - now),
        "again": again(found),
        "back": back(found) if found["state"] != "running" else None,
    }


def _number(request: Request) -> int:
    return int(request.matchdict["run"][:LONGEST_ID])
