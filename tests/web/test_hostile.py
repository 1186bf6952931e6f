"""Requests that no friend sends, and a daemon that is not there: each gets an answer that says what is wrong."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from pyramid.request import Request
from webtest import TestApp

from ockle.webserver import security
from ockle.webserver.application import make_app
from ockle.webserver.gate import Gate
from ockle.webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from ockle.webserver.security import Identity, Tokens
from ockle.webserver.settings import WebSettings
from web_site import TOKENS, WebSite

NO_DAEMON = WebSettings(daemon={"host": "127.0.0.1", "port": 9})


def raw(site: WebSite, **environ: str) -> tuple[int, str]:
    """Send what WebTest itself would not."""
    request = Request.blank("/", environ={"REMOTE_ADDR": "127.0.0.1", **environ})
    response = request.get_response(site.router)
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    return response.status_int, response.text


def hidden(app: TestApp) -> str:
    return str(app.get("/servers").html.find("input", {"name": "csrf_token"})["value"])


@pytest.mark.parametrize("path", ["/\xff", "/static/\xff", "/api/v1/\xff"])
def test_an_address_that_is_no_text(site: WebSite, path: str) -> None:
    assert raw(site, PATH_INFO=path) == (400, "The address is no text in UTF-8.")


@pytest.mark.parametrize("host", ["[::", "a b", "<script>", "evil.example/x", "a:b", "x@y"])
def test_a_host_that_is_none(site: WebSite, host: str) -> None:
    assert raw(site, HTTP_HOST=host)[0] == 400


def test_a_file_in_place_of_a_text(site: WebSite, app: TestApp) -> None:
    token = {"csrf_token": hidden(app)}
    for path, field in (
        ("/login", "user"),
        ("/setup", "user"),
        ("/history/note", "server"),
        ("/servers/test", "server"),
    ):
        page = app.post(path, token, upload_files=[(field, "x.ini", b"x")], status=400)
        assert "takes no files" in page.text
    app.post("/servers/test", upload_files=[("csrf_token", "x.ini", b"x")], status=400)


@pytest.mark.parametrize("folder", ["servers", "circuits", "outlets"])
def test_a_new_object_of_a_type_that_is_none(app: TestApp, folder: str) -> None:
    page = app.post(f"/settings/new/{folder}", {"csrf_token": hidden(app), "type": "web", "name": "x y"}, status="4*")
    assert page.html.find("form")


def test_a_form_whose_memory_is_no_json(app: TestApp) -> None:
    for base in ("[" * 2_000, "[[[]]]", '{"a": 1}', "\x00"):
        app.post("/settings/servers/web/needs", {"csrf_token": hidden(app), "base": base}, status=303)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://ockle.test:99"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://ockle.test"},
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_hidden_field(app: TestApp, headers: dict[str, str]) -> None:
    page = app.post("/servers/test", {"csrf_token": hidden(app), "server": "core"}, headers=headers, status=400)
    assert "another site" in page.text


def test_a_form_of_ours_is_taken_also_where_a_proxy_hides_the_host(app: TestApp) -> None:
    for headers in (
        {"Origin": "http://ockle.test"},
        {"Origin": "http://seen.example", "Sec-Fetch-Site": "same-origin"},
    ):
        headers["Host"] = "ockle.test"
        app.post("/servers/test", {"csrf_token": hidden(app), "server": "core"}, headers=headers, status=200)


def test_after_the_login_the_page_is_reached_behind_a_proxy_too(site: WebSite) -> None:
    behind = {"SCRIPT_NAME": "/power"}
    for wanted, reached in (("/power/about?q=x", "/power/about?q=x"), ("/about", "/power/"), ("//[", "/power/")):
        app = site.browser()
        form = app.get("/login", {"by": "token", "next": wanted}, extra_environ=behind).forms["by-token"]
        form["token"] = TOKENS["viewer"]
        assert form.submit(status=303, extra_environ=behind).location == f"http://ockle.test{reached}"


# -- what the GUI may, and who looks at it may not


def test_who_may_only_look_does_nothing_with_the_rights_of_the_gui_itself(site: WebSite) -> None:
    with site.client() as daemon:
        daemon.call("userAdd", {"user": "boss", "role": "admin", "password": "correct horse battery"})
        settings = WebSettings(daemon=site.settings.daemon, token=TOKENS["admin"], local_role="viewer")
        router = make_app(settings, site.router.registry.link)
        app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
        wish = {"name": "mine", "user": "boss", "role": "admin"}
        refused = app.post_json("/api/v1/tokens", wish, headers={"X-CSRF-Token": hidden(app)}, status=403)
        assert refused.json["error"] == "denied"
        assert daemon.call("tokens")["tokens"] == []


def test_a_connection_is_held_to_the_role_that_it_asked_for(site: WebSite) -> None:
    with Connection(**site.settings.daemon, token=TOKENS["admin"], role="viewer") as held:
        assert held.call("whoAmI")["role"] == "viewer"
        assert held.call("login", {"role": "admin"})["role"] == "viewer"
        assert held.call("login", {"token": TOKENS["admin"], "role": "operator"})["role"] == "viewer"
        with pytest.raises(ClientError, match="needs the role admin"):
            held.call("users")
        with pytest.raises(ClientError, match="role is one of"):
            held.call("login", {"role": "root"})
    with Connection(**site.settings.daemon, token=TOKENS["viewer"], role="admin") as held:
        assert held.call("whoAmI")["role"] == "viewer"


# -- a daemon that is not there


def test_whoever_was_let_in_sees_the_last_states_without_the_daemon(
    site: WebSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "BELIEVED_S", 0.0)
    router = make_app(NO_DAEMON, site.router.registry.link)
    router.registry.tokens.believe(Identity("admin token", "admin", TOKENS["admin"]))
    app = TestApp(router, extra_environ={"HTTP_HOST": "ockle.test"})
    app.set_cookie(security.SESSION_COOKIE, TOKENS["admin"])
    assert "core" in app.get("/").text
    assert app.get("/api/v1/state").json["servers"]
    assert "Connection refused" in app.get("/settings", status=503).text
    monkeypatch.setattr(security, "WITHOUT_DAEMON_S", 0.0)
    router.registry.tokens.doubt()
    app.get("/", status=503)


@pytest.mark.parametrize(("path", "status"), [("/", 503), ("/api/v1/state", 503), ("/nothing", 404)])
def test_a_token_that_nobody_can_judge_gets_a_page_nevertheless(site: WebSite, path: str, status: int) -> None:
    app = TestApp(make_app(NO_DAEMON, site.router.registry.link), extra_environ={"HTTP_HOST": "ockle.test"})
    app.set_cookie(security.SESSION_COOKIE, "somebody")
    page = app.get(path, status=status)
    assert page.headers["X-Frame-Options"] == "DENY"


def test_one_asks_and_the_others_with_the_same_token_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer = threading.Event(), threading.Event()

    def ask(_tokens: Tokens, _token: str) -> Identity:
        asked.set()
        assert answer.wait(10)
        raise ConnectionFailed("silent")

    monkeypatch.setattr(Tokens, "_ask", ask)
    tokens = Tokens(NO_DAEMON, Gate(1, 1))
    tokens.believe(me := Identity("vera", "viewer", "t", "vera"))
    tokens.doubt()
    first = threading.Thread(target=tokens.identify, args=("t",))
    first.start()
    assert asked.wait(10)
    assert tokens.identify("t") == me  # at once, while the other still waits
    answer.set()
    first.join(10)


def test_a_daemon_that_is_silent_is_asked_once_for_a_page(site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(_tokens: Tokens, token: str) -> Identity:
        asked.append(token)
        clock[0] += security.ASK_S
        raise ConnectionFailed("silent")

    clock = [1000.0]
    monkeypatch.setattr(security, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(Tokens, "_ask", ask)
    router = make_app(NO_DAEMON, site.router.registry.link)
    router.registry.tokens.believe(Identity("admin token", "admin", TOKENS["admin"]))
    router.registry.tokens.doubt()
    app = TestApp(router, extra_environ={"HTTP_HOST": "ockle.test"})
    app.set_cookie(security.SESSION_COOKIE, TOKENS["admin"])
    app.get("/")
    app.get("/")
    assert len(asked) == 1, "the second page did not have to wait"
    stranger = TestApp(router, extra_environ={"HTTP_HOST": "ockle.test"})
    stranger.set_cookie(security.SESSION_COOKIE, "somebody")
    stranger.get("/", status=503)
    assert len(asked) == 2


# -- those who are not logged in


def test_strangers_leave_room_for_others() -> None:
    gate = Gate(3, 2)
    with gate.entered("a"), gate.entered("a"):
        with pytest.raises(ClientError, match="try again"), gate.entered("a"):
            pass
        with gate.entered("b"), pytest.raises(ClientError, match="try again"), gate.entered("c"):
            pass
    with gate.entered("a"):
        assert dict(gate._inside) == {"a": 1}
    assert not gate._inside


def test_when_too_many_come_at_once_they_are_told_to_wait_and_users_are_not(site: WebSite, app: TestApp) -> None:
    app.get("/about")
    gate = site.router.registry.gate
    with gate.entered("x"), gate.entered("x"), gate.entered("y"), gate.entered("y"):
        stranger = site.browser()
        form = stranger.get("/login?by=token").forms["by-token"]
        form["token"] = "guessed"
        assert "Too many are logging in" in form.submit(status=429).text
        stranger.get("/about", headers={"Authorization": "Bearer guessed"}, status=429)
        words = {"csrf_token": form["csrf_token"].value, "user": "vera", "password": "no"}
        assert "Too many are logging in" in stranger.post("/login", words, status=429).text
        app.get("/about")
        site.router.registry.tokens.doubt()
        app.get("/about")
