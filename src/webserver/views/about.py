"""What runs here."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config


@view_config(route_name="about", renderer="about.jinja2", request_method="GET")
def about(request: Request) -> dict[str, Any]:
    return {"about": request.daemon.call("about")}
