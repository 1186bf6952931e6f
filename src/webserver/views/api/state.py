"""The poll of every open page: what state every server is in, from the snapshot, without asking the daemon."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.view import view_config

from ...states import look


def includeme(config: Configurator) -> None:
    config.add_route("api.state", "/api/v1/state")


@view_config(route_name="api.state", renderer="json", request_method="GET")
def state(request: Request) -> dict[str, Any]:
    """Return ``rev``, ``age_s``, ``problem`` and all servers; without them, but ``same``, when ``since`` is the rev.

    Never 304: waitress closes the connection after one.
    """
    snapshot = request.snapshot
    reply: dict[str, Any] = {"rev": snapshot.tag, "age_s": snapshot.age_s, "problem": snapshot.problem}
    if request.GET.get("since") == snapshot.tag:
        return {**reply, "same": True}
    servers = {
        name: {
            "state": server["state"],
            "word": (seen := look(server["state"])).word,
            "glyph": seen.glyph,
            "style": seen.style,
            "group": seen.group,
            "why": server["why"],
            "run": server["run"],
            "power_w": server["power_w"],
            "since": server["since"],
        }
        for name, server in snapshot.servers.items()
    }
    return {**reply, "master": snapshot.status.get("master", ""), "servers": servers, "runs": snapshot.runs}
