"""Users and tokens: who may log in, and as what."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from ...ockle_client.connection import ClientError
from ...security import ROLES
from ...texts import _
from ..login import refusal
from .common import page

NEW = "new"
"""Which form a problem is about when it is not one of a user."""


@view_config(route_name="settings.users", renderer="settings/users.jinja2", request_method="GET", permission="admin")
def users(request: Request) -> dict[str, Any]:
    return _page(request)


@view_config(
    route_name="settings.users.do", renderer="settings/users.jinja2", request_method="POST", permission="admin"
)
def change(request: Request) -> Response | dict[str, Any]:
    action, post = request.matchdict["action"], request.POST
    name = post.get("user", "").strip()
    try:
        problem = _ACTIONS[action](request, name)
    except ClientError as error:
        problem = refusal(request, error)
    if problem:
        return _page(request, {NEW if action == "add" else name: problem})
    request.registry.tokens.doubt()  # what they may do has changed
    return HTTPSeeOther(request.route_path("settings.users"))


def _add(request: Request, name: str) -> str:
    post = request.POST
    if problem := _differs(request):
        return problem
    request.daemon.call("userAdd", {"user": name, "role": post.get("role", ""), "password": post.get("password", "")})
    return ""


def _change(request: Request, name: str) -> str:
    """Set what the form has: one of role, password, disabled."""
    post = request.POST
    if problem := _differs(request):
        return problem
    wanted: dict[str, Any] = {key: post[key] for key in ("role", "password") if key in post}
    if "disabled" in post:
        wanted["disabled"] = post["disabled"] == "true"
    request.daemon.call("userChange", {"user": name, **wanted})
    return ""


def _remove(request: Request, name: str) -> str:
    if request.POST.get("confirm", "").strip() != name:
        request.response.status_int = 400
        return _("Type the name of the user to remove them.")
    request.daemon.call("userRemove", {"user": name})
    return ""


def _end_session(request: Request, _name: str) -> str:
    request.daemon.call("sessionEnd", {"id": request.POST.get("id", "")})
    return ""


def _remove_token(request: Request, _name: str) -> str:
    request.daemon.call("tokenRemove", {"id": request.POST.get("id", "")})
    return ""


def _differs(request: Request) -> str:
    if request.POST.get("password") == request.POST.get("again"):
        return ""
    request.response.status_int = 400
    return _("The two passwords are not the same.")


_ACTIONS = {"add": _add, "change": _change, "remove": _remove, "session": _end_session, "untoken": _remove_token}


def _page(request: Request, problems: dict[str, str] | None = None) -> dict[str, Any]:
    """``problems``: the user, or NEW, whose form was refused -> what to say there."""
    call = request.daemon.call
    return page(
        request,
        users=call("users")["users"],
        sessions=sorted(call("sessions")["sessions"], key=lambda one: -one["last_used"]),
        tokens=call("tokens")["tokens"],
        roles=ROLES,
        problems=problems or {},
        new=NEW,
        typed=request.POST.get("user", "") if problems and NEW in problems else "",
    )
