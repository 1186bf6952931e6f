"""Logging in, one's account, users and the audit log, on the real daemon."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from webtest import TestApp, TestResponse

from ockle.common.errors import ConfigError
from ockle.webserver import security
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from ockle.webserver.security import CSRF_COOKIE, SESSION_COOKIE
from ockle.webserver.serve import check_users
from ockle.webserver.settings import WebSettings
from web_site import TOKENS, WebSite

GOOD, OTHER = "correct horse battery", "staple, purple monkey"
BROWSER = {"User-Agent": "Firefox <b>"}


@pytest.fixture(scope="module")
def admin(site: WebSite) -> Iterator[Connection]:
    """The daemon, asked by a program with the admin's token of the configuration."""
    with Connection(**site.settings.daemon, token=TOKENS["admin"]) as connection:
        yield connection


@pytest.fixture(scope="module", autouse=True)
def _first_user(site: WebSite, admin: Connection) -> None:
    """Set the first user up, through the pages."""
    nobody = site.browser()
    assert nobody.get("/login", status=303).location == "http://ockle.test/setup"
    form = nobody.get("/setup").forms[0]
    form["user"], form["password"], form["again"] = "guy", GOOD, GOOD
    form["code"] = "AAAA-AAAA-AAAA"
    page = form.submit(status=403)
    assert "not the code" in page.text
    assert page.forms[0]["user"].value == "guy"
    assert page.forms[0]["password"].value == "", "no password ever comes back"
    form["code"] = admin.call("setupCode")["code"]
    form["again"] = OTHER
    assert "not the same" in form.submit(status=400).text
    form["again"] = GOOD
    assert form.submit(status=303).location == "http://ockle.test/"
    assert "guy" in nobody.get("/").html.find("details", class_="menu").summary.text
    assert nobody.get("/setup", status=303).location == "http://ockle.test/login"


@pytest.fixture
def vera(admin: Connection) -> Iterator[str]:
    """The name of a viewer; gone afterwards."""
    admin.call("userAdd", {"user": "vera", "role": "viewer", "password": GOOD})
    yield "vera"
    try:
        admin.call("userRemove", {"user": "vera"})
    except ClientError as error:
        assert error.code == "not_found"


def log_in(site: WebSite, user: str, password: str = GOOD, status: int = 303, path: str = "") -> TestApp:
    app = site.browser()
    form = app.get("/login", {"next": path} if path else None).forms[0]
    form["user"], form["password"] = user, password
    page = form.submit(status=status, headers=BROWSER)
    if status == 303:
        assert page.location == f"http://ockle.test{path or '/'}"
    return app


def test_a_login_gives_new_cookies_and_the_logout_takes_them_from_the_daemon_too(site: WebSite) -> None:
    app = site.browser()
    app.set_cookie(SESSION_COOKIE, "planted")
    form = app.get("/login").forms[0]
    token_before = app.cookies[CSRF_COOKIE]
    form["user"], form["password"] = "guy", GOOD
    answer = form.submit(status=303)
    cookies = [value for name, value in answer.headerlist if name == "Set-Cookie" and SESSION_COOKIE in value]
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Strict" in cookies[0]
    session = app.cookies[SESSION_COOKIE]
    assert session != "planted"
    assert app.cookies[CSRF_COOKIE] != token_before
    app.get("/about")
    app.get("/").forms["log-out"].submit(status=303)
    app.get("/about", status=303)
    stolen = site.browser()
    stolen.set_cookie(SESSION_COOKIE, session)
    stolen.get("/about", status=303)
    with Connection(**site.settings.daemon, token=session) as client, pytest.raises(ClientError, match="ended"):
        client.call("status")


def test_behind_tls_the_cookie_is_kept_out_of_the_clear(site: WebSite) -> None:
    app = site.browser()
    secure = {"wsgi.url_scheme": "https"}
    form = app.get("/login", extra_environ=secure).forms[0]
    form["user"], form["password"] = "guy", GOOD
    answer = form.submit(status=303, extra_environ=secure, headers={"Referer": "https://ockle.test/login"})
    cookies = [value for name, value in answer.headerlist if name == "Set-Cookie"]
    assert len(cookies) == 2
    assert all(value.endswith("; secure") or "; Secure" in value for value in cookies), cookies


