"""Laws of circuits on random networks: never above the budget (I11), and whoever can start does (nobody starves)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from properties.happenings import EVENTS, Event, Needs, all_happen, mended_all_reach, networks
from rig import Rig
from rig_machine import Fuse


@st.composite
def fused(draw: st.DrawFn) -> tuple[Needs, dict[str, Fuse], dict[str, int], int]:
    """A network, its circuits, the priorities and start_limit. All can be on together, and each can start last."""
    needs = draw(networks(7))
    fuses = {}
    left = list(needs)
    for name in draw(st.sampled_from([["f"], ["f", "g"]])):
        fed = draw(st.lists(st.sampled_from(left), unique=True)) if left else []
        left = [one for one in left if one not in fed]
        watts = {one: float(draw(st.integers(0, 4)) * 50) for one in fed}
        inrush = {one: float(draw(st.integers(0, 8)) * 100) for one in fed}
        extra = max((inrush[one] - watts[one] for one in fed), default=0.0)
        spare = draw(st.sampled_from([0.0, 100.0, 1000.0]))
        fuses[name] = Fuse(
            max_watts=sum(watts.values()) + max(0.0, extra) + spare or 1.0,
            max_starts=draw(st.integers(0, 2)),
            gap_s=draw(st.sampled_from([0.0, 2.0])),
            watts=watts,
            inrush=inrush,
            inrush_s=draw(st.sampled_from([0.0, 5.0, 30.0])),
        )
    priority = {name: draw(st.integers(-1, 1)) for name in needs}
    return needs, fuses, priority, draw(st.integers(0, 2))


@settings(max_examples=40, deadline=None)
@given(fused(), EVENTS)
def test_no_circuit_carries_more_than_it_may_and_nobody_starves(
    site: tuple[Needs, dict[str, Fuse], dict[str, int], int], events: list[Event]
) -> None:
    needs, fuses, priority, limit = site
    rig = Rig(
        needs,
        circuits=fuses,
        priority=priority,
        settings=Settings(poll_interval=5.0, test_interval=5.0, start_limit=limit),
        policy={"retry_cycle": "always", "stable_for": 5.0},
    )

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, events)
        await mended_all_reach(rig, engine, "off", "on", rest_s=150.0)

    rig.play(scenario)
    assert rig.broken() == []
