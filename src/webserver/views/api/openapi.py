"""The description of the REST interface for programs: OpenAPI 3.1, made from the table of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .endpoint import PREFIX, Endpoint
from .schema import record, text

ROLES = {"view": "viewer", "operate": "operator", "admin": "admin"}
PROBLEM = record(
    "What went wrong, and what to do.",
    error=text("its name, for programs"),
    message=text("one sentence"),
    field=text("which value it is about, empty if about none"),
    hint=text("what to do next, empty if nothing helps"),
)
PROBLEMS = {
    400: "The body is no JSON, or the daemon can make nothing of a value.",
    401: "No token, or one that is not known.",
    403: "The role does not suffice.",
    404: "There is no such thing.",
    409: "Refused by a guard, or no longer as it was looked at.",
    413: "That is more than the daemon takes at once.",
    415: "The body is not JSON.",
    422: "A value does not fit.",
    429: "Too many attempts; later again.",
    501: "The daemon does not have this: the plugin for it is not loaded.",
    502: "A device does not answer, or makes no sense.",
    503: "The daemon does not answer.",
    504: "The daemon took too long.",
}
EVERYWHERE = (400, 401, 403, 404, 422, 501, 503, 504)
WITH_BODY = (413, 415)
LIMITS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"})
PAGE_HEAD = """\
# REST interface

Written by `make docs` from the table of endpoints. For programs: [openapi.json](openapi.json), which the GUI serves at
`/api/v1/openapi.json`, too. Send a token as `Authorization: Bearer TOKEN` and JSON as `Content-Type: application/json`.
An error is JSON: `{"error", "message", "field", "hint"}`. Nothing is switched by a GET. To switch servers, make a plan,
look at it, and run it by its id:

    curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
         -d '{"action": "off", "servers": ["nas01"]}' http://127.0.0.1:8080/api/v1/plans
    curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
         -d '{"confirm": ""}' http://127.0.0.1:8080/api/v1/plans/ID/run

The second answers 202 with the number of the run; 409, with the new plan, when its steps have changed since it was
looked at; and 409 when the plan is of tier 3 and `confirm` is not the text in its field of that name.

| method | address | needs | what it does |
| --- | --- | --- | --- |
"""


def build(table: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """Return the document, with its parts in a fixed order."""
    paths: dict[str, dict[str, Any]] = {}
    for one in sorted(table, key=lambda one: (one.pattern, one.method)):
        paths.setdefault(PREFIX + one.pattern, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ockle",
            "version": version,
            "description": "See what is on, preview and start runs, and change the configuration. "
            "Whatever switches is a POST; nothing is switched by a GET.",
            "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        },
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of Settings, Users and tokens."},
                "session": {"type": "apiKey", "in": "cookie", "name": "ockle_session"},
            },
            "schemas": {"Problem": _unbounded(PROBLEM)},
            "responses": {_problem_name(status): _problem(status) for status in PROBLEMS},
        },
    }


def page(table: Iterable[Endpoint]) -> str:
    """Return the reference page for people."""
    rows = sorted((one.pattern, one.method, ROLES[one.permission], one.summary) for one in table)
    lines = [f"| {method} | `{PREFIX}{pattern}` | {role} | {text} |" for pattern, method, role, text in rows]
    return PAGE_HEAD + "\n".join(lines)


def _operation(one: Endpoint) -> dict[str, Any]:
    statuses = {*EVERYWHERE, *one.problems, *(WITH_BODY if one.body is not None else ())}
    found: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "description": f"Needs the role {ROLES[one.permission]}.",
        "responses": {
            str(one.status): {"description": "Done.", "content": {one.media: {"schema": _unbounded(one.answer)}}},
            **{str(status): {"$ref": f"#/components/responses/{_problem_name(status)}"} for status in sorted(statuses)},
        },
    }
    parameters = [_parameter(name, "path", schema, True) for name, schema in one.path.items()]
    parameters += [_parameter(name, "query", schema, name in one.needed) for name, schema in one.query.items()]
    if parameters:
        found["parameters"] = parameters
    if one.body is not None:
        needed = bool(one.body.get("required"))
        found["requestBody"] = {"required": needed, "content": {"application/json": {"schema": dict(one.body)}}}
    return found


def _unbounded(schema: Any) -> Any:
    """Return a schema without the limits that only hold for what is sent to us: its parts are used for both."""
    if not isinstance(schema, Mapping):  # additionalProperties may be true or false
        return schema
    found = {key: value for key, value in schema.items() if key not in LIMITS}
    if "properties" in found:
        found["properties"] = {name: _unbounded(one) for name, one in found["properties"].items()}
    return found | {key: _unbounded(found[key]) for key in ("items", "additionalProperties") if key in found}


def _parameter(name: str, place: str, schema: Mapping[str, Any], required: bool) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key != "description"}
    found = {"name": name, "in": place, "required": required, "schema": plain}
    return {**found, "description": schema["description"]} if "description" in schema else found


def _problem_name(status: int) -> str:
    return f"Problem{status}"


def _problem(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": PROBLEMS[status], "content": content}
