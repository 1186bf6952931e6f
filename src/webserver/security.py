"""Who asks, and what they may. The daemon keeps the users; here a token is exchanged for a name and a role.

A browser brings its session in a cookie, a program its token in ``Authorization: Bearer``. Both are tokens of the
daemon's socket: what a user does here is done on a connection with that token, so the daemon decides once more.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from pyramid.authorization import ACLAllowed, ACLDenied, ACLHelper, Allow, Everyone
from pyramid.config import Configurator
from pyramid.csrf import CookieCSRFStoragePolicy
from pyramid.request import Request

from .daemon import open_connection
from .ockle_client.connection import ClientError
from .settings import LOOPBACK, WebSettings

SESSION_COOKIE = "ockle_session"
CSRF_COOKIE = "ockle_csrf"
ROLES = ("viewer", "operator", "admin")
BELIEVED_S = 20.0
"""A token is asked for again after this time; what ends a session at the daemon ends it here by then."""
KNOWN_TOKENS = 500


@dataclass(frozen=True, slots=True)
class Identity:
    """``token``: what the daemon knows them by; "" where the daemon asks for none. ``user``: "" for no user's token."""

    name: str
    role: str
    token: str = ""
    user: str = ""

    def may(self, role: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


class Root:
    """What may be done at all; a role may what the ones before it may."""

    __acl__ = (
        (Allow, "role:viewer", "view"),
        (Allow, "role:operator", ("view", "operate")),
        (Allow, "role:admin", ("view", "operate", "admin")),
    )

    def __init__(self, request: Request) -> None:
        self.request = request


class Tokens:
    """Token -> identity, as the daemon said not long ago. May be used from any thread."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Identity | None]] = OrderedDict()

    def identify(self, token: str) -> Identity | None:
        """Return whose token it is, None when the daemon does not take it. Raises ConnectionFailed."""
        now = time.monotonic()
        with self._lock:
            found = self._known.get(token)
        if found is not None and now < found[0]:
            return found[1]
        identity = self._ask(token)
        with self._lock:
            self._known[token] = (now + BELIEVED_S, identity)
            self._known.move_to_end(token)
            while len(self._known) > KNOWN_TOKENS:
                self._known.popitem(last=False)
        return identity

    def forget(self, token: str | None = None) -> None:
        """Ask the daemon anew for ``token``, or for all of them."""
        with self._lock:
            if token is None:
                self._known.clear()
            else:
                self._known.pop(token, None)

    def _ask(self, token: str) -> Identity | None:
        connection = open_connection(self._settings, via="")  # says nothing of itself before the login
        try:
            reply = connection.call("login", {"token": token, "via": "gui"})
        except ClientError as error:
            if error.code == "denied":
                return None
            raise
        finally:
            connection.close()
        return Identity(str(reply["name"]), str(reply["role"]), token, str(reply.get("user", "")))


class SecurityPolicy:
    """Pyramid asks it who sends a request, and whether they may."""

    def __init__(self, settings: WebSettings, tokens: Tokens) -> None:
        self._settings, self._tokens = settings, tokens
        self._acl = ACLHelper()

    def identity(self, request: Request) -> Identity | None:
        token = bearer(request) or request.cookies.get(SESSION_COOKIE, "")
        if token:
            return self._tokens.identify(token[:500])
        if self._settings.local_role and is_local(request):
            return Identity("local", self._settings.local_role, self._settings.token)
        return None

    def authenticated_userid(self, request: Request) -> str | None:
        return request.identity.name if request.identity else None

    def permits(self, request: Request, context: object, permission: str) -> ACLAllowed | ACLDenied:
        principals = [Everyone]
        if request.identity:
            principals.append(f"role:{request.identity.role}")
        return self._acl.permits(context, principals, permission)

    def remember(self, request: Request, userid: str, **_options: object) -> list[tuple[str, str]]:
        """Return the headers that give the browser its session: ``userid`` is the session's token."""
        response = request.response.__class__()
        response.set_cookie(SESSION_COOKIE, userid, path=_cookie_path(request), httponly=True, samesite="Strict")
        return [header for header in response.headerlist if header[0] == "Set-Cookie"]

    def forget(self, request: Request, **_options: object) -> list[tuple[str, str]]:
        response = request.response.__class__()
        response.delete_cookie(SESSION_COOKIE, path=_cookie_path(request))
        return [header for header in response.headerlist if header[0] == "Set-Cookie"]


def bearer(request: Request) -> str:
    """Return the token of ``Authorization: Bearer``, "" without one."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def is_local(request: Request) -> bool:
    """Whether a browser of this machine asks, by a name of this machine.

    The name counts because any web page can have a browser here ask for a name that leads to this machine (DNS
    rebinding); such a request bears the page's name.
    """
    return request.remote_addr in LOOPBACK and host_name(request) in LOOPBACK


def host_name(request: Request) -> str:
    """Return the host that was asked for, without its port."""
    host: str = request.host
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def _cookie_path(request: Request) -> str:
    return request.script_name or "/"


def includeme(config: Configurator) -> None:
    settings: WebSettings = config.registry.web_settings
    tokens = config.registry.tokens = Tokens(settings)
    config.set_root_factory(Root)
    config.set_security_policy(SecurityPolicy(settings, tokens))
    config.set_default_permission("view")
    config.set_csrf_storage_policy(
        CookieCSRFStoragePolicy(cookie_name=CSRF_COOKIE, httponly=True, samesite="Strict", path="/")
    )
    # A program that sends its token in a header cannot be tricked into it by a page; a browser's cookie can.
    config.set_default_csrf_options(require_csrf=True, check_origin=True, callback=lambda request: not bearer(request))
