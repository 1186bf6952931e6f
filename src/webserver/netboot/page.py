"""The parts of the netboot pages as HTML, made from what the daemon says by the macros of parts/netboot.jinja2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyramid.request import Request

from ..live.page import MOST_ROWS, LivePage, Painter
from ..live.parts import Parts
from .looks import Look, ask

TEMPLATE = "parts/netboot.jinja2"
RESERVED = frozenset({"live", "enable", "forget", "adopt", "ports"})
"""Pages beside those of the boards; a board of that name is reached by its MAC address."""


def board_path(request: Request, board: Mapping[str, Any]) -> str:
    """Return the address of a board's page."""
    name = board["name"] if board["name"] and board["name"] not in RESERVED else board["mac"]
    path: str = request.route_path("netboot.board", board=name)
    return path


def overview_page() -> LivePage[Look]:
    """Return /netboot, as it is asked and drawn."""
    return LivePage(TEMPLATE, ask, _overview, lambda look: replace(look, old=True))


def _overview(paint: Painter, look: Look) -> Parts:
    if look.status is None:
        return Parts({})
    html = {"state": paint("service_state", look.status, look.boards)}
    boards = [{"mac": one["mac"], "board": one, "path": board_path(paint.request, one)} for one in look.boards]
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
    paint = Painter(request, TEMPLATE)
    html = {"state": paint("board_state", board), "facts": paint("board_facts", board)}
    return Parts(html, {"log": paint.rows("log", "log_line", "id", lines, html)})


def ports_parts(request: Request, mapping: Mapping[str, Any]) -> Parts:
    """Return the parts of the page that maps ports; ``mapping``: of ``netbootMapping``, {} = there was none."""
    paint = Painter(request, TEMPLATE)
    html = {"state": paint("mapping_state", mapping)}
    return Parts(html, {"ports": paint.rows("ports", "port_row", "port", list(mapping.get("rows", ())), html)})
