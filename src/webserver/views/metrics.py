"""/metrics, for Prometheus: what the daemon tells of itself and of all that it watches."""

from __future__ import annotations

import logging
from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config

from ..daemon import ask_as_gui
from ..exposition import CLASSIC, OPENMETRICS, classic, openmetrics
from ..ockle_client.connection import ClientError, ConnectionFailed
from ..security import is_local

log = logging.getLogger(__name__)

ASK_S = 8.0
"""Prometheus waits 10 s unless it is told otherwise; the answer that there is none has to come within that."""
COMMAND = "getMetrics"
AWAY = ("busy", "stopping", "timeout", "internal")
"""Codes with which a daemon that is there does not answer."""
UP: dict[str, Any] = {"name": "ockle_up", "type": "gauge", "help": "1 if the daemon answers, 0 if it does not."}


@view_config(route_name="metrics", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def metrics(request: Request) -> Response:
    """Always 200 to who may look: that the daemon is away is a figure as well, ``ockle_up`` 0 and nothing else."""
    who_may = request.registry.web_settings.metrics
    if who_may == "off":
        raise HTTPNotFound
    everybody = who_may == "open" or (who_may == "local" and is_local(request))
    if not everybody and not request.has_permission("view"):
        raise HTTPForbidden
    found = _families(request)
    families = [{**UP, "samples": [("", {}, int(bool(found)))]}, *found]
    wanted = "application/openmetrics-text" in request.headers.get("Accept", "")
    write, media = (openmetrics, OPENMETRICS) if wanted else (classic, CLASSIC)
    text = write(families, all_states=request.GET.get("states") != "present")
    return Response(text.encode(), headerlist=[("Content-Type", media)])


def _families(request: Request) -> list[dict[str, Any]]:
    """Return what the daemon tells, nothing while it does not answer."""
    try:
        if request.identity is not None:
            reply = request.daemon.call(COMMAND, {}, ASK_S)
        else:
            with request.registry.gate.entered(request.remote_addr or ""):
                reply = ask_as_gui(request, COMMAND, timeout=ASK_S)
    except (ClientError, ConnectionFailed) as error:
        if isinstance(error, ClientError) and error.code not in AWAY:
            raise  # a token that has ended, say: that the daemon is away would be a lie
        log.debug("no metrics: %s", error)
        return []
    found: list[dict[str, Any]] = reply["families"]
    return found


def includeme(config: Configurator) -> None:
    config.add_route("metrics", "/metrics")
