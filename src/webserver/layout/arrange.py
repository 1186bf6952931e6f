"""From a topology to its layout."""

from __future__ import annotations

from .coordinates import heights
from .layers import layers
from .model import Box, Layout, Metrics, Route
from .ordering import order
from .packing import pack
from .proper import make_proper
from .routes import beside, between, columns
from .topology import Edge, Kind, Topology


def arrange(topology: Topology, metrics: Metrics | None = None) -> Layout:
    """Return where everything stands; equal topologies get equal layouts.

    Raises ValueError when servers need each other in a circle; the daemon loads no such network.
    """
    metrics = metrics or Metrics()
    parts = [_part(part, metrics) for part in topology.parts()]
    boxes: list[Box] = []
    routes: list[Route] = []
    width = height = 0
    for part, (dx, dy) in zip(parts, pack(parts, metrics), strict=True):
        width, height = max(width, dx + part.width), max(height, dy + part.height)
        boxes += [box.moved(dx + metrics.margin, dy + metrics.margin) for box in part.boxes]
        routes += [route.moved(dx + metrics.margin, dy + metrics.margin) for route in part.routes]
    place = {name: index for index, name in enumerate(topology.names)}
    turn = {frozenset((edge.source, edge.target)): index for index, edge in enumerate(topology.edges)}
    return Layout(
        width + 2 * metrics.margin,
        height + 2 * metrics.margin,
        tuple(sorted(boxes, key=lambda box: place[box.name])),
        tuple(sorted(routes, key=lambda route: turn[frozenset((route.source, route.target))])),
    )


def depth(topology: Topology) -> int:
    """Return how many columns the picture has, where it has most."""
    return max((max(_columns(part)) + 1 for part in topology.parts()), default=0)


def _columns(part: Topology) -> list[int]:
    number = {name: index for index, name in enumerate(part.names)}
    needs, needed_by = (
        [[number[other] for other in ends[name]] for name in part.names] for ends in (part.needs, part.needed_by)
    )
    return layers(needs, needed_by)


def _part(part: Topology, metrics: Metrics) -> Layout:
    number = {name: index for index, name in enumerate(part.names)}
    column = _columns(part)
    spans = [_span(edge, number, column) for edge in part.edges]
    graph = make_proper(column, [span for span in spans if column[span[0]] < column[span[1]]])
    rows = order(graph)
    middle = heights(graph, rows, metrics)
    x = columns(graph, rows, middle, metrics)

    half = metrics.height // 2
    boxes = [
        Box(name, x[column[index]], middle[index] - half, metrics.width, metrics.height)
        for index, name in enumerate(part.names)
    ]
    passages = iter(graph.passages)
    routes = []
    for left, right, kind in spans:
        if column[left] == column[right]:
            points = beside(boxes[left], boxes[right])
        else:
            passed = zip(x[column[left] + 1 :], next(passages), strict=False)
            points = between(boxes[left], boxes[right], [(edge, middle[vertex]) for edge, vertex in passed], metrics)
        routes.append(Route(part.names[left], part.names[right], kind, tuple(points)))
    height = max(
        (*(box.y + box.height for box in boxes), *(y for route in routes for _x, y in route.points)), default=0
    )
    return Layout(max((box.right for box in boxes), default=0), height, tuple(boxes), tuple(routes))


def _span(edge: Edge, number: dict[str, int], column: list[int]) -> tuple[int, int, Kind]:
    """Return the ends of a line, the left one first; only mates may be in the other order, or in one column."""
    ends = number[edge.source], number[edge.target]
    left, right = sorted(ends, key=column.__getitem__)
    return left, right, edge.kind
