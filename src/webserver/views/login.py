"""Logging in and out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pyramid.csrf import new_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED, forget, remember
from pyramid.view import view_config

from ..texts import _


@view_config(route_name="login", renderer="login.jinja2", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def login_form(request: Request) -> dict[str, Any]:
    return {"next": request.GET.get("next", ""), "problem": ""}


@view_config(route_name="login", renderer="login.jinja2", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def log_in(request: Request) -> Response | dict[str, Any]:
    """Take a token of the daemon's socket."""
    token = request.POST.get("token", "").strip()
    if not token or request.registry.tokens.identify(token) is None:
        request.response.status_int = 403
        return {"next": request.POST.get("next", ""), "problem": _("The daemon does not know this token.")}
    new_csrf_token(request)
    headers = remember(request, token) + [pair for pair in request.response.headerlist if pair[0] == "Set-Cookie"]
    return HTTPSeeOther(own_path(request, request.POST.get("next", "")), headers=headers)


@view_config(route_name="logout", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def log_out(request: Request) -> Response:
    return HTTPSeeOther(request.route_path("login"), headers=forget(request))


def own_path(request: Request, path: str) -> str:
    """Return ``path`` if it is one of ours, else the first page: nobody is sent elsewhere by a link to the login."""
    parts = urlsplit(path)
    good = (
        path.startswith("/") and not path.startswith("//") and "\\" not in path and not (parts.scheme or parts.netloc)
    )
    return (request.script_name + path) if good and path.isprintable() else request.route_path("network")