def test_wrong_names_and_passwords_are_told_alike_then_slowed_down(site: WebSite) -> None:
    for name in ("mallory", '"><script>alert(1)</script>', "x" * 5000, "🦕 \u202e"):
        page = _try(site, name, status=403)
        assert "Wrong name or password." in page.text
        assert "<script>alert" not in page.text
    tries = (_try(site, "mallory", status="*") for _ in range(15))  # waits grow: a slow machine meets one, too
    page = next(page for page in tries if page.status_int != 403)
    assert page.status_int == 429
    assert int(page.headers["Retry-After"]) >= 1
    assert "too many failed tries" in page.text.lower()
    log_in(site, "guy")


def _try(site: WebSite, name: str, status: int | str) -> TestResponse:
    app = site.browser()
    form = app.get("/login").forms[0]
    form["user"], form["password"] = name, "wrong, whatever it is"
    return form.submit(status=status)


def test_a_session_that_ended_leads_to_the_login_and_back(site: WebSite, admin: Connection, vera: str) -> None:
    app = log_in(site, vera)
    app.get("/about")
    admin.call("userChange", {"user": vera, "role": "operator"})
    site.router.registry.tokens.doubt()  # by itself it would ask again within seconds
    answer = app.get("/about", status=303)
    assert answer.location == "http://ockle.test/login?next=%2Fabout"
    assert app.get("/api/v1/state", status=401).json["error"] == "unauthenticated"
    form = answer.follow().forms[0]
    form["user"], form["password"] = vera, GOOD
    assert form.submit(status=303).location == "http://ockle.test/about"


def test_roles_hold_on_the_pages_and_at_the_daemon(site: WebSite, admin: Connection, vera: str) -> None:
    app = log_in(site, vera)
    for path in ("/settings/users", "/settings/audit", "/settings/audit.csv"):
        assert "another role" in app.get(path, status=403).text
    app.post("/settings/users/add", {"csrf_token": csrf(app), "user": "eve", "role": "admin"}, status=403)
    order = {"server": "core", "state": "off"}
    with (
        Connection(**site.settings.daemon, token=app.cookies[SESSION_COOKIE]) as client,
        pytest.raises(ClientError, match="role operator"),
    ):
        client.call("setServer", order)
    for role, status in (("viewer", 403), ("operator", 200)):
        token = admin.call("tokenAdd", {"name": role, "user": "guy", "role": role})["token"]
        headers = {"Authorization": f"Bearer {token}"}
        site.browser().post_json("/api/v1/servers/lone/hold", {"held": False}, headers=headers, status=status)
    # a cookie alone could be sent by any page
    log_in(site, "guy").post_json("/api/v1/servers/lone/hold", {"held": False}, status=400)


def csrf(app: TestApp) -> str:
    return str(app.get("/account").forms["password"]["csrf_token"].value)


def test_the_account(site: WebSite, vera: str) -> None:
    other, app = log_in(site, vera), log_in(site, vera)
    page = app.get("/account")
    assert "Firefox &lt;b&gt;" in page.text
    assert page.text.count("this one") == 1
    form = page.forms["new-token"]
    form["name"] = "ci"
    assert {option for option, _selected, _text in form["role"].options} == {"viewer"}
    made = form.submit()
    token = made.html.find("pre").text
    site.browser().get("/api/v1/state", headers={"Authorization": f"Bearer {token}"})
    assert token not in app.get("/account").text, "it is shown once"
    assert "has a token ci already" in form.submit(status=409).text
    form = app.get("/account").forms["password"]
    form["old"], form["password"], form["again"] = "wrong", OTHER, OTHER
    assert "The password is wrong." in form.submit(status=403).text
    form["old"] = GOOD
    before = app.cookies[SESSION_COOKIE]
    assert form.submit(status=303).location == "http://ockle.test/account"
    assert app.cookies[SESSION_COOKIE] != before
    app.get("/account")
    site.router.registry.tokens.doubt()
    other.get("/account", status=303)
    log_in(site, vera, OTHER)


def test_a_session_is_ended_from_elsewhere(site: WebSite, vera: str) -> None:
    other, app = log_in(site, vera), log_in(site, vera)
    page = app.get("/account")
    ends = [form for form in page.forms.values() if form.action.endswith("/session")]
    assert len(ends) == 1, "the own one is ended by logging out"
    ends[0].submit(status=303)
    site.router.registry.tokens.doubt()
    other.get("/account", status=303)
    assert "no such session" in ends[0].submit(status=400).text


