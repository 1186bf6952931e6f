"""The first page: the whole network."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config


@view_config(route_name="network", renderer="network.jinja2", request_method="GET")
def network(request: Request) -> dict[str, Any]:
    return {"servers": request.snapshot.servers}
