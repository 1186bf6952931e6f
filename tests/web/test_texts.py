"""Pages in another language, from a catalogue of the site's own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from webtest import TestApp

from ockle.webserver import texts
from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings
from web_site import WebSite

GERMAN = """\
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"
msgid "Network"
msgstr "Netz"
msgid "Off"
msgstr "Aus"
msgid "off"
msgstr "aus"
msgid "connected"
msgstr "verbunden"
"""


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    texts.use("")


def test_a_catalogue_of_the_site_is_used(site: WebSite, tmp_path: Path) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "ockle.mo").open("wb") as file:
        write_mo(file, read_po(io.StringIO(GERMAN), "de"))
    settings = WebSettings(daemon=site.settings.daemon, local_role="viewer", language="de", locales=tmp_path)
    router = make_app(settings, site.router.registry.link)
    app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
    page = app.get("/")
    assert page.html.html["lang"] == "de"
    assert page.html.h1.text.strip() == "Netz"
    assert "Aus" in page.text
    assert '"verbunden"' in page.html.html["data-texts"]
    assert '"Off": "Aus"' in page.html.html["data-texts"]
    assert " ".join(page.html.select_one("[data-count=off]").text.split()) == "– 7 aus"


def test_without_a_catalogue_pages_are_in_english(tmp_path: Path, app: TestApp) -> None:
    assert not texts.use("xx", tmp_path)
    page = app.get("/")
    assert page.html.html["lang"] == "en"
    assert "data-texts" not in page.html.html.attrs
