"""/grafana, for Grafana's JSON data sources: what was measured, and what happened as annotations. See docs/grafana.md.

What is wrong with a request is told as every interface for programs tells it, {error, message, field, hint}, with 400.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from ..errors import Problem, answer
from ..grafana.asked import FILTERS, BadQuery, Query, Target, body_of, kinds_of, query_of, span_of, text_of
from ..grafana.series import Series, chosen, name_of, together
from ..grafana.shown import annotation_table, datapoints, of_alert, of_event, of_run, point_table
from ..ockle_client.connection import ClientError

Body = dict[str, Any]
MOST_SERIES = 200
"""Of one request: more are no plot that anybody can read."""
MOST_NAMES = 2000
MOST_RUNS, MOST_EVENTS = 500, 1000


def hello(_request: Request, _body: Body) -> Any:
    """The test of the connection: it works, and the token is good."""
    return {"status": "ok"}


def search(request: Request, body: Body) -> list[str]:
    """Return what may stand in a target: tables, and the series in whose names the given text is."""
    part = text_of(body, "target")
    return [name for name in [*TABLES, *map(name_of, _known(request))] if part in name][:MOST_NAMES]


def metrics(request: Request, _body: Body) -> list[dict[str, str]]:
    """The same for the builder of later versions."""
    return [{"label": name, "value": name} for name in search(request, {})]


def options(_request: Request, _body: Body) -> list[Any]:
    """No target has a payload."""
    return []


def variable(request: Request, body: Body) -> list[dict[str, str]]:
    """Return the values of a variable: ``servers``, or the names of the series that a target means."""
    payload = body.get("payload") or {}
    target = text_of(payload if isinstance(payload, dict) else {"target": payload}, "target")
    names = list(request.snapshot.servers) if target == "servers" else map(name_of, chosen(_known(request), target))
    return [{"__text": name, "__value": name} for name in list(names)[:MOST_NAMES]]


def tag_keys(_request: Request, _body: Body) -> list[dict[str, str]]:
    return [{"type": "string", "text": name} for name in FILTERS]


def tag_values(request: Request, body: Body) -> list[dict[str, str]]:
    key = text_of(body, "key")
    if key not in FILTERS:
        raise BadQuery(f"key: one of {', '.join(FILTERS)} is needed")
    return [{"text": value} for value in sorted({one[key] for one in _known(request)} - {""})[:MOST_NAMES]]


def query(request: Request, body: Body) -> list[Any]:
    """Return the series or the table of each target."""
    asked = query_of(body)
    known = _known(request) if any(one.text not in TABLES for one in asked.targets) else []
    wanted = {one: chosen(known, one.text, asked.filters) for one in asked.targets if one.text not in TABLES}
    if sum(map(len, wanted.values())) > MOST_SERIES:
        raise BadQuery(f"targets: they mean more than {MOST_SERIES} series: name them more closely")
    found: list[Any] = []
    for target in asked.targets:
        if target.text in TABLES:
            found.append(annotation_table(TABLES[target.text](request, asked.since, asked.until), target.ref))
        else:
            found += _series(request, asked, target, wanted[target])
    return found


def happened(request: Request, body: Body) -> list[dict[str, Any]]:
    """Return runs, alerts, emergencies and notes as annotations, oldest first."""
    since, until = span_of(body)
    found = [one for kind in kinds_of(body) for one in TABLES[kind](request, since, until)]
    echo = {"annotation": body["annotation"]} if isinstance(body.get("annotation"), dict) else {}
    return [{**echo, **one} for one in sorted(found, key=lambda one: float(one["time"]))]


# -- what the daemon knows


def _known(request: Request) -> list[Series]:
    """Return the series that are kept; none without the plugin Logger."""
    try:
        found: list[Series] = request.daemon.call("series")["series"]
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return []
    return found


def _series(request: Request, asked: Query, target: Target, wanted: list[Series]) -> list[Any]:
    found: dict[str, Any] = {}
    for which in together(wanted, request.snapshot.servers, MOST_SERIES):
        data = {**which, "since": asked.since, "until": asked.until, "points": asked.points}
        for one in request.daemon.call("samples", data)["series"]:
            found[name_of(one)] = datapoints(one["segments"])
    named = [(name, found.get(name, [])) for name in map(name_of, wanted)]
    if target.table:
        return [point_table(named, target.ref)]
    ref = {"refId": target.ref} if target.ref else {}
    return [{"target": name, **ref, "datapoints": points} for name, points in named]


def _runs(request: Request, since: float, until: float) -> list[dict[str, Any]]:
    now = time.time()
    runs = request.daemon.call("runs", {"limit": MOST_RUNS})["runs"]
    return [of_run(run, now) for run in runs if run["created"] < until and (run["ended"] or now) >= since]


def _alerts(request: Request, since: float, until: float) -> list[dict[str, Any]]:
    now = time.time()
    data = {"state": "all", "since": min(since, now - 1.0), "limit": MOST_EVENTS}
    try:
        alerts = request.daemon.call("getAlerts", data)["alerts"]
    except ClientError as error:
        if error.code != "unknown_command":  # without the plugin Alerts there are none
            raise
        return []
    return [of_alert(one, now) for one in alerts if one["opened"] < until and (one.get("closed") or now) >= since]


def _events(kind: str) -> Callable[[Request, float, float], list[dict[str, Any]]]:
    def find(request: Request, since: float, until: float) -> list[dict[str, Any]]:
        data = {"since": since, "until": until, "kind": kind, "limit": MOST_EVENTS}
        return [of_event(event) for event in request.daemon.call("eventsHistory", data)["events"]]

    return find


TABLES: dict[str, Callable[[Request, float, float], list[dict[str, Any]]]] = {
    "runs": _runs, "alerts": _alerts, "emergencies": _events("emergency"), "notes": _events("note"),
}  # fmt: skip
"""Targets that are no series."""


# -- addresses

POSTED: dict[str, Callable[[Request, Body], Any]] = {
    "search": search, "metrics": metrics, "metric-payload-options": options, "variable": variable,
    "query": query, "annotations": happened, "tag-keys": tag_keys, "tag-values": tag_values,
}  # fmt: skip


def _view(work: Callable[[Request, Body], Any]) -> Callable[[Request], Response]:
    def view(request: Request) -> Response:
        try:
            found = work(request, body_of(request.body))
        except BadQuery as error:
            return answer(request, Problem(400, "bad_request", str(error)))
        return Response(json.dumps(found, separators=(",", ":")).encode(), content_type="application/json")

    return view


def includeme(config: Configurator) -> None:
    for name, path in (("grafana", "/grafana"), ("grafana.slash", "/grafana/")):
        config.add_route(name, path)
        config.add_view(_view(hello), route_name=name, request_method="GET")
    for path, work in POSTED.items():
        config.add_route(f"grafana.{path}", f"/grafana/{path}")
        config.add_view(_view(work), route_name=f"grafana.{path}", request_method="POST")
