"""Laws of the picture of a network: lines point right, nothing lies on anything, the same for the same network."""

from __future__ import annotations

import random
from collections.abc import Collection
from itertools import combinations, pairwise
from typing import Any

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.hostranges import expand
from ockle.webserver.layout.arrange import arrange
from ockle.webserver.layout.coordinates import settle
from ockle.webserver.layout.folding import LEAST, fold, stacks
from ockle.webserver.layout.layers import layers
from ockle.webserver.layout.model import Layout, Metrics
from ockle.webserver.layout.neighbourhood import neighbourhood, reach
from ockle.webserver.layout.ordering import crossings, order
from ockle.webserver.layout.proper import make_proper
from ockle.webserver.layout.topology import Kind, Topology

METRICS = Metrics()
Point = tuple[float, float]
Segment = tuple[Point, Point]


@st.composite
def networks(draw: st.DrawFn, most: int = 14) -> dict[str, Any]:
    """Arguments of Topology.of: any acyclic network, its names in any order, some numbered, some odd."""
    pool = st.one_of(st.from_regex(r"(web|db|a b)[0-9]{1,2}", fullmatch=True), st.text(min_size=1, max_size=4))
    names = draw(st.lists(pool, max_size=most, unique=True))
    needs = {
        name: draw(st.lists(st.sampled_from(names[:index]), max_size=3, unique=True)) if index else []
        for index, name in enumerate(names)
    }
    turns = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    via = {name: needs[name][:1] for name, turn in zip(names, turns, strict=True) if turn}
    mates: dict[str, list[str]] = {}
    if len(names) > 1:
        for one, other in draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=2)):
            mates.setdefault(one, []).append(other)
    return {"needs": needs, "via": via, "mates": mates}


@given(networks())
def test_lines_point_right_and_nothing_lies_on_anything(network: dict[str, Any]) -> None:
    topology = Topology.of(**network)
    layout = arrange(topology)

    assert [box.name for box in layout.boxes] == list(topology.names)
    assert [{route.source, route.target} for route in layout.routes] == [
        {edge.source, edge.target} for edge in topology.edges
    ]
    for route, edge in zip(layout.routes, topology.edges, strict=True):
        source, target = layout.box[route.source], layout.box[route.target]
        assert route.points[0] == (source.right, source.middle)
        if edge.kind is not Kind.MATE:
            assert (route.source, route.target) == (edge.source, edge.target)
            assert source.right + METRICS.column_gap <= target.x
        if source.x != target.x:
            assert route.points[-1] == (target.x, target.middle)
            assert [x for x, _y in route.points] == sorted(x for x, _y in route.points)
    _nothing_overlaps(layout)


def _nothing_overlaps(layout: Layout) -> None:
    for box in layout.boxes:
        assert box.x >= 0
        assert box.right <= layout.width
        assert box.y >= 0
        assert box.y + box.height <= layout.height
    for one, other in combinations(layout.boxes, 2):
        side_by_side = one.right + METRICS.part_gap <= other.x or other.right + METRICS.part_gap <= one.x
        below = one.y + one.height + METRICS.row_gap <= other.y or other.y + other.height + METRICS.row_gap <= one.y
        assert side_by_side or below, (one, other)
    for route in layout.routes:
        for _x, y in route.points:
            assert 0 <= y <= layout.height
        for (left, y), (right, level) in zip(route.points[1:-1:2], route.points[2:-1:2], strict=True):
            assert y == level
            for box in layout.boxes:
                beside = right <= box.x or box.right <= left
                assert beside or not box.y - METRICS.line_gap < y < box.y + box.height + METRICS.line_gap


@given(networks(), st.randoms(use_true_random=False))
def test_the_picture_does_not_depend_on_the_order_in_which_the_network_is_told(
    network: dict[str, Any], dice: random.Random
) -> None:
    def shuffled(lists: dict[str, list[str]]) -> dict[str, list[str]]:
        items = [(name, dice.sample(others, len(others))) for name, others in lists.items()]
        dice.shuffle(items)
        return dict(items)

    topology, again = Topology.of(**network), Topology.of(**{key: shuffled(lists) for key, lists in network.items()})

    assert again == topology
    assert again.revision == topology.revision
    assert arrange(again) == arrange(topology)


