"""UPSes: a card for each, with what it says, what it feeds and what it took down."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.view import view_config

from ..ockle_client.connection import ClientError
from ..texts import N_

SUPPLIES = {"on mains": N_("on mains"), "on battery": N_("on battery"), "unknown": N_("unknown")}


@view_config(route_name="runs.ups", renderer="ups.jinja2", request_method="GET")
def upses(request: Request) -> dict[str, Any]:
    try:
        found = request.daemon.call("getUps")
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return {"upses": [], "trouble": "", "enabled": False, "supplies": SUPPLIES}
    return {**found, "enabled": True, "supplies": SUPPLIES}
