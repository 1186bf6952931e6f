"""Logging in and out, and setting up the first user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.csrf import new_csrf_token
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED, forget, remember
from pyramid.view import view_config

from ..daemon import ask_as_gui, client_address
from ..errors import retry_after
from ..ockle_client.connection import ClientError, ConnectionFailed
from ..security import Identity
from ..texts import _

AGENT_LENGTH = 200
LONGEST = 1100
"""Characters of a name or password that the daemon is asked about: more than either may have."""


@view_config(route_name="login", renderer="login.jinja2", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def login_form(request: Request) -> Response | dict[str, Any]:
    if "by" not in request.GET and setup_needed(request):
        return HTTPSeeOther(request.route_path("setup"))
    return _form(request.GET.get("next", ""), by_token="by" in request.GET)


@view_config(route_name="login", renderer="login.jinja2", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def log_in(request: Request) -> Response | dict[str, Any]:
    """Take a password for a session, or a token as it is."""
    post = request.POST
    path, user = post.get("next", ""), post.get("user", "")
    if "token" in post:
        token = post["token"].strip()[:LONGEST]
        try:
            if token and request.registry.tokens.identify(token, request.remote_addr or "") is not None:
                return let_in(request, token, path)
        except ClientError as error:
            return _form(path, token_problem=refusal(request, error))
        request.response.status_int = 403
        return _form(path, token_problem=_("The daemon does not know this token."))
    who = {"user": user.strip()[:LONGEST], "password": post.get("password", "")[:LONGEST]}
    try:
        session = begin(request, "userLogin", who)
    except ClientError as error:
        return _form(path, user, refusal(request, error))
    return let_in(request, proven(request, session), path)


def _form(
    path: str, user: str = "", problem: str = "", token_problem: str = "", by_token: bool = False
) -> dict[str, Any]:
    return {"next": path, "user": user, "problem": problem, "token_problem": token_problem, "by_token": by_token}


@view_config(route_name="logout", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def log_out(request: Request) -> Response:
    """End the session at the daemon, too: who kept a copy of the cookie is out as well."""
    who = request.identity
    if who is not None and who.token:
        try:
            request.daemon.call("userLogout")
        except ClientError as error:
            if error.code not in ("refused", "denied"):  # a token is no session; one that has ended needs no end
                raise
        request.registry.tokens.forget(who.token)
    new_csrf_token(request)
    headers = forget(request) + _cookies(request.response)
    return HTTPSeeOther(request.route_path("login"), headers=headers)


@view_config(route_name="setup", renderer="setup.jinja2", request_method="GET", permission=NO_PERMISSION_REQUIRED)
def setup_form(request: Request) -> Response | dict[str, Any]:
    if not setup_needed(request):
        return HTTPSeeOther(request.route_path("login"))
    return {"user": "", "code": "", "problem": ""}


@view_config(route_name="setup", renderer="setup.jinja2", request_method="POST", permission=NO_PERMISSION_REQUIRED)
def set_up(request: Request) -> Response | dict[str, Any]:
    """Make the first user, an admin."""
    post = request.POST
    found = {"user": post.get("user", ""), "code": post.get("code", "")}
    if post.get("password") != post.get("again"):
        request.response.status_int = 400
        return {**found, "problem": _("The two passwords are not the same.")}
    who = {"code": found["code"], "user": found["user"].strip(), "password": post.get("password", "")}
    try:
        session = begin(request, "setupUser", who)
    except ClientError as error:
        return {**found, "problem": refusal(request, error)}
    return let_in(request, proven(request, session), "")


def begin(request: Request, command: str, who: dict[str, Any]) -> dict[str, Any]:
    """Return what the daemon says of a new session. Raises ClientError, ConnectionFailed.

    A password takes the daemon some tenths of a second: who sends many must not get all threads here to wait for it.
    """
    with request.registry.gate.entered(request.remote_addr or ""):
        return ask_as_gui(request, command, {**who, **place(request)})


def setup_needed(request: Request) -> bool:
    """Whether there is nobody yet who could log in as admin; False when the daemon cannot be asked."""
    try:
        return bool(ask_as_gui(request, "setupState")["needed"])
    except (ConnectionFailed, ClientError):
        return False


def proven(request: Request, reply: Mapping[str, Any]) -> str:
    """Return the session in a reply of the daemon, for which the password was just typed."""
    session = str(reply["session"])
    request.registry.tokens.believe(Identity(reply["name"], reply["role"], session, reply["name"]))
    request.registry.proofs.note(session)
    return session


def let_in(request: Request, session: str, path: str) -> Response:
    """Send the browser on with its session; what it had before, the hidden field of forms too, is worth nothing now."""
    new_csrf_token(request)
    headers = remember(request, session) + _cookies(request.response)
    return HTTPSeeOther(own_path(request, path), headers=headers)


def place(request: Request) -> dict[str, str]:
    """Return what the daemon is told about the browser."""
    found = {"agent": (request.user_agent or "")[:AGENT_LENGTH]}
    address = client_address(request)
    return {**found, **({"address": address} if address else {})}


def refusal(request: Request, error: ClientError) -> str:
    """Return what to say at a form that the daemon refused, and set the status of the page."""
    status = {"denied": 403, "throttled": 429, "refused": 409, "conflict": 409}.get(error.code, 400)
    request.response.status_int = status
    if error.code == "throttled":
        request.response.headers["Retry-After"] = retry_after(error)
    text = error.message
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def own_path(request: Request, path: str) -> str:
    """Return ``path`` if it is one of ours, else the first page: nobody is sent elsewhere by a link to the login.

    It is one of ours if it begins as all of ours do, the part before them under which a proxy has them included.
    """
    plain = path.isascii() and path.isprintable() and "\\" not in path and path[:2] != "//"
    return path if plain and path.startswith(f"{request.script_name}/") else request.route_path("network")


def _cookies(response: Response) -> list[tuple[str, str]]:
    return [pair for pair in response.headerlist if pair[0] == "Set-Cookie"]