@given(networks(), networks())
def test_the_revision_tells_networks_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = Topology.of(**one), Topology.of(**other)

    assert (first.revision == second.revision) == (first == second)


@given(networks(most=25))
def test_folding_loses_nobody(network: dict[str, Any]) -> None:
    topology = Topology.of(**network)
    folded = fold(topology)

    members = [member for stack in folded.stacks.values() for member in stack]
    alone = [name for name in folded.topology.names if name not in folded.stacks]
    assert sorted([*members, *alone]) == sorted(topology.names)
    for stack, inside in folded.stacks.items():
        assert len(inside) >= LEAST
        assert stack not in topology.names
        assert len({(topology.needs[name], topology.needed_by[name]) for name in inside}) == 1
        assert not topology.needed_by[inside[0]]
        assert folded.topology.needs[stack] == topology.needs[inside[0]]
        if not set(stack) & set(", \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0"):
            assert set(expand(stack)) == set(inside)
    assert fold(topology, folded.stacks).topology == topology


@given(networks(), st.integers(0, 4), st.data())
def test_a_neighbourhood_is_what_is_near(network: dict[str, Any], steps: int, data: st.DataObject) -> None:
    topology = Topology.of(**network)
    if not topology.names:
        return
    server = data.draw(st.sampled_from(topology.names))
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(topology.names)
    graph.add_edges_from((edge.source, edge.target) for edge in topology.edges if edge.kind is not Kind.MATE)

    near = neighbourhood(topology, server, steps)

    down = networkx.single_source_shortest_path_length(graph, server, steps)
    up = networkx.single_source_shortest_path_length(graph.reverse(), server, steps)
    assert set(near.names) == {*down, *up, *topology.mates.get(server, ())}
    assert set(near.edges) <= set(topology.edges)
    few = neighbourhood(topology, server, steps, most=3)
    assert server in few.names
    assert len(few.names) <= 3
    assert reach(server, topology.needed_by) == networkx.single_source_shortest_path_length(graph, server)


@given(st.lists(st.tuples(st.floats(-1000, 1000), st.floats(0.1, 10), st.integers(0, 60)), min_size=1, max_size=8))
def test_places_keep_their_gaps_and_move_no_more_than_they_must(wishes: list[tuple[float, float, int]]) -> None:
    wanted, weights, gaps = map(list, zip(*wishes, strict=True))
    found = settle(wanted, weights, gaps)

    for above, place, gap in zip(found, found[1:], gaps[1:], strict=False):
        assert place - above >= gap - 1e-6

    def cost(places: list[float]) -> float:
        each = zip(places, wanted, weights, strict=True)
        return sum((weight * (place - want) * (place - want) for place, want, weight in each), 0.0)

    for first in range(len(found)):  # no block from here to there can be moved for the better
        for last in range(first, len(found)):
            for step in (-0.5, 0.5):
                other = [place + step * (first <= index <= last) for index, place in enumerate(found)]
                if all(b - a >= gap for a, b, gap in zip(other, other[1:], gaps[1:], strict=False)):
                    assert cost(other) >= cost(found) - 1e-6


@given(networks())
def test_crossings_are_counted(network: dict[str, Any]) -> None:
    topology = Topology.of(network["needs"])
    number = {name: index for index, name in enumerate(topology.names)}
    needs, needed_by = (
        [[number[other] for other in ends[name]] for name in topology.names]
        for ends in (topology.needs, topology.needed_by)
    )
    column = layers(needs, needed_by)
    graph = make_proper(column, [(number[edge.source], number[edge.target], edge.kind) for edge in topology.edges])
    rows = order(graph)
    place = {vertex: index for row in rows for index, vertex in enumerate(row)}
    links = [(one, other) for row in rows for one in row for other in graph.right[one]]

    by_hand = sum(
        graph_column(rows, a) == graph_column(rows, c) and (place[a] - place[c]) * (place[b] - place[d]) < 0
        for (a, b), (c, d) in combinations(links, 2)
    )
    assert crossings(graph, rows) == by_hand


def graph_column(rows: list[list[int]], vertex: int) -> int:
    return next(index for index, row in enumerate(rows) if vertex in row)


