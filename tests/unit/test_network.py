"""The graph of servers: building, asking, and cycles that are named."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.common import OpState
from ockle.common.errors import DependencyException, OckleError
from ockle.networkTree.facts import Supply
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode


def network(needs: dict[str, list[str]]) -> ServerNetwork:
    found = ServerNetwork()
    for name in needs:
        found.addServer(ServerNode(name))
    found.addDependencies((name, needed) for name, wanted in needs.items() for needed in wanted)
    return found


RACK = {"switch": [], "nas": ["switch"], "hv": ["nas", "switch"], "web": ["hv"], "lone": []}


def test_neighbours_are_named_one_level_deep() -> None:
    rack = network(RACK)
    assert rack.getDependencies("hv") == ["nas", "switch"]
    assert rack.getDependent("switch") == ["nas", "hv"]
    assert rack.all_dependencies(["web"]) == {"hv", "nas", "switch"}
    assert rack.all_dependents(["nas"]) == {"hv", "web"}


def test_the_order_is_topological_and_the_same_each_time() -> None:
    rack = network(RACK)
    assert rack.layers() == [["lone", "switch"], ["nas"], ["hv"], ["web"]]
    assert rack.getSortedNodeListIndex() == ["lone", "switch", "nas", "hv", "web"]
    assert [node.name for node in rack.getSortedNodeList()] == rack.getSortedNodeListIndex()
    root = rack.getRoot()
    assert root is not None
    assert root.name == "lone"
    assert ServerNetwork().getRoot() is None


def test_a_server_is_added_with_its_dependencies_the_right_way_round() -> None:
    rack = network({"a": []})
    rack.addServer(ServerNode("b"), ["a"])
    assert (rack.getDependencies("b"), rack.getDependencies("a")) == (["a"], [])


@pytest.mark.parametrize("server, dependency, cycle", [("switch", "web", 3), ("nas", "hv", 2), ("nas", "nas", 1)])
def test_a_cycle_is_refused_and_named(server: str, dependency: str, cycle: int) -> None:
    rack = network(RACK)
    before = {name: rack.getDependencies(name) for name in RACK}
    with pytest.raises(DependencyException) as caught:
        rack.addDependency(server, dependency)
    names = caught.value.cycle
    assert names[0] == names[-1] == server
    assert names[1] == dependency
    steps = list(pairwise(names))
    assert all(right in before[left] for left, right in steps[1:])  # each but the new one is there already
    assert " -> ".join(names) in str(caught.value)
    assert {name: rack.getDependencies(name) for name in RACK} == before
    assert len(steps) == cycle  # the shortest one there is


def test_many_at_once_are_refused_as_a_whole() -> None:
    rack = network({"a": [], "b": [], "c": []})
    with pytest.raises(DependencyException) as caught:
        rack.addDependencies([("a", "b"), ("b", "c"), ("c", "a")])
    assert sorted(caught.value.cycle[:-1]) == ["a", "b", "c"]
    needs = {"a": "b", "b": "c", "c": "a"}
    assert all(needs[left] == right for left, right in pairwise(caught.value.cycle))
    assert all(rack.getDependencies(name) == [] for name in "abc")


def test_mistakes_are_told() -> None:
    rack = network(RACK)
    for call in (
        lambda: rack.addServer(ServerNode("nas")),
        lambda: rack.addServer(ServerNode("new"), ["nobody"]),
        lambda: rack.addDependency("nas", "nobody"),
        lambda: rack.removeDependency("nas", "web"),
        lambda: rack.getServernode("nobody"),
        lambda: rack.getDependencies("nobody"),
        lambda: rack.turnOnServer("nas"),  # nobody runs this network
        lambda: rack.getServernode("nas").action("sideways"),
    ):
        with pytest.raises(OckleError):
            call()
    assert rack.getServer("nobody") is None
    assert "new" not in rack


def test_taking_out_a_dependency_or_a_server() -> None:
    rack = network(RACK)
    rack.removeDependency("hv", "nas")
    assert rack.getDependencies("hv") == ["switch"]
    rack.removeServer("switch")
    assert rack.getDependencies("hv") == []
    assert "switch" not in rack


def test_ready_means_every_dependency_on_and_verified() -> None:
    rack = network(RACK)
    assert rack.isReadyToTurnOn("switch")
    assert not rack.isReadyToTurnOn("nas")
    facts = rack.getServernode("switch").facts
    facts.op_state = OpState.OK
    assert rack.isReadyToTurnOn("nas")
    facts.shutdown_sent = True  # it still answers, but may be stopping
    assert not rack.isReadyToTurnOn("nas")


def test_questions_about_all() -> None:
    rack = network({"a": [], "b": []})
    assert rack.isAllOpState(OpState.INIT)
    assert not rack.turningOn()
    rack.getServernode("b").facts.op_state = OpState.SwitchingOn
    assert rack.turningOn()
    assert rack.getServernode("a").facts.supply is Supply.UNKNOWN


EDGES = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=24)


@given(EDGES)
def test_no_order_of_additions_makes_a_cycle(edges: list[tuple[int, int]]) -> None:
    """What is accepted has a topological order; what is refused would have closed a cycle."""
    rack = network({f"s{number}": [] for number in range(8)})
    for left, right in edges:
        server, dependency = f"s{left}", f"s{right}"
        reach = {server, *rack.all_dependents([server])}
        if dependency in reach:
            with pytest.raises(DependencyException):
                rack.addDependency(server, dependency)
        else:
            rack.addDependency(server, dependency)
    place = {name: index for index, name in enumerate(rack.getSortedNodeListIndex())}
    assert all(place[needed] < place[name] for name in place for needed in rack.getDependencies(name))


@given(st.lists(st.sampled_from(["ask", "server", "edge", "cut", "remove"]), max_size=12), st.data())
def test_the_order_follows_every_change(changes: list[str], data: st.DataObject) -> None:
    """It is kept between changes; a stale one would switch servers in the wrong order."""
    rack = network(RACK)
    for number, change in enumerate(changes):
        names = [node.name for node in rack]
        edges = [(name, needed) for name in names for needed in rack.getDependencies(name)]
        if change == "server":
            rack.addServer(ServerNode(f"s{number}"), names[:1])
        elif change == "edge" and len(names) > 1:
            server, needed = data.draw(st.permutations(names))[:2]
            if server not in rack.all_dependencies([needed]):
                rack.addDependency(server, needed)
        elif change == "cut" and edges:
            rack.removeDependency(*data.draw(st.sampled_from(edges)))
        elif change == "remove" and names:
            rack.removeServer(data.draw(st.sampled_from(names)))
        fresh = [name for layer in rack.layers() for name in layer]
        assert rack.getSortedNodeListIndex() == fresh
        some = set(fresh[::2])
        assert rack.in_order(some) == [name for name in fresh if name in some]
