"""An emergency: everything chosen goes down in order within a time, come what may, and stays down until it is cleared.

Also the way out of safe mode.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..gantt import draw, rows_of_plan
from ..ockle_client.connection import ClientError
from ..orders import Wish, look
from ..proof import prove
from ..texts import _

DECLARE, CLEAR = "emergency", "clear emergency"
"""What has to be typed, as on the command line; the latter only while not all of them are down."""
DEFAULT_MINUTES = "5"


def includeme(config: Configurator) -> None:
    config.add_route("emergency", "/emergency")
    config.add_route("emergency.clear", "/emergency/clear")
    config.add_route("resume", "/resume")


@view_config(route_name="emergency", renderer="emergency.jinja2", request_method="GET")
def emergency(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="emergency", renderer="emergency.jinja2", request_method="POST", permission="operate")
def declare(request: Request) -> Response | dict[str, Any]:
    seconds = _seconds(request)
    if seconds is None:
        return _page(request, 422, _("A number of minutes above 0 is needed, such as 5."))
    if request.POST.get("confirm", "").strip() != DECLARE:
        return _page(request, 422, _("Nothing was switched: type the word {}.").format(DECLARE))
    prove(request)
    data = {"servers": _servers(request), "within_s": seconds, "note": request.POST.get("note", "")[:500]}
    return HTTPSeeOther(request.route_path("run", run=request.daemon.call("declareEmergency", data)["run"]))


@view_config(route_name="emergency.clear", renderer="emergency.jinja2", request_method="POST", permission="operate")
def clear(request: Request) -> Response | dict[str, Any]:
    prove(request)
    try:
        request.daemon.call("clearEmergency", {"confirm": request.POST.get("confirm", "").strip()})
    except ClientError as error:
        if error.code != "refused":
            raise
        return _page(request, 409, error.message)
    return HTTPSeeOther(request.route_path("emergency"))


@view_config(route_name="resume", request_method="POST", permission="operate")
def resume(request: Request) -> Response:
    """Leave safe mode, as a person has looked."""
    request.daemon.call("resume")
    return HTTPSeeOther(request.route_path("network"))


def _servers(request: Request) -> list[str]:
    return [name.strip() for name in request.params.getall("server") if name.strip()] or ["all"]


def _seconds(request: Request) -> float | None:
    try:
        seconds = float(request.params.get("within", DEFAULT_MINUTES)) * 60
    except ValueError:
        return None
    return seconds if 0 < seconds < float("inf") else None


def _page(request: Request, status: int = 200, problem: str = "") -> dict[str, Any]:
    request.response.status_int = status
    declared = request.daemon.call("getEmergency")["emergency"]
    looked = look(request.daemon.call, Wish("off", tuple(_servers(request)))) if request.snapshot.servers else None
    rows = rows_of_plan(looked.plan) if looked else []
    seconds = _seconds(request)
    return {
        "declared": declared,
        "plan": looked.plan if looked else None,
        "rows": rows,
        "chart": draw(rows, _("What goes down")) if rows else "",
        "chosen": _servers(request),
        "names": list(request.snapshot.servers),
        "within": request.params.get("within", DEFAULT_MINUTES)[:20],
        "too_short": bool(looked and seconds and looked.plan["total_s"] > seconds),
        "note": request.POST.get("note", "")[:500],
        "problem": problem,
        "declare_word": DECLARE,
        "clear_word": CLEAR,
    }
