"""Laws of networks whose servers share outlets: what can work is accepted and works, what cannot is refused."""

from __future__ import annotations

import asyncio
from itertools import combinations

import networkx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ockle.common.errors import DependencyException
from ockle.engine.engine import Engine
from properties.happenings import EVENTS, POLICIES, Event, Needs, all_happen, mended_all_reach, networks
from rig import Rig

Shared = dict[str, list[str]]


@st.composite
def sites(draw: st.DrawFn, most: int = 7) -> tuple[Needs, Shared, dict[str, int]]:
    """A random network, some relays that feed several of its servers, and how many outlets of its own each has."""
    needs = draw(networks(most))
    names = list(needs)
    fed = st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True)
    strips = draw(st.lists(fed, max_size=3)) if len(names) > 1 else []
    shared = {f"strip{number}": fed for number, fed in enumerate(strips)}
    on_strips = {name for fed in strips for name in fed}
    own = {name: draw(st.integers(0 if name in on_strips else 1, 1)) for name in names}
    return needs, shared, own


def can_work(needs: Needs, shared: Shared) -> bool:
    """Whether the dependencies have no cycle once the servers on one relay are one."""
    same: networkx.Graph[str] = networkx.Graph()
    same.add_nodes_from(needs)
    same.add_edges_from(pair for fed in shared.values() for pair in combinations(fed, 2))
    group = {name: number for number, part in enumerate(networkx.connected_components(same)) for name in part}
    edges = [(group[name], group[needed]) for name, wanted in needs.items() for needed in wanted]
    small: networkx.DiGraph[int] = networkx.DiGraph(edges)
    return networkx.is_directed_acyclic_graph(small)


@settings(max_examples=100, deadline=None)
@given(sites())
def test_what_is_refused_is_what_could_never_come_up(site: tuple[Needs, Shared, dict[str, int]]) -> None:
    needs, shared, own = site
    rig = Rig(needs, outlets=own, shared=shared)
    try:
        network = rig.network()
    except DependencyException as error:
        assert not can_work(needs, shared)
        for name, other in zip(error.cycle, error.cycle[1:], strict=False):
            assert other in needs[name] or any({name, other} <= set(fed) for fed in shared.values())
    else:
        assert can_work(needs, shared)
        place = {name: number for number, wave in enumerate(network.layers()) for name in wave}
        assert all(place[needed] < place[name] for name, wanted in needs.items() for needed in wanted)
        assert all(len({place[name] for name in fed}) == 1 for fed in shared.values())


@settings(max_examples=60, deadline=None)
@given(sites(), EVENTS, POLICIES)
def test_no_order_and_no_fault_breaks_an_invariant(
    site: tuple[Needs, Shared, dict[str, int]], events: list[Event], policy: dict[str, str]
) -> None:
    """I1, I2, I2c for every machine on a relay, I3 for the relay; and then all goes off and comes up again (I5)."""
    needs, shared, own = site
    assume(can_work(needs, shared))
    rig = Rig(needs, outlets=own, shared=shared, policy={**policy, "stable_for": 5.0, "retry_cycle": "always"})

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, events)
        await asyncio.sleep(200)
        assert rig.broken() == []
        await mended_all_reach(rig, engine, "off", "on", "off")

    rig.play(scenario)
    assert rig.broken() == []


@settings(max_examples=30, deadline=None)
@given(sites(), EVENTS, POLICIES, st.data())
def test_what_the_daemon_runs_on_is_never_switched_off(
    site: tuple[Needs, Shared, dict[str, int]],
    events: list[Event],
    policy: dict[str, str],
    data: st.DataObject,
) -> None:
    """I13: no order, no fault and no retry switches off the daemon's machine, what it needs, or what shares outlets."""
    needs, shared, own = site
    assume(can_work(needs, shared))
    names = list(needs)
    daemon = data.draw(st.sampled_from(names), label="daemon")
    rig = Rig(needs, outlets=own, shared=shared, daemon=daemon, policy={**policy, "retry_cycle": "always"})

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, (("on", 0, 40.0), *events))
        await asyncio.sleep(100)
        plan = engine.plan("off", names)
        assert not {step.server for step in plan.steps} & rig.carriers
        assert rig.carriers <= plan.untouched.keys()

    rig.play(scenario)
    assert rig.broken() == []
