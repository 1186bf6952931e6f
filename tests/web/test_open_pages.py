"""What is seen without logging in: whether the GUI works, and the wall if it was asked for."""

from __future__ import annotations

import pytest
from webtest import TestApp

from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings
from web_site import WebSite


def test_monitors_need_no_login(nobody: TestApp) -> None:
    assert nobody.get("/health").json == {"status": "ok"}
    ready = nobody.get("/ready").json
    assert (ready["status"], ready["daemon"]) == ("ok", True)


def test_without_a_daemon_it_lives_and_is_not_ready() -> None:
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": 9}, wall=True))
    try:
        app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
        assert app.get("/health").json == {"status": "ok"}
        assert app.get("/ready", status=503).json == {"status": "unavailable", "daemon": False, "age_s": None}
        assert "The daemon does not answer." in app.get("/status").text
        assert "Log in" in app.get("/login").text
    finally:
        router.registry.link.stop()


def test_the_wall_is_off_unless_it_was_asked_for(nobody: TestApp) -> None:
    nobody.get("/status", status=404)


def test_the_wall_shows_names_and_states_and_nothing_else(site: WebSite) -> None:
    settings = WebSettings(daemon=site.settings.daemon, token=site.settings.token, wall=True)
    app = TestApp(make_app(settings, site.router.registry.link), extra_environ={"HTTP_HOST": "ockle.test"})
    page = app.get("/status")
    servers = page.html.find("ul", class_="servers").find_all("li")
    assert {one.strong.text for one in servers} == set(site.router.registry.link.snapshot.servers)
    assert page.html.find("ul", class_="counts").text.split() == ["7", "off"]
    assert page.html.find("form") is None
    assert "127.0.0.1" not in page.text
    assert not page.html.find_all(style=True)


@pytest.mark.parametrize("path", ["/about", "/settings/users", "/account", "/settings/audit.csv"])
def test_nothing_else_is_shown_to_nobody(nobody: TestApp, path: str) -> None:
    assert nobody.get(path, status=303).location.startswith("http://ockle.test/login?next=")


def test_about_says_what_runs_and_of_what_it_is_made(app: TestApp) -> None:
    page = app.get("/about")
    for text in ("GPL-2.0-or-later", "state.db", "SocketListener", "pyramid", "Running for"):
        assert text in page.text
    assert "not loaded" in page.text
