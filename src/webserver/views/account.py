"""One's own account: password, logins, tokens."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPConflict, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ..ockle_client.connection import ClientError
from ..security import ROLES
from ..texts import N_, _
from .login import let_in, proven, refusal

DAY_S = 86400.0
LASTS = ((30, N_("30 days")), (90, N_("90 days")), (365, N_("one year")), (0, N_("for ever")))
"""How long a new token is good, in days; 0: for ever."""


@view_config(route_name="account", renderer="account.jinja2", request_method="GET")
def account(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(route_name="account.do", renderer="account.jinja2", request_method="POST")
def change(request: Request) -> Response | dict[str, Any]:
    action, post = request.matchdict["action"], request.POST
    try:
        if action == "password":
            return _password(request)
        if action == "token":
            return _new_token(request)
        request.daemon.call({"session": "sessionEnd", "untoken": "tokenRemove"}[action], {"id": post.get("id", "")})
    except ClientError as error:
        return _page(request, problem=(action, refusal(request, error)))
    return HTTPSeeOther(request.route_path("account"))


def _password(request: Request) -> Response | dict[str, Any]:
    post, who = request.POST, request.identity
    if post.get("password") != post.get("again"):
        request.response.status_int = 400
        return _page(request, problem=("password", _("The two passwords are not the same.")))
    words = {"old": post.get("old", ""), "new": post.get("password", "")}
    session = request.daemon.call("passwordChange", words)
    request.registry.tokens.forget(who.token)
    return let_in(request, proven(request, session), request.route_path("account"))


def _new_token(request: Request) -> dict[str, Any]:
    """Make a token and show it: on this answer alone, so there is no redirection to a page that could show it again."""
    post = request.POST
    wanted: dict[str, Any] = {"name": post.get("name", "").strip(), "role": post.get("role", "")}
    days = {str(number): number for number, _text in LASTS}.get(post.get("days", ""), LASTS[0][0])
    if days:
        wanted["expires_s"] = days * DAY_S
    return _page(request, made=request.daemon.call("tokenAdd", wanted))


def _page(request: Request, problem: tuple[str, str] = ("", ""), made: dict[str, Any] | None = None) -> dict[str, Any]:
    """``problem``: the form that it is about, and what to say; ``made``: a new token."""
    who = request.identity
    if not who.user:
        raise HTTPConflict(_("You did not log in as a user, so there is no account to show."))
    mine = [one for one in request.daemon.call("sessions")["sessions"] if one["user"] == who.user]
    tokens = [one for one in request.daemon.call("tokens")["tokens"] if one["user"] == who.user]
    return {
        "sessions": sorted(mine, key=lambda one: -one["last_used"]),
        "this": request.daemon.call("whoAmI")["id"],
        "tokens": tokens,
        "made": made,
        "problem": dict([problem]),
        "roles": ROLES[: ROLES.index(who.role) + 1],
        "lasts": LASTS,
    }
