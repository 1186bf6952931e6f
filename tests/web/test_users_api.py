"""Users, tokens and the audit log by the REST interface."""

from __future__ import annotations

import pytest
from webtest import TestApp

from ockle.webserver.views.api.endpoint import PREFIX
from ockle.webserver.views.api.schema import check
from ockle.webserver.views.api.users import ENTRY, SESSION, TOKEN, USER
from web_site import TOKENS, WebSite

GOOD = "correct horse battery"


class Program:
    def __init__(self, site: WebSite, token: str) -> None:
        self._app = TestApp(site.router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
        self._app.authorization = ("Bearer", token)

    def get(self, path: str, status: int = 200, **query: object) -> dict:  # type: ignore[type-arg]
        return dict(self._app.get(PREFIX + path, query, status=status).json)

    def post(self, path: str, status: int = 200, **body: object) -> dict:  # type: ignore[type-arg]
        return dict(self._app.post_json(PREFIX + path, body, status=status).json)

    def delete(self, path: str, status: int = 200) -> None:
        self._app.delete(PREFIX + path, status=status)


@pytest.fixture
def admin(site: WebSite) -> Program:
    return Program(site, TOKENS["admin"])


def test_users_and_tokens_come_and_go(site: WebSite, admin: Program) -> None:
    check(USER, admin.post("/users", 201, user="otto", role="operator", password=GOOD))
    admin.post("/users", 409, user="OTTO", role="viewer", password=GOOD)
    assert admin.post("/users", 422, user="x", role="root", password=GOOD)["field"] == "role"
    assert "letters, digits" in admin.post("/users", 400, user="<b>", role="viewer", password=GOOD)["message"]
    made = admin.post("/tokens", 201, name="ci", user="otto")
    otto = Program(site, made["token"])
    assert otto.get("/me")["name"] == "otto (token ci)"
    for path in ("/users", "/audit"):
        assert otto.get(path, 403)["error"] == "denied"
    otto.post("/tokens", 403, name="x", role="admin")
    mine = otto.post("/tokens", 201, name="less", role="viewer")
    assert [token["name"] for token in otto.get("/tokens")["tokens"]] == ["ci", "less"]
    otto.delete(f"/tokens/{mine['id']}")
    otto.delete(f"/tokens/{mine['id']}", 404)
    assert admin.post("/users/otto", role="viewer")["role"] == "viewer"
    assert otto.get("/me")["role"] == "viewer"
    admin.post("/users/nobody", 404, role="viewer")
    admin.post("/users/otto", 400)
    admin.delete("/users/otto")
    otto.get("/me", 401)
    admin.delete("/users/otto", 404)


def test_the_answers_are_as_declared(site: WebSite, admin: Program) -> None:
    admin.post("/users", 201, user="vera", role="viewer", password=GOOD)
    browser = site.browser()
    form = browser.get("/login?by=token").forms[0]
    form["user"], form["password"] = "vera", GOOD
    form.submit(status=303)
    admin.post("/tokens", 201, name="ci", user="vera", expires_s=100)
    for schema, path, name in (
        (USER, "/users", "users"),
        (TOKEN, "/tokens", "tokens"),
        (SESSION, "/sessions", "sessions"),
    ):
        found = admin.get(path)[name]
        assert found
        for one in found:
            check(schema, one)
    audit = admin.get("/audit", check="true", limit=1000)
    assert audit["problem"] == ""
    for entry in audit["entries"]:
        check(ENTRY, entry)
    assert {entry["via"] for entry in audit["entries"]} >= {"api", "gui"}
    assert GOOD not in str(audit)
    [session] = admin.get("/sessions")["sessions"]
    admin.delete(f"/sessions/{session['id']}")
    browser.get("/about", status=303)
    admin.delete("/users/vera")
