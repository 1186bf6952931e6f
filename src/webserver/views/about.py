"""What runs here, how it is, and what it is made of."""

from __future__ import annotations

import platform
from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from ... import __version__
from ..licences import OWN_LICENCE, libraries


@view_config(route_name="about", renderer="about.jinja2", request_method="GET")
def about(request: Request) -> dict[str, Any]:
    found = request.daemon.call("about")
    status = request.snapshot.status
    return {
        "about": found,
        "plugins": request.daemon.call("getAvailablePluginsList"),
        "troubles": [text for text in (status.get("safe_mode"), status.get("store_fault")) if text]
        + [f"{name}: {failure}" for name, failure in found["plugins"].items() if failure],
        "gui": {"version": __version__, "python": platform.python_version()},
        "licence": OWN_LICENCE,
        "libraries": libraries(),
    }
