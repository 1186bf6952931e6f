"""Endpoints of the REST interface: declared once, and from that come the route, the checks and openapi.json.

    @endpoint("GET", "/servers/{server}", "Return one server.", path={"server": text("its name")}, answer=SERVER)
    def server(call: Call) -> dict[str, Any]:
        return call.daemon("getServerView", {"server": call.path["server"]})

What is wrong with a request is told as {error, message, field, hint}: 400 for what is no JSON, 415 for another type of
content, 422 for a value that does not fit, 405 for a method that an address does not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from ...errors import Problem, answer
from ...texts import _
from .schema import Invalid, Schema, check, from_text

PREFIX = "/api/v1"
PERMISSIONS = ("view", "operate", "admin")


@dataclass(frozen=True, slots=True)
class Call:
    """One checked request. ``body`` is {} for an endpoint that takes none."""

    request: Request
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    def daemon(self, command: str, data: Mapping[str, Any] | None = None, timeout: float = 30.0) -> dict[str, Any]:
        """Have the daemon carry out a command with the rights of whoever asks. Raises ClientError, ConnectionFailed."""
        found: dict[str, Any] = self.request.daemon.call(command, dict(data or {}), timeout)
        return found


View = Callable[[Call], dict[str, Any] | Response]
V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``needed``: what of the query may not be left out; ``problems``: statuses besides those of every endpoint."""

    method: str
    pattern: str
    summary: str
    view: View
    permission: str = "view"
    path: Mapping[str, Schema] = field(default_factory=dict)
    query: Mapping[str, Schema] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    body: Schema | None = None
    answer: Schema = field(default_factory=dict)
    status: int = 200
    problems: tuple[int, ...] = ()
    tag: str = ""
    media: str = "application/json"

    @property
    def name(self) -> str:
        """For programs made from openapi.json: ``run_plan``."""
        return self.view.__name__


TABLE: list[Endpoint] = []
"""Every endpoint, in the order in which the modules were read; filled by ``endpoint``."""


def endpoint(method: str, pattern: str, summary: str, permission: str = "view", **more: Any) -> Callable[[V], V]:
    """Declare the decorated function as an endpoint, see ``Endpoint`` and the top of this module."""
    inside = set(re.findall(r"{(\w+)}", pattern))
    if inside != set(more.get("path", {})) or permission not in PERMISSIONS:
        raise ValueError(f"{method} {pattern}: its parameters or its permission are not as declared")

    def declare(view: V) -> V:
        tag = view.__module__.rpartition(".")[2]
        TABLE.append(Endpoint(method, pattern, summary, view, permission, tag=tag, **more))
        return view

    return declare


# -- requests


def serve(one: Endpoint, request: Request) -> Response:
    """Check a request, have it answered, and return the answer as JSON."""
    try:
        found = one.view(Call(request, _path(one, request), _query(one, request), _body(one, request)))
    except Invalid as error:
        return answer(request, Problem(422, "invalid", str(error), field=error.field))
    except _NotJson as error:
        hint = _("Send JSON with Content-Type: application/json")
        return answer(request, Problem(error.status, error.name, str(error), hint))
    if isinstance(found, Response):
        return found
    response = request.response
    response.status_int, response.content_type, response.charset = one.status, "application/json", "utf-8"
    response.text = json.dumps(found, separators=(",", ":"))
    return response


class _NotJson(Exception):
    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name = status, name


def _path(one: Endpoint, request: Request) -> dict[str, Any]:
    return {name: from_text(schema, request.matchdict[name], name) for name, schema in one.path.items()}


def _query(one: Endpoint, request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in request.GET.items():
        if name not in one.query:
            known = ", ".join(one.query) or _("none")
            raise Invalid(name[:80], _("there is no such parameter; there is: {}").format(known))
        found[name] = from_text(one.query[name], value, name)
    for name in one.needed:
        if name not in found:
            raise Invalid(name, _("it is missing"))
    return found


def _body(one: Endpoint, request: Request) -> dict[str, Any]:
    if one.body is None:
        return {}
    raw = request.body
    if raw and request.content_type != "application/json":
        raise _NotJson(415, "unsupported_media_type", _("The body of a request is JSON."))
    try:
        found = json.loads(raw or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _NotJson(400, "bad_request", _("The body is no JSON: {}").format(str(error)[:200])) from None
    check(one.body, found)
    return dict(found)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _not_allowed(methods: list[str], request: Request) -> Response:
    message = _("{} is not possible here.").format(request.method[:20])
    response = answer(request, Problem(405, "method_not_allowed", message, _("Use {}.").format(", ".join(methods))))
    response.headers["Allow"] = ", ".join(methods)
    return response


def add_endpoints(config: Configurator, table: list[Endpoint]) -> None:
    """Add the routes and views of ``table``; the route of an address is named ``api.`` and its pattern."""
    by_pattern: dict[str, list[Endpoint]] = {}
    for one in table:
        by_pattern.setdefault(one.pattern, []).append(one)
    # what has no parameter comes first: /plans/new is no id
    for pattern in sorted(by_pattern, key=lambda text: (text.count("{"), text)):
        name = route_name(pattern)
        config.add_route(name, PREFIX + pattern)
        for one in by_pattern[pattern]:
            config.add_view(partial(serve, one), route_name=name, request_method=one.method, permission=one.permission)
        methods = sorted({method for one in by_pattern[pattern] for method in _with_head(one.method)})
        config.add_view(partial(_not_allowed, methods), route_name=name, permission="view", require_csrf=False)


def _with_head(method: str) -> tuple[str, ...]:
    return (method, "HEAD") if method == "GET" else (method,)


def route_name(pattern: str) -> str:
    """Return the route of an address, for ``request.route_path``: ``/runs/{run}`` -> ``api.runs.run``."""
    return "api" + re.sub(r"[{}]", "", pattern).replace("/", ".")
