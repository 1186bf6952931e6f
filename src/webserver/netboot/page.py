"""The parts of the netboot pages as HTML, made from what the daemon says by the macros of parts/netboot.jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.request import Request

from .looks import Look
from .rows import Parts

MOST_ROWS = 1000
"""Of each table; the command line shows all of them."""
RESERVED = frozenset({"live", "enable", "forget", "adopt", "ports"})
"""Pages beside those of the boards; a board of that name is reached by its MAC address."""


def board_path(request: Request, board: Mapping[str, Any]) -> str:
    """Return the address of a board's page."""
    name = board["name"] if board["name"] and board["name"] not in RESERVED else board["mac"]
    path: str = request.route_path("netboot.board", board=name)
    return path


class Painter:
    """Makes parts for whoever asks: an admin sees more to click at."""

    def __init__(self, request: Request) -> None:
        template = request.registry.netboot_parts.get_template("parts/netboot.jinja2")
        self._macros = template.make_module({"request": request, "admin": _is_admin(request)})

    def __call__(self, macro: str, *values: Any) -> str:
        return str(getattr(self._macros, macro)(*values)).strip()

    def rows(self, name: str, macro: str, key: str, found: list[dict[str, Any]], html: dict[str, str]) -> list[str]:
        """Put a row for each of ``found``, told apart by ``key``, into ``html`` and return the parts' keys in order."""
        keys = []
        for one in found[:MOST_ROWS]:
            keys.append(f"{name}/{one[key]}")
            html[keys[-1]] = self(macro, keys[-1], one)
        return keys


def overview(request: Request, look: Look) -> Parts:
    """Return the parts of /netboot, drawn once for all who may do the same."""
    drawn: dict[tuple[bool, str], tuple[Look, Parts]] = request.registry.netboot_drawn
    key = (_is_admin(request), request.script_name)
    before = drawn.get(key)
    if before is None or before[0] is not look:
        before = drawn[key] = (look, _overview(request, look))
    return before[1]


def _is_admin(request: Request) -> bool:
    return request.identity is not None and bool(request.identity.may("admin"))


def _overview(request: Request, look: Look) -> Parts:
    paint = Painter(request)
    html = {"state": paint("service_state", look.status, look.boards)}
    boards = [{"mac": one["mac"], "board": one, "path": board_path(request, one)} for one in look.boards]
    tables = (
        ("boards", "board_row", "mac", boards),
        ("unknown", "unknown_row", "mac", look.unknown),
        ("transfers", "transfer_row", "id", look.transfers),
        ("leases", "lease_row", "ip", look.leases),
    )
    for name, _macro, _key, found in tables:
        html[f"{name}-count"] = paint("count", f"{name}-count", len(found), MOST_ROWS)
    return Parts(html, {name: paint.rows(name, macro, key, found, html) for name, macro, key, found in tables})


def board_parts(request: Request, board: Mapping[str, Any], lines: list[dict[str, Any]]) -> Parts:
    """Return the parts of the page of one board."""
    paint = Painter(request)
    html = {"state": paint("board_state", board), "facts": paint("board_facts", board)}
    return Parts(html, {"log": paint.rows("log", "log_line", "id", lines, html)})


def ports_parts(request: Request, mapping: Mapping[str, Any]) -> Parts:
    """Return the parts of the page that maps ports; ``mapping``: of ``netbootMapping``, {} = there was none."""
    paint = Painter(request)
    html = {"state": paint("mapping_state", mapping)}
    return Parts(html, {"ports": paint.rows("ports", "port_row", "port", list(mapping.get("rows", ())), html)})


def changes(request: Request, parts: Parts) -> dict[str, Any]:
    """Return the answer to a page that asks what has changed since the revision in ``since``."""
    found: dict[str, Any] = request.registry.netboot_changes.since(request.GET.get("since", ""), parts)
    return found
