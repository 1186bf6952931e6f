"""Boxes and lines of a picture with everything that a template needs to draw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from ..layout.model import Box, Route
from ..layout.neighbourhood import reach
from ..layout.topology import Kind
from ..states import Look, look
from ..texts import _
from .counts import together
from .picture import Picture, Servers
from .view import View
from .words import BOLD_PX, SMALL_PX, cut, letters


@dataclass(frozen=True, slots=True)
class Node:
    """A box; ``name`` is that of its server or stack, ``members`` those of the stack, () for a server.

    ``word``, ``why``, ``shown``  what is written in it; the last is the name as far as it fits
    ``before``, ``after``  how many servers that it needs, and that need it, are not drawn
    """

    name: str
    box: Box
    look: Look
    shown: str
    word: str
    why: str
    members: tuple[str, ...]
    classes: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Line:
    """``path``: the SVG path; ``because``: why it is there though nobody wrote it down."""

    source: str
    target: str
    kind: Kind
    path: str
    classes: str
    because: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """``room``: letters that fit into a box below its name; ``chosen``: the box that is selected, "" for none;
    ``filtered``: whether boxes are dimmed by a filter.
    """

    width: int
    height: int
    nodes: list[Node]
    lines: list[Line]
    room: int
    chosen: str
    filtered: bool


def draw(picture: Picture, servers: Servers, view: View) -> Drawing:
    """Return the picture with the states of ``servers`` and what the view stresses."""
    layout = picture.layout
    width = layout.boxes[0].width if layout.boxes else 0
    room = letters(width, SMALL_PX)
    chosen = picture.box_of(view.select)
    near = _related(picture, chosen)
    nodes = []
    for box in sorted(layout.boxes, key=lambda one: (one.x, one.y)):  # the order of the Tab key
        members = picture.stacks.get(box.name, ())
        if members:
            seen, word = together(servers[name]["state"] for name in members)
            groups = {look(servers[name]["state"]).group for name in members}
            why = ""
        else:
            server = servers[box.name]
            seen, why = look(server["state"]), server["why"]
            word, groups = _(seen.word), {seen.group}
        classes = _classes(
            f"state-{seen.style}",
            stack=bool(members),
            lifted=bool(why),
            dim=bool(view.state) and view.state not in groups,
            chosen=box.name == chosen,
            near=box.name in near,
        )
        shown = cut(box.name, letters(width, BOLD_PX))
        before, after = _beyond(picture, members or (box.name,))
        nodes.append(Node(box.name, box, seen, shown, cut(word, room), cut(why, room), members, classes, before, after))
    lines = [_line(route, servers, near) for route in layout.routes]
    return Drawing(layout.width, layout.height, nodes, lines, room, chosen if near else "", bool(view.state))


def _related(picture: Picture, chosen: str) -> set[str]:
    """Return the boxes that ``chosen`` needs or that need it, over any number of steps, and itself; none without it."""
    if chosen not in picture.layout.box:
        return set()
    return {*reach(chosen, picture.drawn.needs), *reach(chosen, picture.drawn.needed_by)}


def _beyond(picture: Picture, names: tuple[str, ...]) -> tuple[int, int]:
    """Return how many servers that some need, and that need them, are left out of a neighbourhood."""
    if not picture.centre:
        return 0, 0
    whole = picture.topology
    found = [{other for name in names for other in ends[name]} for ends in (whole.needs, whole.needed_by)]
    return len(found[0] - picture.shown), len(found[1] - picture.shown)


def _line(route: Route, servers: Servers, near: set[str]) -> Line:
    source, target = servers.get(route.source, {}), servers.get(route.target, {})
    because = source.get("mates", {}).get(route.target, "") if route.kind is Kind.MATE else ""
    because = because or target.get("because", {}).get(route.source, "")
    classes = _classes(str(route.kind), near=route.source in near and route.target in near)
    return Line(route.source, route.target, route.kind, path(route), classes, because)


def _classes(always: str, **which: bool) -> str:
    return " ".join([always, *(name for name, on in which.items() if on)])


def path(route: Route) -> str:
    """Return a route as an SVG path: bends between columns, level across them."""
    points = route.points
    (x, y), (end, down) = points[0], points[-1]
    if x == end:  # mates of one column: a bow on their right
        return f"M{x} {y}C{x + 34} {y} {x + 34} {down} {end} {down}"
    pieces = [f"M{x} {y}"]
    for (left, high), (right, low) in zip(islice(points, 0, None, 2), islice(points, 1, None, 2), strict=True):
        if (left, high) != (x, y):
            pieces.append(f"H{left}")
        middle = (left + right) // 2
        pieces.append(f"H{right}" if high == low else f"C{middle} {high} {middle} {low} {right} {low}")
    return "".join(pieces)


def legend(picture: Picture) -> Mapping[Kind, bool]:
    """Return which kinds of lines there are in a picture."""
    kinds = {route.kind for route in picture.layout.routes}
    return {kind: kind in kinds for kind in Kind}
