"""Servers with names that somebody may give them: pages find them, show them as text, and switch the right one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dummy_site import Client, dummy_site

NAMES = [
    "we b",
    "it's",
    "ümläut 🔌",
    "<script>alert(1)<b>",
    "a&b=c#d?e%2f",
    "[x]{y}$z;",
    "all",
    "x" * 64,
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with dummy_site(tmp_path_factory.mktemp("names")) as found:
        found.configure({name: NAMES[:1] if place else [] for place, name in enumerate(NAMES)})
        yield found


def form(page: Any, action: str) -> Any:
    return next(form for form in page.forms.values() if form.action == action)


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_found_shown_and_switched_by_its_name(client: Client, name: str) -> None:
    app = client.browser()
    listed = app.get("/servers", {"q": name})
    assert "<script>alert" not in listed.text
    link = next(link for link in listed.html.tbody.find_all("a") if link.text == name)
    page = app.get(link["href"])
    assert page.html.h1.text == name
    assert "<script>alert" not in page.text

    order = next(link for link in page.html.main.find_all("a") if link.text.startswith("Turn on"))
    plan = app.get(order["href"])
    assert plan.html.h1.text == f"Turn on {name}?"
    assert [row.th.text for row in plan.html.find("table", class_="steps").tbody.find_all("tr")][-1] == name
    run = form(plan, "/plan/start").submit(status=303).follow()
    assert "<script>alert" not in run.text
    servers = client.until(lambda found: found[name]["word"] == "on")
    assert {one for one, server in servers.items() if server["word"] == "on"} == {NAMES[0], name}

    cut = app.get("/plan/new", {"action": "cut", "server": name})
    agree = form(cut, "/plan/start")
    agree["confirm"] = cut.html.find("form", class_="agree").find("label", {"for": "confirm"}).text[5:-9]
    agree.submit(status=303)
    client.until(lambda found: found[name]["word"] == "off")
    down = client.post("/plans", {"action": "off", "servers": [NAMES[0]]})
    client.run(down)
