"""Alerts: what is wrong, live; and what an operator does about it: acknowledge, silence, test where it is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..alerts import words
from ..alerts.page import alert_parts, overview_page
from ..live.page import changes, revision
from ..ockle_client.connection import ClientError
from ..texts import N_, _

TEST_S = 60.0
TIMES = {"1h": N_("1 hour"), "4h": N_("4 hours"), "1d": N_("1 day"), "7d": N_("7 days")}
SECONDS = {"1h": 3600.0, "4h": 4 * 3600.0, "1d": 86400.0, "7d": 7 * 86400.0}
"""For how long something can be silenced; any other time is said by its end."""
LONGEST_S = 366 * 86400.0
AROUND_S = 600.0
REFUSALS = {"bad_request": 422, "not_found": 422, "conflict": 409, "refused": 409}
ROUTES = {
    "alerts.live": "/alerts/live",
    "alerts.silence": "/alerts/silences",
    "alerts.end_silence": "/alerts/silences/{silence:\\d{1,15}}/end",
    "alerts.test": "/alerts/channels/{channel}/test",
    "alert": "/alerts/{alert:\\d{1,15}}",
    "alert.live": "/alerts/{alert:\\d{1,15}}/live",
    "alerts.acknowledge": "/alerts/{alert:\\d{1,15}}/acknowledge",
    "alerts.silence_one": "/alerts/{alert:\\d{1,15}}/silence",
}
Answer: TypeAlias = Response | dict[str, Any]


def includeme(config: Configurator) -> None:
    config.registry.alerts_page = overview_page()
    for name, pattern in ROUTES.items():
        config.add_route(name, pattern)

    def finish() -> None:
        config.get_jinja2_environment().globals.update(
            severities=tuple(words.SEVERITIES),
            severity_look=words.severity_look,
            state_look=words.state_look,
            folded=words.folded,
            happening=words.happening,
            most_along=words.MOST_ALONG,
            silence_times=TIMES,
        )

    config.action(None, finish, order=1000)


# -- all of them


@view_config(route_name="alerts", renderer="alerts.jinja2", request_method="GET")
def alerts(request: Request) -> Answer:
    return _overview(request)


@view_config(route_name="alerts.live", renderer="json", request_method="GET")
def alerts_live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    page = request.registry.alerts_page
    return changes(request, page.parts(request, page.look(request)))


def _overview(request: Request, **more: Any) -> Answer:
    page = request.registry.alerts_page
    look = page.look(request)
    if look.counts is None:
        return render_to_response("alerts_off.jinja2", {}, request)
    parts = page.parts(request, look)
    shown = {"parts": parts, "rev": revision(request, parts), "problem": "", "tested": None, "typed": {}}
    return {**shown, **more}


@view_config(route_name="alerts.silence", renderer="alerts.jinja2", request_method="POST", permission="operate")
def silence(request: Request) -> Answer:
    """Silence servers."""
    servers = request.POST.get("servers", "").replace(",", " ").split()
    try:
        request.daemon.call("silenceAlerts", {"servers": servers, **_silence(request)})
    except ClientError as error:
        return _overview(request, problem=_refusal(request, error), typed=request.POST)
    return _done(request)


@view_config(route_name="alerts.end_silence", request_method="POST", permission="operate")
def end_silence(request: Request) -> Response:
    request.daemon.call("endSilence", {"silence": int(request.matchdict["silence"])})
    return _done(request)


@view_config(route_name="alerts.test", renderer="alerts.jinja2", request_method="POST", permission="operate")
def test_channel(request: Request) -> Answer:
    """Send a message by a channel; what its receiver said stands on the page."""
    tested = channel_test(request, request.matchdict["channel"])
    request.registry.alerts_page.forget()
    return _overview(request, tested=tested)


def channel_test(request: Request, channel: str) -> dict[str, Any]:
    """Return what came of a test message by a channel as it is stored: {channel, ok, text}."""
    try:
        found: dict[str, Any] = request.daemon.call("testChannel", {"channel": channel}, timeout=TEST_S)
    except ClientError as error:
        if error.code not in ("not_found", "refused", "timeout", "unknown_command"):
            raise
        unknown = error.code == "unknown_command"
        text = _("The plugin Alerts is not enabled, so nothing is sent.") if unknown else error.message
        found = {"channel": channel, "ok": False, "text": text}
    return found


# -- one


@view_config(route_name="alert", renderer="alert.jinja2", request_method="GET")
def alert(request: Request) -> Answer:
    return _one(request)


@view_config(route_name="alert.live", renderer="json", request_method="GET")
def alert_live(request: Request) -> dict[str, Any]:
    """Return what of the page has changed since the revision in ``since``."""
    return changes(request, alert_parts(request, _asked(request)))


def _one(request: Request, **more: Any) -> Answer:
    found = _asked(request)
    parts = alert_parts(request, found)
    shown = {"alert": found, "parts": parts, "rev": revision(request, parts), "past_url": _past_url(request, found)}
    return {**shown, "problem": "", "typed": {}, **more}


@view_config(route_name="alerts.acknowledge", request_method="POST", permission="operate")
def acknowledge(request: Request) -> Response:
    request.daemon.call("acknowledgeAlert", {"alert": _number(request), **_note(request)})
    return _done(request)


@view_config(route_name="alerts.silence_one", renderer="alert.jinja2", request_method="POST", permission="operate")
def silence_one(request: Request) -> Answer:
    """Silence whatever an alert is about."""
    found = _asked(request)
    try:
        request.daemon.call("silenceAlerts", {"subject": found["subject"], **_silence(request)})
    except ClientError as error:
        return _one(request, problem=_refusal(request, error), typed=request.POST)
    return _done(request)


def _asked(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = request.daemon.call("getAlert", {"alert": _number(request)})
    return found


def _number(request: Request) -> int:
    return int(request.matchdict["alert"])


def _past_url(request: Request, found: Mapping[str, Any]) -> str:
    """Return the address of the history of who is concerned, around the time of an alert."""
    query = {"since": f"{found['opened'] - AROUND_S:.0f}"}
    if found["closed"]:
        query["until"] = f"{found['closed'] + AROUND_S:.0f}"
    if found["server"]:
        query["servers"] = found["server"]
    path: str = request.route_path("history", _query=query)
    return path


# -- forms


def _note(request: Request) -> dict[str, str]:
    note = request.POST.get("note", "").strip()
    return {"note": note} if note else {}


def _silence(request: Request) -> dict[str, Any]:
    """Return for how long the form says, and why. Raises ClientError for a time that is none."""
    until = request.POST.get("until", "").strip()
    if not until:
        return {"for": SECONDS.get(request.POST.get("for", ""), SECONDS["1h"]), **_note(request)}
    try:
        left = datetime.fromisoformat(until).timestamp() - time.time()
    except (ValueError, OverflowError, OSError):
        raise ClientError(
            "bad_request", _("{} is no time: write one such as 2026-11-21T18:30").format(until[:40])
        ) from None
    if left <= 0:
        raise ClientError("bad_request", _("The silence has to end in the future."))
    if left > LONGEST_S:
        raise ClientError("bad_request", _("A silence lasts a year at most."))
    return {"for": left, **_note(request)}


def _refusal(request: Request, error: ClientError) -> str:
    """Return what is wrong with a form; raises what no form can mend."""
    if error.code not in REFUSALS:
        raise error
    request.response.status_int = REFUSALS[error.code]
    return error.message


def _done(request: Request) -> Response:
    """Go back to the page that the form stood on."""
    request.registry.alerts_page.forget()
    if request.POST.get("back") == "alert" and "alert" in request.matchdict:
        return HTTPSeeOther(request.route_path("alert", alert=request.matchdict["alert"]))
    return HTTPSeeOther(request.route_path("alerts"))
