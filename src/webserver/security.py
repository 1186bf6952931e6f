"""Who asks, and what they may. The daemon keeps the users; here a token is exchanged for a name and a role.

A browser brings its session in a cookie, a program its token in ``Authorization: Bearer``. Both are tokens of the
daemon's socket: what a user does here is done on a connection with that token, so the daemon decides once more.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pyramid.authorization import ACLAllowed, ACLDenied, ACLHelper, Allow, Everyone
from pyramid.config import Configurator
from pyramid.csrf import BadCSRFOrigin, CookieCSRFStoragePolicy
from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import Request, RequestLocalCache
from pyramid.response import Response

from .daemon import open_connection
from .gate import Gate
from .ockle_client.connection import ClientError, ConnectionFailed
from .settings import LOOPBACK, WebSettings
from .texts import _

View = Callable[[object, Request], Response]

SESSION_COOKIE = "ockle_session"
CSRF_COOKIE = "ockle_csrf"
UNKNOWN = "ockle.unknown"
ROLES = ("viewer", "operator", "admin")
BELIEVED_S = 20.0
"""A token is asked for again after this time; what ends a session at the daemon ends it here by then."""
ASK_S = 5.0
"""How long the daemon has to say whose token it is; meanwhile others with the same one go on."""
KNOWN_TOKENS = 500
WITHOUT_DAEMON_S, RETRY_S = 900.0, 5.0
"""How long who was known may go on looking when the daemon cannot be asked, and how often it is tried meanwhile."""


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


@dataclass(frozen=True, slots=True)
class _Known:
    """Times of the monotonic clock: when the daemon was ``asked``, and ``until`` when that is believed."""

    identity: Identity | None
    asked: float
    until: float


class Tokens:
    """Token -> identity, as the daemon said not long ago. May be used from any thread.

    ``gate``  through which tokens go that were never good here: the daemon takes its time for wrong ones
    """

    def __init__(self, settings: WebSettings, gate: Gate) -> None:
        self._settings, self._gate = settings, gate
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def identify(self, token: str, address: str = "") -> Identity | None:
        """Return whose token it is, None when the daemon does not take it.

        Raises ConnectionFailed when the daemon is not there and the token was not known lately, ClientError
        "throttled" when too many that were never good come at the same time.
        """
        now = time.monotonic()
        with self._lock:
            known = self._known.get(token)
            if known is not None and now < known.until:
                return known.identity
            if known is not None and known.identity is not None:
                self._known[token] = replace(known, until=now + ASK_S)  # one asks, and the others need not wait for it
        try:
            if known is not None and known.identity is not None:
                identity = self._ask(token)
            else:
                with self._gate.entered(address):
                    identity = self._ask(token)
        except ConnectionFailed:
            if known is None or known.identity is None or now - known.asked > WITHOUT_DAEMON_S:
                raise
            # nothing can be switched without the daemon, so this only lets them see the last states
            self._note(token, replace(known, until=time.monotonic() + RETRY_S))
            return known.identity
        self._note(token, _Known(identity, now, time.monotonic() + BELIEVED_S))
        return identity

    def believe(self, identity: Identity) -> None:
        """Take the daemon's word of this moment for whose token it is."""
        now = time.monotonic()
        self._note(identity.token, _Known(identity, now, now + BELIEVED_S))

    def _note(self, token: str, known: _Known) -> None:
        with self._lock:
            self._known[token] = known
            self._known.move_to_end(token)
            while len(self._known) > KNOWN_TOKENS:
                self._known.popitem(last=False)

    def doubt(self, token: str | None = None) -> None:
        """Ask the daemon anew for ``token``, or for all of them."""
        with self._lock:
            for one in [token] if token is not None else list(self._known):
                if one in self._known:
                    self._known[one] = replace(self._known[one], until=0.0)

    def has_ended(self, token: str) -> bool:
        """Ask the daemon now whether ``token`` is good no more; False when it cannot be asked."""
        self.doubt(token)
        try:
            return self.identify(token) is None
        except (ConnectionFailed, ClientError):
            return False

    def forget(self, token: str) -> None:
        """Take ``token`` for one that was never seen."""
        with self._lock:
            self._known.pop(token, None)

    def _ask(self, token: str) -> Identity | None:
        connection = open_connection(self._settings, via="", timeout=ASK_S)  # says nothing of itself before the login
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
        self._found = RequestLocalCache(self._identify)

    def identity(self, request: Request) -> Identity | None:
        """Return who asks, the same for all of a request: it may take the daemon some time to say so."""
        found: Identity | None = self._found.get_or_create(request)
        return found

    def _identify(self, request: Request) -> Identity | None:
        token = bearer(request) or request.cookies.get(SESSION_COOKIE, "")
        if token:
            return self._whose(request, token[:500])
        if self._settings.local_role and is_local(request):
            return Identity("local", self._settings.local_role, self._settings.token)
        return None

    def _whose(self, request: Request, token: str) -> Identity | None:
        """Return whose token it is; where that cannot be found out, nobody's, and ``why_unknown`` tells why."""
        try:
            return self._tokens.identify(token, request.remote_addr or "")
        except (ConnectionFailed, ClientError) as error:
            request.environ[UNKNOWN] = error
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


def why_unknown(request: Request) -> ConnectionFailed | ClientError | None:
    """Return why nobody can tell who asks, None when somebody could."""
    found: ConnectionFailed | ClientError | None = request.environ.get(UNKNOWN)
    return found


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


class FormPolicy(CookieCSRFStoragePolicy):  # type: ignore[misc]
    """A form counts that comes from a page of ours.

    The token alone does not tell: what another port of this host serves can set cookies for this one, too.
    """

    def check_csrf_token(self, request: Request, supplied_token: object) -> bool:
        if not is_from_here(request):
            raise BadCSRFOrigin
        return isinstance(supplied_token, str) and bool(super().check_csrf_token(request, supplied_token))


def is_from_here(request: Request) -> bool:
    """Whether the page that sends a request is one of ours, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")  # says it behind any proxy, but only over TLS and on this machine
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


def texts_only(view: View, info: Any) -> View:
    """Refuse a form that has a file where a text belongs, before the views of those without ``uploads``."""
    if info.options.get("uploads") or info.exception_only:
        return view

    def checked(context: object, request: Request) -> Response:
        if request.method == "POST" and any(not isinstance(value, str) for value in request.POST.values()):
            raise HTTPBadRequest(_("This form takes no files."))
        return view(context, request)

    return checked


texts_only.options = ("uploads",)  # type: ignore[attr-defined]


def includeme(config: Configurator) -> None:
    settings: WebSettings = config.registry.web_settings
    # half of the threads at most wait for the daemon with those who are not logged in, a quarter for one of them
    gate = config.registry.gate = Gate(max(1, settings.threads // 2), max(1, settings.threads // 4))
    tokens = config.registry.tokens = Tokens(settings, gate)
    config.set_root_factory(Root)
    config.set_security_policy(SecurityPolicy(settings, tokens))
    config.set_default_permission("view")
    config.set_csrf_storage_policy(FormPolicy(cookie_name=CSRF_COOKIE, httponly=True, samesite="Strict", path="/"))
    # A program that sends its token in a header cannot be tricked into it by a page; a browser's cookie can.
    config.set_default_csrf_options(require_csrf=True, check_origin=True, callback=lambda request: not bearer(request))
    config.add_view_deriver(texts_only, under="csrf_view")
