"""What goes wrong, as a page for people and as JSON for programs: what happened, and what to do next."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from math import ceil
from typing import Any
from urllib.parse import urlencode

from pyramid.csrf import BadCSRFOrigin, BadCSRFToken
from pyramid.httpexceptions import HTTPException, HTTPForbidden, HTTPNotFound, HTTPSeeOther
from pyramid.renderers import render_to_response
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, forbidden_view_config, notfound_view_config

from .daemon import is_for_programs
from .ockle_client.connection import ClientError, ConnectionFailed, ReplyTimeout
from .security import why_unknown
from .texts import _

log = logging.getLogger(__name__)

STATUS = {
    "bad_request": 400,
    "bad_config": 422,
    "not_found": 404,
    "refused": 409,
    "conflict": 409,
    "denied": 403,
    "throttled": 429,
    "timeout": 504,
    "device": 502,
    "too_long": 413,
    "busy": 503,
    "stopping": 503,
    "unknown_command": 501,
    "internal": 500,
}
"""Code of the daemon's refusal -> HTTP status."""


@dataclass(frozen=True, slots=True)
class Problem:
    """``error``: for programs; ``message``: one sentence; ``hint``: what to do; ``field``: which input it is about."""

    status: int
    error: str
    message: str
    hint: str = ""
    field: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"error": self.error, "message": self.message, "field": self.field, "hint": self.hint}


def is_api(request: Request) -> bool:
    """Whether a program asked, which wants JSON."""
    return is_for_programs(request)


def answer(request: Request, problem: Problem, **data: Any) -> Response:
    """Return a problem as JSON or as a page; ``data`` goes into the JSON."""
    if is_api(request):
        response = render_to_response("json", {**problem.as_dict(), **data}, request)
    else:
        response = render_to_response("error.jinja2", {"problem": problem}, request)
    response.status_int = problem.status
    return response


@exception_view_config(ClientError)
def refused(error: ClientError, request: Request) -> Response:
    """The daemon says no. If that is because the login has just ended, it is asked for."""
    who = request.identity
    if error.code == "denied" and who is not None and who.token and request.registry.tokens.has_ended(who.token):
        return log_in_first(request)
    problem = Problem(STATUS.get(error.code, 500), error.code, error.message, field=str(error.data.get("field", "")))
    response = answer(request, problem, **({"data": error.data} if error.data else {}))
    if error.code == "throttled":
        response.headers["Retry-After"] = retry_after(error)
    return response


def retry_after(error: ClientError) -> str:
    """Return how long to wait before the next try, in whole seconds."""
    return str(max(1, ceil(error.data.get("retry_s", 1.0))))


@exception_view_config(ConnectionFailed)
def unreachable(error: ConnectionFailed, request: Request) -> Response:
    """The daemon says nothing."""
    status, name = (504, "timeout") if isinstance(error, ReplyTimeout) else (503, "unreachable")
    hint = _("Is it running? Start it with: systemctl start ockle, or ockle daemon")
    return answer(request, Problem(status, name, str(error), hint))


@exception_view_config(BadCSRFOrigin)
def foreign(_error: Exception, request: Request) -> Response:
    """The form does not come from a page of ours, or a proxy makes it look so."""
    hint = _("Open the page again and repeat what you did. A proxy has to pass on the host that the browser asked for.")
    return answer(request, Problem(400, "bad_csrf", _("This form comes from another site."), hint))


@exception_view_config(BadCSRFToken)
def forged(_error: Exception, request: Request) -> Response:
    """The form is old, or comes from elsewhere."""
    hint = _("Open the page again and repeat what you did. The browser must accept cookies of this page.")
    return answer(request, Problem(400, "bad_csrf", _("This form is no longer valid."), hint))


@exception_view_config(UnicodeDecodeError)
def garbled(_error: UnicodeDecodeError, request: Request) -> Response:
    """Bytes in an address or a form that are no UTF-8: browsers send none."""
    return answer(request, Problem(400, "bad_request", _("The address or the form is no text in UTF-8.")))


@notfound_view_config(append_slash=False)
def not_found(_error: HTTPNotFound, request: Request) -> Response:
    hint = _("The page may have moved: begin at the network.")
    return answer(request, Problem(404, "not_found", _("There is no such page."), hint))


@forbidden_view_config()
def forbidden(_error: HTTPForbidden, request: Request) -> Response:
    """Not logged in, or not enough of a role."""
    who = request.identity
    if who is not None:
        message = _("This needs another role: {} is {}.").format(who.name, who.role)
        return answer(request, Problem(403, "denied", message, _("Ask somebody who has the role admin.")))
    why = why_unknown(request)
    if isinstance(why, ConnectionFailed):
        return unreachable(why, request)
    return refused(why, request) if why is not None else log_in_first(request)


def log_in_first(request: Request) -> Response:
    """Send a person to the login, and back afterwards; tell a program what it has to send."""
    if is_api(request):
        hint = _("Send a token: Authorization: Bearer TOKEN")
        response = answer(request, Problem(401, "unauthenticated", _("Log in first."), hint))
        response.headers["WWW-Authenticate"] = 'Bearer realm="ockle"'
        return response
    back = request.path_qs if request.method == "GET" else ""
    query = f"?{urlencode({'next': back})}" if back not in ("", "/") else ""
    return HTTPSeeOther(request.route_path("login") + query)


@exception_view_config(HTTPException)
def other(error: HTTPException, request: Request) -> Response:
    """What Pyramid and the views raise: redirections as they are, the rest as a problem."""
    if error.status_int < 400:
        return error
    name = error.title.lower().replace(" ", "_")
    return answer(request, Problem(error.status_int, name, str(error.detail or error.explanation or error.title)))


@exception_view_config(Exception)
def broken(error: Exception, request: Request) -> Response:
    """A fault of ours: the log has all of it, the browser nothing."""
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    hint = _("The log of the GUI has more. Please report it.")
    return answer(request, Problem(500, "internal", _("Something in the GUI has failed."), hint))