def test_a_token_of_the_configuration_has_no_account(app: TestApp) -> None:
    assert "did not log in as a user" in app.get("/account", status=409).text


def test_an_admin_manages_the_users(site: WebSite, admin: Connection) -> None:
    app = log_in(site, "guy")
    form = app.get("/settings/users").forms["add-user"]
    form["user"], form["role"], form["password"], form["again"] = "<b>", "operator", GOOD, GOOD
    page = form.submit(status=400)
    assert "The name of a user has" in page.text
    assert page.forms["add-user"]["user"].value == "<b>"
    form["user"], form["again"] = "otto", OTHER
    assert "not the same" in form.submit(status=400).text
    form["again"] = GOOD
    form.submit(status=303)
    assert "there is a user otto already" in form.submit(status=409).text.lower()
    row = _card(app, "otto")
    assert "operator" in row.text
    otto = log_in(site, "otto")
    forms = {form.action.rpartition("/")[2]: form for form in _forms(app, "otto")}
    forms["remove"]["confirm"] = "guy"
    assert "Type the name" in forms["remove"].submit(status=400).text
    for form in _forms(app, "otto"):
        if "disabled" in form.fields:
            form.submit(status=303)
    otto.get("/about", status=303)
    assert "disabled" in _card(app, "otto").text
    forms["remove"]["confirm"] = "otto"
    forms["remove"].submit(status=303)
    assert [user["name"] for user in admin.call("users")["users"]] == ["guy"]
    remove = next(form for form in _forms(app, "guy") if form.action.endswith("/remove"))
    remove["confirm"] = "guy"
    assert "last admin" in remove.submit(status=409).text


def _card(app: TestApp, name: str):  # type: ignore[no-untyped-def]
    page = app.get("/settings/users").html
    return next(card for card in page.find_all("details", class_="user") if card.summary.strong.text == name)


def _forms(app: TestApp, name: str):  # type: ignore[no-untyped-def]
    page = app.get("/settings/users")
    return [form for form in page.forms.values() if "user" in form.fields and form["user"].value == name]


def test_the_audit_log_as_page_and_as_csv(site: WebSite, admin: Connection) -> None:
    app = log_in(site, "guy")
    admin.call("hold", {"server": "pi1", "held": True, "note": "=1+1"})
    admin.call("hold", {"server": "pi1", "held": False})
    page = app.get("/settings/audit", {"server": "pi1"})
    assert [row.code.text for row in page.html.tbody.find_all("tr")] == ["hold", "hold"]
    newest = app.get("/settings/audit", {"who": "guy", "command": "userLogin"}).html.tbody.tr
    assert "gui 127.0.0.1" in newest.text, "where the browser is, not where the GUI is"
    assert "as it was written" in app.get("/settings/audit", {"check": "1"}).text
    assert "Nothing of that kind" in app.get("/settings/audit", {"who": "<img>"}).text
    app.get("/settings/audit", {"before": "²"})
    answer = app.get("/settings/audit.csv", {"server": "pi1"})
    assert answer.content_type == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["command"], row["object"], row["result"]) for row in rows] == [("hold", "pi1", "ok")] * 2
    assert int(rows[0]["id"]) > int(rows[1]["id"])


def test_a_gui_for_others_wants_a_user_first(site: WebSite) -> None:
    check_users(WebSettings(host="0.0.0.0", daemon=site.settings.daemon, token=TOKENS["viewer"]))
    with pytest.raises(ConfigError, match=r"\[web\] host = 0\.0\.0\.0: whether there is a user yet"):
        check_users(WebSettings(host="0.0.0.0", daemon={"host": "127.0.0.1", "port": 9}), patience_s=0.0)


