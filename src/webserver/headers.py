"""What every answer carries, and which names the GUI answers to."""

from __future__ import annotations

import re
from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from .security import host_name
from .settings import LOOPBACK, WebSettings

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
Handler = Callable[[Request], Response]
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)


def headers_tween(handler: Handler, registry: Registry) -> Handler:
    """Refuse names that are not ours; add the headers; keep pages out of caches."""
    settings: WebSettings = registry.web_settings
    names = {name.lower() for name in settings.hosts}

    def tween(request: Request) -> Response:
        status, problem = _unfit(request, names)
        response = Response(problem, status=status, content_type="text/plain") if problem else handler(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if problem or not request.path_info.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    return tween


def _unfit(request: Request, names: set[str]) -> tuple[int, str]:
    """Return the status and the reason for which a request gets as far as no page; the reason is "" if it may."""
    try:
        _ = request.path_info
    except UnicodeDecodeError:
        return 400, "The address is no text in UTF-8."
    if not _HOST.fullmatch(request.host):
        return 400, "The header Host holds no name of a host."
    if names and host_name(request) not in names | LOOPBACK:
        return 421, f"{host_name(request)!r} is none of the names in [web] hosts"
    return 200, ""


def secure_cookies(event: NewResponse) -> None:
    """Keep cookies that come over TLS out of the clear. (That of the forms is set after all tweens.)"""
    response = event.response
    cookies = response.headers.getall("Set-Cookie")
    if cookies and event.request.scheme == "https":
        del response.headers["Set-Cookie"]
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")


def includeme(config: Configurator) -> None:
    # over Pyramid's own, so that error pages have the headers as well
    config.add_tween("ockle.webserver.headers.headers_tween", over="pyramid.tweens.excview_tween_factory")
    config.add_subscriber(secure_cookies, NewResponse)
