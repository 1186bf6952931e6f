"""A page that is asked once for all who look, drawn once for all who may do the same, and sent as what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from pyramid.config import Configurator
from pyramid.request import Request

from .looks import Call, Looks
from .parts import Changes, Parts

T = TypeVar("T")
MOST_ROWS = 1000
"""Of each table; the command line shows all of them."""


class LivePage(Generic[T]):
    """``ask``, ``old``: as of ``Looks``; ``draw``: the parts of the page, the same for all of a role."""

    def __init__(
        self, ask: Callable[[Call], T], draw: Callable[[Request, T], Parts], old: Callable[[T], T] = lambda look: look
    ) -> None:
        self._looks = Looks(ask, old)
        self._draw = draw
        self._drawn: dict[tuple[str, str], tuple[T, Parts]] = {}

    def look(self, request: Request) -> T:
        """Return what the page shows, at most a second old. Raises as ``Looks.look``."""
        return self._looks.look(request.daemon.call)

    def parts(self, request: Request, look: T) -> Parts:
        """Return the parts of the page, drawn anew only for another look."""
        key = (request.identity.role if request.identity else "", request.script_name)
        before = self._drawn.get(key)
        if before is None or before[0] is not look:
            before = self._drawn[key] = (look, self._draw(request, look))
        return before[1]

    def forget(self) -> None:
        """Ask anew the next time: something was changed just now."""
        self._looks.forget()


class Painter:
    """Makes parts from the macros of ``template``, for whoever asks: an admin sees more to click at.

    What is drawn goes to everybody of the role, so it has no hidden field against forged forms: a button in it belongs
    to a form of the page (``form="…"``).
    """

    def __init__(self, request: Request, template: str) -> None:
        found = request.registry.live_templates.get_template(template)
        self._macros = found.make_module({"request": request, "may": lambda role: may(request, role)})

    def __call__(self, macro: str, *values: Any) -> str:
        return str(getattr(self._macros, macro)(*values)).strip()

    def rows(self, name: str, macro: str, key: str, found: Iterable[Any], html: dict[str, str]) -> list[str]:
        """Put a row for each of ``found``, told apart by ``key``, into ``html`` and return the parts' keys in order."""
        keys = []
        for one, _number in zip(found, range(MOST_ROWS), strict=False):
            keys.append(f"{name}/{one[key]}")
            html[keys[-1]] = self(macro, keys[-1], one)
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
