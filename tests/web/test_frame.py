"""What all pages share: who may see them, what every answer carries, and what happens without a daemon."""

from __future__ import annotations

import pytest
from webtest import TestApp

from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings
from web_site import TOKENS, WebSite


def test_a_page_shows_the_states_and_carries_the_headers(app: TestApp) -> None:
    page = app.get("/")
    assert {row.th.text for row in page.html.tbody.find_all("tr")} >= {"core", "nas", "web"}
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"
    assert not page.html.find_all(style=True)


def test_what_needs_a_plugin_says_so(app: TestApp) -> None:
    assert "The plugin Monitoring is not enabled" in app.get("/nodes")
    assert "All is well" in app.get("/alerts")
    assert app.get("/").html.find(attrs={"data-alert-badge": True, "hidden": True})


def test_the_poll_is_small_when_nothing_has_changed(app: TestApp) -> None:
    first = app.get("/api/v1/state").json
    assert first["servers"]["core"]["word"] == "Off"
    again = app.get("/api/v1/state", {"since": first["rev"]})
    assert again.status_int == 200
    assert again.json["same"] is True
    assert "servers" not in again.json


def test_without_a_login_pages_lead_to_it_and_programs_are_refused(nobody: TestApp) -> None:
    page = nobody.get("/about?q=x", status=303)
    assert page.location == "http://ockle.test/login?next=%2Fabout%3Fq%3Dx"
    refused = nobody.get("/api/v1/state", status=401)
    assert refused.json["error"] == "unauthenticated"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_program_sends_its_token(nobody: TestApp) -> None:
    nobody.get("/api/v1/state", headers={"Authorization": f"Bearer {TOKENS['viewer']}"})
    nobody.get("/api/v1/state", headers={"Authorization": "Bearer wrong"}, status=401)


def test_a_form_without_its_hidden_field_is_refused(app: TestApp) -> None:
    page = app.post("/logout", {}, status=400)
    assert "no longer valid" in page.text


def test_logging_in_leads_back_but_never_elsewhere(nobody: TestApp) -> None:
    for wanted, reached in (("/about", "/about"), ("//evil.example/", "/"), ("https://evil.example/", "/"), ("", "/")):
        nobody.reset()
        form = nobody.get("/login", {"by": "token", "next": wanted}).forms["by-token"]
        form["token"] = TOKENS["viewer"]
        assert form.submit(status=303).location == f"http://ockle.test{reached}"
    assert nobody.get("/about").status_int == 200


def test_a_wrong_token_is_said_at_the_form(nobody: TestApp) -> None:
    form = nobody.get("/login?by=token").forms["by-token"]
    form["token"] = "guessed"
    assert "does not know this token" in form.submit(status=403).text


def test_an_unknown_page_says_so(app: TestApp) -> None:
    assert "no such page" in app.get("/nothing", status=404).text
    assert app.get("/api/v1/nothing", status=404).json["error"] == "not_found"


def test_behind_a_proxy_all_links_have_its_path(app: TestApp) -> None:
    page = app.get("/", extra_environ={"SCRIPT_NAME": "/power"})
    for link in page.html.find_all(href=True):
        assert link["href"].startswith(("/power", "#")), link
    for script in page.html.find_all("script"):
        assert script["src"].startswith("/power/static/")


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example"])
def test_without_login_only_names_of_this_machine_are_believed(site: WebSite, name: str) -> None:
    settings = WebSettings(daemon=site.settings.daemon, token=site.settings.token, local_role="viewer")
    router = make_app(settings, site.router.registry.link)
    local = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8080"})
    assert local.get("/").status_int == 200
    assert local.get("/", extra_environ={"HTTP_HOST": name}).status_int == 303
    assert local.get("/", extra_environ={"REMOTE_ADDR": "127.0.0.2"}).status_int == 303


def test_names_that_are_not_configured_are_refused(site: WebSite) -> None:
    router = make_app(WebSettings(daemon=site.settings.daemon, hosts=("power.lan",)), site.router.registry.link)
    app = TestApp(router, extra_environ={"HTTP_HOST": "power.lan"})
    assert app.get("/login?by=token").status_int == 200
    assert app.get("/login?by=token", extra_environ={"HTTP_HOST": "other.lan"}, status=421).status_int == 421


def test_a_daemon_that_is_not_there_is_said() -> None:
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": 9}, local_role="admin"))
    try:
        app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
        router.registry.link.wait_changed("never", 0)
        page = app.get("/")
        assert "The daemon does not answer" in page.text
        assert "cannot reach the daemon" in app.get("/about", status=503).text
    finally:
        router.registry.link.stop()
