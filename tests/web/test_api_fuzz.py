"""Whatever is sent to whatever address: an answer below 500, in the form that the description promises."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webtest import TestApp

from ockle.webserver.views.api import table
from ockle.webserver.views.api.endpoint import PREFIX, Endpoint
from ockle.webserver.views.api.openapi import EVERYWHERE, PROBLEM, WITH_BODY
from ockle.webserver.views.api.schema import Invalid, Schema, check
from web_site import TOKENS, WebSite

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["core", "web", "all", "@x", "a[1-", "'; --", "../x", "\u202e", "0", "-1"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPOILING = ("apply_config", "undo_config", "add_user", "change_user", "remove_user", "remove_token", "end_session")
"""They would change the site under the other examples; tests of their own have them."""


def fitting(schema: Schema) -> st.SearchStrategy[Any]:
    """Return values that mostly fit ``schema``."""
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return st.none() | fitting({**schema, "type": kind[0]})
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if kind == "object" and "properties" in schema:
        known = {name: fitting(one) for name, one in schema["properties"].items()}
        needed = schema.get("required", ())
        return st.fixed_dictionaries(
            {name: known[name] for name in needed},
            optional={name: one for name, one in known.items() if name not in needed},
        )
    if kind == "object":
        return st.dictionaries(TEXTS, fitting(schema.get("additionalProperties", {})), max_size=2)
    if kind == "array":
        return st.lists(fitting(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        "string": TEXTS,
        "boolean": st.booleans(),
        "integer": st.integers(-1, 400),
        "number": st.floats(-1, 30),
    }
    return plain.get(kind, JSON)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Endpoint, str, dict[str, str], Any]:
    one = draw(st.sampled_from([one for one in table() if one.name not in SPOILING]))
    address = one.pattern
    for name, schema in one.path.items():
        value = str(draw(fitting(schema) | TEXTS)) or "x"
        address = address.replace("{" + name + "}", quote(value, safe="", errors="replace"))
    query = draw(st.fixed_dictionaries({}, optional={name: fitting(schema) for name, schema in one.query.items()}))
    body = None if one.body is None else draw(fitting(one.body) | JSON)
    return one, address, {name: str(value) for name, value in query.items()}, body


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests())
def test_every_answer_is_one_that_is_described(
    site: WebSite, request: tuple[Endpoint, str, dict[str, str], Any]
) -> None:
    one, address, query, body = request
    app = TestApp(site.router, extra_environ={"HTTP_HOST": "ockle.test:80"})
    headers = {"Authorization": f"Bearer {TOKENS['admin']}"}
    raw = b"" if one.body is None else json.dumps(body).encode()
    if one.body is not None:
        headers["Content-Type"] = "application/json"
    text = "&".join(f"{name}={quote(value, errors='replace')}" for name, value in query.items())
    found = app.request(f"{PREFIX}{address}?{text}", method=one.method, body=raw, headers=headers, expect_errors=True)
    described = {one.status, *one.problems, *EVERYWHERE, *(WITH_BODY if one.body is not None else ())}
    assert found.status_int in described, (found.status_int, found.text[:300])
    assert found.status_int < 500 or found.status_int in (501, 502)
    check(one.answer if found.status_int == one.status else PROBLEM, found.json)


def test_the_name_of_a_field_that_somebody_made_up_can_be_shown() -> None:
    with pytest.raises(Invalid, match=r"^\?\?x: there is no such field; there is: a$"):
        check({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {"\0\ud800x": 1})
