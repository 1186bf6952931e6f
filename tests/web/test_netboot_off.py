"""A daemon without the plugin NetBoot: the page says what it is for, and turns it on by way of a draft."""

from __future__ import annotations

import pytest
from webtest import TestApp

from e2e import ockle
from ockle.cli.codes import USAGE
from web_site import TOKENS, WebSite


def test_the_page_tells_what_it_is_for_and_puts_it_into_the_draft(app: TestApp, site: WebSite) -> None:
    page = app.get("/netboot")
    assert "It is off." in page
    form = next(one for one in page.forms.values() if "interface" in one.fields)
    form["interface"] = "eth1"
    review = form.submit().follow()
    assert "interface = eth1" in review
    assert "It is in your draft" in app.get("/netboot")
    with site.client() as client:
        client.call("draftDiscard")
    assert "It is off." in app.get("/netboot")


def test_only_an_admin_turns_it_on(site: WebSite) -> None:
    page = site.browser("operator").get("/netboot")
    assert "Somebody with the role admin can turn it on" in page


def test_what_needs_the_plugin_says_that_it_is_missing(app: TestApp) -> None:
    assert "there is nobody who goes by the hosts" in app.get("/settings/netboot/hosts")
    assert app.get("/netboot/pi1", status=501)
    assert app.get("/api/v1/netboot/boards", status=501).json["error"] == "unknown_command"
    assert app.get("/netboot/live").json["html"] == {}


def test_boot_profiles_are_a_kind_of_the_settings(app: TestApp, site: WebSite) -> None:
    form = next(one for one in app.get("/settings/new/boot").forms.values() if "name" in one.fields)
    form["name"] = "compute"
    form["o,boot,boards"] = "pi[1-3]"
    page = form.submit("save").follow()
    assert "compute" in page
    with site.client() as client:
        client.call("draftDiscard")


def test_the_servers_of_the_lab_are_no_boards(app: TestApp) -> None:
    assert "board-head" not in app.get("/server/web")


def test_the_command_line_says_how_it_is_turned_on(site: WebSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKLE_TOKEN", TOKENS["viewer"])
    found = ockle("netboot", "boards", port=site.daemon.port)
    assert found.code == USAGE
    assert "add NetBoot to `plugins`" in found.err
