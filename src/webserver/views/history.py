"""The history: what happened, and what was measured, over all servers; one event; the past of one server."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPBadRequest, HTTPNotFound, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..exports import export
from ..past import MOST_LANES, MOST_LINES, Bands, Chart, ask, data_url, event_link, past_of, samples_query
from ..plots.bands import lane_of
from ..plots.lines import Line, line_of, order
from ..texts import _
from ..window import RANGES, Window, window_of

LIMIT = 100
FILTERS = ("server", "kind", "who", "via", "text")
KINDS = (
    *("state", "run", "force", "hold", "emergency", "note", "auto", "schedule", "ups", "node", "config"),
    *("device", "drift", "supply", "relay", "circuit", "cut", "alert", "boot", "netboot", "plugin", "daemon"),
)
EVENT_COLUMNS = ["seq", "time", "kind", "server", "text", "who", "via", "why"]
SAMPLE_COLUMNS = ["start", "end", "server", "kind", "object", "key", "least", "greatest", "mean", "count"]


def includeme(config: Configurator) -> None:
    config.add_route("history.event", "/history/{seq:\\d{1,18}}")
    config.add_route("history.annotate", "/history/note")
    config.add_route("history.events", "/history/events.{format}")
    config.add_route("history.samples", "/history/samples.{format}")
    config.add_route("server.history", "/server/{server}/history")
    config.add_request_method(past_of, "past", reify=True)


@view_config(route_name="history", renderer="history.jinja2", request_method="GET")
def history(request: Request) -> dict[str, Any]:
    window = window_of(request)
    chosen = request.GET.get("servers", "").split()
    filters = _filters(request)
    reply, problem = ask(request, "eventsHistory", {**filters, **_span(window), **_page(request), "limit": LIMIT})
    return {
        "window": window,
        "ranges": RANGES,
        "servers": " ".join(chosen),
        "filters": filters,
        "kinds": KINDS,
        "events": reply["events"] if reply else [],
        "problem": problem or (reply or {}).get("fault", ""),
        "older": _older(request, window, reply["next"]) if reply and reply["next"] else "",
        "is_later_page": "before" in request.GET,
        **_pictures(request, window, chosen),
        "export_query": urlencode({**filters, **window.query}),
        "sample_query": urlencode({"servers": " ".join(chosen), **window.query}),
    }


def _pictures(request: Request, window: Window, chosen: list[str]) -> dict[str, Any]:
    """Return states and power of the chosen servers, of all and of the network without a choice."""
    which = {"servers": chosen or ["all"]}
    reply, lanes_problem = ask(request, "timelines", {**which, **_span(window)})
    found = reply["timelines"] if reply else []
    lanes = [lane_of(one, request.route_path("server", server=one["server"])) for one in found[:MOST_LANES]]
    bands = Bands(_("States of the servers"), lanes, window, event_link(request)) if lanes else None
    more_lanes = len(found) - len(lanes) + (reply["left_out"] if reply else 0)
    charts, plots_problem = _power(request, window, chosen)
    return {
        "bands": bands,
        "more_lanes": more_lanes,
        "lanes_problem": lanes_problem,
        "charts": charts,
        "plots_problem": plots_problem,
    }


def _power(request: Request, window: Window, chosen: list[str]) -> tuple[list[Chart], str]:
    """Return the power of all together, unless some are chosen, and of each server, unless these are too many."""
    charts, problem = [], ""
    if not chosen:
        total = {"server": "", "key": "power_w"}
        reply, problem = ask(request, "samples", samples_query(total, window))
        lines = [line for one in (reply["series"] if reply else []) if (line := line_of(one, _("all together")))]
        if lines:
            charts.append(Chart(_("Power of the network"), lines, window, data_url(request, total, window)))
    if not chosen and len(request.snapshot.servers) > MOST_LINES:
        return charts, problem or _("Name servers above to see the power of each.")
    which = {"servers": chosen or ["all"], "key": "power_w"}
    reply, problem = ask(request, "samples", samples_query(which, window))
    lines = order(_by_server(reply["series"] if reply else []))
    if lines:
        url = data_url(request, {"servers": " ".join(which["servers"]), "key": "power_w"}, window)
        left_out = max(0, len(lines) - MOST_LINES) + (reply["left_out"] if reply else 0)
        charts.append(Chart(_("Power by server"), lines[:MOST_LINES], window, url, left_out))
    return charts, problem


def _by_server(series: list[dict[str, Any]]) -> list[Line]:
    """Return a line for each server: of all its outlets together where these are several."""
    together = {one["server"] for one in series if one["kind"] == "server"}
    lines = []
    for one in series:
        if one["kind"] == "server" or (one["kind"] == "outlet" and one["server"] not in together):
            line = line_of(one, one["server"])
            if line is not None:
                lines.append(line)
    return lines


def _span(window: Window) -> dict[str, float]:
    return {"since": window.since, "until": window.until}


def _filters(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {name: value for name in FILTERS if (value := request.GET.get(name, "").strip()[:300])}
    return {**found, "failed": True} if request.GET.get("failed") else found


def _page(request: Request) -> dict[str, int]:
    before = request.GET.get("before", "")
    if not before:
        return {}
    if not (before.isascii() and before.isdigit() and 0 < int(before[:19]) < 2**62):
        raise HTTPBadRequest(_("before is {!r}: the number of an event is needed").format(before[:40]))
    return {"before": int(before[:19])}


def _older(request: Request, window: Window, before: int) -> str:
    query = {name: value for name, value in request.GET.items() if name not in ("before", "range")}
    return request.route_path("history", _query={**query, **window.query, "before": before}) + "#events"


@view_config(route_name="history.event", renderer="event.jinja2", request_method="GET")
def event(request: Request) -> dict[str, Any]:
    """One event with what happened around it: its permanent address."""
    seq = int(request.matchdict["seq"])
    found = request.daemon.call("eventsHistory", {"before": seq + 11, "limit": 21})["events"]
    if not any(one["seq"] == seq for one in found):
        raise HTTPNotFound()
    return {"event": next(one for one in found if one["seq"] == seq), "around": found}


@view_config(route_name="history.annotate", request_method="POST", permission="operate")
def annotate(request: Request) -> HTTPSeeOther:
    data: dict[str, Any] = {"text": request.POST.get("text", "")}
    if server := request.POST.get("server", "").strip():
        data["server"] = server
    if request.POST.get("event", "").isdigit():
        data["event"] = int(request.POST["event"][:18])
    seq = request.daemon.call("annotate", data)["seq"]
    return HTTPSeeOther(request.route_path("history.event", seq=seq))


@view_config(route_name="server.history", renderer="server_history.jinja2", request_method="GET")
def server_history(request: Request) -> dict[str, Any]:
    past = request.past
    if past.timeline is None and past.server not in request.snapshot.servers:
        raise HTTPNotFound()
    return {"server": past.server, "past": past}


@view_config(route_name="history.events", request_method="GET")
def export_events(request: Request) -> Response:
    def rows(reply: Any) -> list[list[Any]]:
        return [
            [*(one[name] for name in EVENT_COLUMNS[:5]), *(one["data"].get(name, "") for name in EVENT_COLUMNS[5:])]
            for one in reply["events"]
        ]

    data = {**_filters(request), **_span(window_of(request)), "limit": 1000}
    return export(request, "eventsHistory", data, EVENT_COLUMNS, rows, "before")


@view_config(route_name="history.samples", request_method="GET")
def export_samples(request: Request) -> Response:
    data: dict[str, Any] = _span(window_of(request))
    chosen = request.GET.get("servers", "").split()
    if "server" in request.GET:
        data["server"] = request.GET["server"]
    else:
        data["servers"] = chosen or ["all"]
    if request.GET.get("key"):
        data["key"] = request.GET["key"]
    return export(request, "exportSamples", data, SAMPLE_COLUMNS, lambda reply: list(reply["rows"]), "since")