def test_what_cannot_be_undone_wants_the_password_again(site: WebSite, admin: Connection) -> None:
    app = log_in(site, "guy")
    order = {"csrf_token": csrf(app), "state": "on", "confirm": "lone", "note": '"><b>'}
    site.router.registry.proofs.forget()  # as if some time had passed since the login
    page = app.post("/server/lone/force", order)
    assert "Nothing was done yet." in page.text
    assert admin.call("getServerView", {"server": "lone"})["forced"] is None
    form = next(form for form in page.forms.values() if "password_again" in form.fields)
    assert form["note"].value == '"><b>'
    form["password_again"] = OTHER
    form = next(form for form in form.submit(status=403).forms.values() if "password_again" in form.fields)
    assert admin.call("getServerView", {"server": "lone"})["forced"] is None
    form["password_again"] = GOOD
    form.submit(status=303)
    assert admin.call("getServerView", {"server": "lone"})["forced"] == "on"
    app.post("/server/lone/force", {**order, "state": "off"}, status=303)
    app.post("/server/lone/force", {**order, "state": "clear"}, status=303)
    site.router.registry.proofs.forget()
    by_script = {"X-CSRF-Token": order["csrf_token"]}
    for path, wish in (
        ("/servers/lone/force", {"state": "on", "confirm": "lone"}),
        ("/emergency", {"servers": ["lone"], "within_s": 60, "confirm": "emergency"}),
    ):
        refused = app.post_json(f"/api/v1{path}", wish, headers=by_script, status=403)
        assert refused.json["error"] == "password_needed"
    app.post("/emergency", {**order, "confirm": "emergency", "minutes": "5", "server": "lone"}).mustcontain(
        "Is it you?"
    )
    assert admin.call("getEmergency")["emergency"] is None


def test_a_cut_wants_the_password_again(site: WebSite, admin: Connection) -> None:
    admin.call("setServer", {"server": "core", "state": "on"})
    site.settled("OK", "core")
    app = log_in(site, "guy")
    program = {"Authorization": f"Bearer {TOKENS['admin']}"}
    plan = site.browser().post_json("/api/v1/plans", {"action": "cut", "servers": ["core"]}, headers=program).json
    assert plan["tier"] == 3
    order = {"csrf_token": csrf(app), "plan": plan["id"], "confirm": "core"}
    runs = admin.call("runs")
    site.router.registry.proofs.forget()
    page = app.post("/plan/start", order)
    assert "Is it you?" in page.text
    assert admin.call("runs") == runs
    form = next(form for form in page.forms.values() if "password_again" in form.fields)
    form["password_again"] = GOOD
    assert "/runs/" in form.submit(status=303).location
    site.settled("OFF", "core")


def test_a_login_that_has_just_ended_is_asked_for(site: WebSite, admin: Connection, vera: str) -> None:
    app = log_in(site, vera)
    app.get("/about")
    admin.call("userChange", {"user": vera, "disabled": True})
    assert app.get("/about", status=303).location == "http://ockle.test/login?next=%2Fabout"
    token = admin.call("tokenAdd", {"name": "gone", "user": "guy"})
    headers = {"Authorization": f"Bearer {token['token']}"}
    site.browser().get("/api/v1/runs", headers=headers)
    admin.call("tokenRemove", {"id": token["id"]})
    assert site.browser().get("/api/v1/runs", headers=headers, status=401).json["error"] == "unauthenticated"


def test_who_was_known_may_look_on_while_the_daemon_is_away(site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    app = log_in(site, "guy")
    tokens = site.router.registry.tokens

    def away(_token: str) -> None:
        raise ConnectionFailed("cannot reach the daemon at nowhere")

    with monkeypatch.context() as patch:
        patch.setattr(tokens, "_ask", away)
        patch.setattr(security, "BELIEVED_S", 0.0)
        patch.setattr(security, "RETRY_S", 0.0)
        tokens.believe(security.Identity("guy", "admin", app.cookies[SESSION_COOKIE], "guy"))
        assert "guy" in app.get("/").html.find("details", class_="menu").summary.text
        stranger = site.browser()
        stranger.set_cookie(SESSION_COOKIE, "os_unknown")
        page = stranger.get("/", status=503)
        assert "cannot reach the daemon" in page.text
        assert stranger.get("/api/v1/state", status=503).json["error"] == "unreachable"
        stranger.get("/health")
        patch.setattr(security, "WITHOUT_DAEMON_S", 0.0)
        app.get("/", status=503)
    app.get("/")


def test_strangers_do_not_keep_the_others_waiting(site: WebSite) -> None:
    """The daemon takes half a second for each wrong token; only so many threads may wait for that."""
    app = log_in(site, "guy")
    gate = site.router.registry.gate
    with gate.entered("127.0.0.1"), gate.entered("127.0.0.1"):
        refused = site.browser().get("/api/v1/me", headers={"Authorization": "Bearer guess"}, status=429)
        assert refused.json["error"] == "throttled"
        app.get("/account")
        site.router.registry.tokens.doubt()
        app.get("/account")
        log_in(site, "guy", status=429)
    with gate.entered("203.0.113.1"), gate.entered("203.0.113.1"):
        log_in(site, "guy").get("/account")
