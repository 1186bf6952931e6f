"""A page that is asked once for all who look, drawn once for all who may do the same, and sent as what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from pyramid.config import Configurator
from pyramid.request import Request

from .looks import Call, Looks
from .parts import Changes, Parts

T = TypeVar("T")
MOST_ROWS = 1000
"""Of each table; the command line shows all of them."""


Rows = Mapping[str, tuple[Any, str]]
"""Key of a row -> what it shows, and its HTML."""


@dataclass(frozen=True, slots=True)
class _Drawn(Generic[T]):
    """``day``: times of another day are written with their date."""

    look: T
    parts: Parts
    rows: Rows
    day: date


class LivePage(Generic[T]):
    """``draw``: the parts of the page by the macros of ``template``, the same for all of a role.

    ``ask``, ``old``: as of ``Looks``; ``today``: the local date
    """

    def __init__(
        self,
        template: str,
        ask: Callable[[Call], T],
        draw: Callable[[Painter, T], Parts],
        old: Callable[[T], T] = lambda look: look,
        today: Callable[[], date] = lambda: datetime.now().astimezone().date(),
    ) -> None:
        self._looks = Looks(ask, old)
        self._template = template
        self._draw = draw
        self._today = today
        self._drawn: dict[tuple[str, str], _Drawn[T]] = {}

    def look(self, request: Request) -> T:
        """Return what the page shows, at most a second old. Raises as ``Looks.look``."""
        return self._looks.look(request.daemon.call)

    def parts(self, request: Request, look: T) -> Parts:
        """Return the parts of the page; of another look than the last one only what is different is drawn anew."""
        key = (request.identity.role if request.identity else "", request.script_name)
        today = self._today()
        before = self._drawn.get(key)
        if before is not None and before.day != today:
            before = None
        if before is None or before.look is not look:
            paint = Painter(request, self._template, before.rows if before else {})
            before = self._drawn[key] = _Drawn(look, self._draw(paint, look), paint.drawn, today)
        return before.parts

    def forget(self) -> None:
        """Ask anew the next time: something was changed just now."""
        self._looks.forget()


class Painter:
    """Makes parts from the macros of ``template``, for whoever asks: an admin sees more to click at.

    What is drawn goes to everybody of the role, so it has no hidden field against forged forms: a button in it belongs
    to a form of the page (``form="…"``).
    ``before``  rows that were drawn for the same role; ``drawn``: those of now
    """

    def __init__(self, request: Request, template: str, before: Rows | None = None) -> None:
        self.request = request
        self.drawn: dict[str, tuple[Any, str]] = {}
        self._before = before or {}
        found = request.registry.live_templates.get_template(template)
        self._macros = found.make_module({"request": request, "may": lambda role: may(request, role)})

    def __call__(self, macro: str, *values: Any) -> str:
        return str(getattr(self._macros, macro)(*values)).strip()

    def rows(self, name: str, macro: str, key: str, found: Iterable[Any], html: dict[str, str]) -> list[str]:
        """Put a row for each of ``found``, told apart by ``key``, into ``html`` and return the parts' keys in order."""
        keys = []
        for one, _number in zip(found, range(MOST_ROWS), strict=False):
            row = f"{name}/{one[key]}"
            known = self._before.get(row)
            html[row] = known[1] if known is not None and known[0] == one else self(macro, row, one)
            self.drawn[row] = (one, html[row])
            keys.append(row)
        return keys


def may(request: Request, role: str) -> bool:
    return request.identity is not None and bool(request.identity.may(role))


def revision(request: Request, parts: Parts) -> str:
    """Return the revision of what a page shows, for its first poll."""
    found: str = request.registry.live_changes.note(parts)
    return found


def changes(request: Request, parts: Parts) -> dict[str, Any]:
    """Return the answer to a page that asks what has changed since the revision in ``since``."""
    found: dict[str, Any] = request.registry.live_changes.since(request.GET.get("since", ""), parts)
    return found


def includeme(config: Configurator) -> None:
    config.registry.live_changes = Changes()

    def finish() -> None:
        config.registry.live_templates = config.get_jinja2_environment()

    config.action(None, finish, order=1000)
