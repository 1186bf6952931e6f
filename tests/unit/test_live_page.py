"""Pages that follow what changes: of a new look only the rows that are different are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

from jinja2 import DictLoader, Environment

from ockle.webserver.live.page import LivePage, Painter
from ockle.webserver.live.parts import Parts

Look = list[dict[str, Any]]
MACROS = "{% macro row(key, one) %}{{ count(key) }}<li>{{ one.text }}</li>{% endmacro %}"


class Page:
    """A page of rows; ``drawn``: the keys of those that were drawn since one asked last."""

    def __init__(self) -> None:
        self.day = date(2026, 11, 21)
        self._counted: list[str] = []
        templates = Environment(loader=DictLoader({"rows": MACROS}), autoescape=True)
        templates.globals["count"] = self._count
        self._registry = SimpleNamespace(live_templates=templates)
        self._page: LivePage[Look] = LivePage("rows", lambda _call: [], self._draw, today=lambda: self.day)

    def _count(self, key: str) -> str:
        self._counted.append(key)
        return ""

    @staticmethod
    def _draw(paint: Painter, look: Look) -> Parts:
        html: dict[str, str] = {}
        return Parts(html, {"rows": paint.rows("rows", "row", "id", look, html)})

    def parts(self, look: Look, role: str = "viewer") -> Parts:
        identity = SimpleNamespace(role=role)
        return self._page.parts(SimpleNamespace(registry=self._registry, identity=identity, script_name=""), look)

    @property
    def drawn(self) -> list[str]:
        found, self._counted[:] = list(self._counted), []
        return found


def look(**texts: str) -> Look:
    return [{"id": name, "text": text} for name, text in texts.items()]


def html(parts: Parts) -> Mapping[str, str]:
    return {key: part.removeprefix("<li>").removesuffix("</li>") for key, part in parts.html.items()}


def test_only_what_is_different_is_drawn() -> None:
    page = Page()
    assert html(page.parts(look(a="1", b="2"))) == {"rows/a": "1", "rows/b": "2"}
    assert page.drawn == ["rows/a", "rows/b"]
    after = page.parts(look(b="2", c="<3", a="9"))
    assert html(after) == {"rows/a": "9", "rows/b": "2", "rows/c": "&lt;3"}
    assert after.lists == {"rows": ["rows/b", "rows/c", "rows/a"]}
    assert page.drawn == ["rows/c", "rows/a"]
    page.parts(look(b="2"))
    page.parts(look(b="2", a="9"))
    assert page.drawn == ["rows/a"]  # what was gone is not remembered


def test_the_same_look_is_the_same_parts() -> None:
    page, seen = Page(), look(a="1")
    assert page.parts(seen) is page.parts(seen)
    assert page.drawn == ["rows/a"]


def test_each_role_has_its_own() -> None:
    page, seen = Page(), look(a="1")
    page.parts(seen)
    page.parts(seen, "admin")
    assert page.drawn == ["rows/a", "rows/a"]


def test_on_another_day_times_get_their_date() -> None:
    page, seen = Page(), look(a="1")
    page.parts(seen)
    page.day = date(2026, 11, 22)
    page.parts(seen)
    assert page.drawn == ["rows/a", "rows/a"]