def _network(seed: int, servers: int) -> dict[str, list[str]]:
    """A tree of tiers with extra lines, its names dealt out at random."""
    dice = random.Random(seed)
    names = [f"s{number:02}" for number in range(servers)]
    dice.shuffle(names)
    tier = {name: index * 5 // servers for index, name in enumerate(names)}
    needs: dict[str, list[str]] = {}
    for name in names:
        before = [other for other in names if tier[other] == tier[name] - 1]
        earlier = [other for other in names if tier[other] < tier[name]]
        wanted = dict.fromkeys(dice.sample(before, min(1, len(before))))
        wanted |= dict.fromkeys(dice.sample(earlier, min(len(earlier), dice.choice((0, 0, 1)))))
        needs[name] = list(wanted)
    return needs


def _crossings(lines: Collection[Segment]) -> int:
    def turn(a: Point, b: Point, c: Point) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    return sum(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for (a, b), (c, d) in combinations(sorted(lines), 2)
    )


def test_far_fewer_lines_cross_than_in_the_multipartite_layout_of_networkx() -> None:
    found = [_ours_and_theirs(Topology.of(_network(seed, 40))) for seed in range(8)]

    assert all(ours <= theirs for ours, theirs in found)
    assert sum(ours for ours, _theirs in found) * 4 <= sum(theirs for _ours, theirs in found)


def _ours_and_theirs(topology: Topology) -> tuple[int, int]:
    layout = arrange(topology)
    ours = {line for route in layout.routes for line in pairwise(route.points)}
    graph: networkx.DiGraph[str] = networkx.DiGraph((edge.source, edge.target) for edge in topology.edges)
    at = {  # as multipartite_layout has it, which needs numpy
        name: (float(layer), slot - (len(generation) - 1) / 2)
        for layer, generation in enumerate(networkx.topological_generations(graph))
        for slot, name in enumerate(generation)
    }
    theirs = {(at[edge.source], at[edge.target]) for edge in topology.edges}
    return _crossings(ours), _crossings(theirs)


@given(networks())
def test_servers_with_the_same_neighbours_stand_in_the_order_of_their_names(network: dict[str, Any]) -> None:
    topology = Topology.of(network["needs"])
    layout = arrange(topology)
    twins: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name in topology.names:
        if topology.needs[name] or topology.needed_by[name]:
            twins.setdefault((topology.needs[name], topology.needed_by[name]), []).append(name)
    for names in twins.values():
        assert sorted(names, key=lambda name: layout.box[name].y) == names


def test_who_is_needed_more_than_it_needs_stands_next_to_the_first_that_needs_it() -> None:
    layout = arrange(
        Topology.of({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "source", "link"], "source": [], "link": ["a"]})
    )

    columns = {name: layout.box[name].x for name in "abcd"}
    assert columns["a"] < columns["b"] < columns["c"] < columns["d"]
    assert layout.box["source"].x == columns["c"]
    assert layout.box["link"].x == columns["b"]


def test_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="in a circle"):
        arrange(Topology.of({"a": ["b"], "b": ["a"]}))


def test_alike_leaves_fold_and_a_name_that_is_taken_does_not() -> None:
    needs = {"nas": [], **{f"web{number}": ["nas"] for number in range(1, 25)}, "db1": ["nas"], "db2": ["nas"]}

    assert set(stacks(Topology.of(needs))) == {"web[1-24]"}
    assert set(stacks(Topology.of({**needs, "db3": ["nas"]}))) == {"web[1-24]", "db[1-3]"}
    assert not stacks(Topology.of({**needs, "web[1-24]": []}))
    assert set(stacks(Topology.of({**needs, "x": ["web7"]}))) == {"web[1-6,8-24]"}
    assert set(stacks(Topology.of(needs, mates={"web7": ["web8"]}))) == {"web[1-6,9-24]"}
    assert set(stacks(Topology.of(needs, via={"web24": ["nas"]}))) == {"web[1-23]"}


def test_names_stand_in_the_order_of_people() -> None:
    topology = Topology.of({"nas": [], "web10": ["nas"], "web9": ["nas"], "web": ["nas"]})
    layout = arrange(topology)

    assert topology.names == ("nas", "web", "web9", "web10")
    assert sorted(("web", "web9", "web10"), key=lambda name: layout.box[name].y) == ["web", "web9", "web10"]
