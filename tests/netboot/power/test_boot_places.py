"""A storm of boards is kept from the boot server: so many start at a time, and the others are told what keeps them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.budget import Demand, Load, find_lack
from ockle.networkTree.facts import Desired
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNetworkFactory import ServerNetworkFactory
from ockle.outlets.circuit import boot_server
from properties.happenings import EVENTS, Event, Needs, all_happen, mended_all_reach, networks
from rig import Rig


class BoardRig(Rig):
    """Some machines boot from the network, ``places`` at a time; ``most``: how many did at once."""

    def __init__(self, needs: Needs, boards: set[str], places: int, start_limit: int = 0) -> None:
        super().__init__(
            needs,
            settings=Settings(poll_interval=5.0, test_interval=5.0, start_limit=start_limit),
            policy={"retry_cycle": "always", "stable_for": 5.0},
        )
        self.boards, self.places, self.most = boards, boot_server(places), 0

    def network(self) -> ServerNetwork:
        network = super().network()
        for name in self.boards:
            network.getServernode(name).circuits.append(self.places)
        return network

    async def start(self) -> Engine:
        engine = await super().start()
        engine.core.listeners.append(lambda _node: self._count(engine))
        return engine

    def _count(self, engine: Engine) -> None:
        booting = [name for name in self.boards if engine.network.getServernode(name).facts.op is Desired.ON]
        self.most = max(self.most, len(booting))


@st.composite
def sites(draw: st.DrawFn) -> tuple[Needs, set[str], int, int]:
    needs = draw(networks(7))
    return needs, draw(st.sets(st.sampled_from(sorted(needs)))), draw(st.integers(1, 3)), draw(st.integers(0, 2))


@settings(max_examples=15, deadline=None)
@given(sites(), EVENTS)
def test_never_more_boards_start_than_there_are_places_and_nobody_starves(
    site: tuple[Needs, set[str], int, int], events: list[Event]
) -> None:
    needs, boards, places, limit = site
    rig = BoardRig(needs, boards, places, limit)

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, events)
        await mended_all_reach(rig, engine, "off", "on", rest_s=150.0)

    rig.play(scenario)
    assert rig.broken() == []
    assert rig.most <= places


def test_who_waits_is_told_for_what_and_others_do_not_wait() -> None:
    boards = [f"pi{number}" for number in range(4)]
    rig = BoardRig({**{name: [] for name in boards}, "nas": []}, set(boards), 2)

    async def scenario(engine: Engine) -> None:
        await engine.order("on", [*boards, "nas"], who="test")
        await asyncio.sleep(1)
        assert engine.busy() == ["nas", "pi0", "pi1"]
        [found, *_] = engine.why("pi2")["reasons"]
        assert found["text"] == "waits for a free place at the boot server: 2 of 2 are taken"
        assert found["frees"] == "a board there says that it has booted, or its start ends"
        await asyncio.sleep(60)

    rig.play(scenario)
    assert set(rig.states().values()) == {"OK"}
    assert rig.most == 2


def test_the_places_are_a_budget_of_their_own() -> None:
    load = Load(boot_server(1))
    assert find_lack([Demand(load)]) is None
    load.starts = 1
    lack = find_lack([Demand(load)])
    assert lack is not None and not lack.lasting
    assert str(load.circuit) == "the boot server"


class Folder:
    def __init__(self, etc: Path) -> None:
        self.etc = etc

    def debug(self, message: str) -> None:
        raise AssertionError(message)


@pytest.mark.parametrize(("places", "limit"), [("", 8), ("boot_places = 3\n", 3), ("boot_places = 0\n", 0)])
def test_whoever_has_a_hello_protocol_test_needs_a_place(tmp_path: Path, places: str, limit: int) -> None:
    files = {
        "config.ini": "[plugins]\nplugins = NetBoot\n[plugins.NetBoot]\n" + places,
        "testers/boot.ini": "[tester]\ntype = HelloProtocol\n",
        "testers/dummy.ini": "[tester]\ntype = Dummy\n",
        "servers/pi1.ini": "[server]\ntests = hello\n[hello]\ntester = boot\nboard = pi1\n",
        "servers/nas.ini": "[server]\ntests = dummy\n[dummy]\ntester = dummy\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    network = ServerNetworkFactory(Folder(tmp_path)).buildNetwork()
    assert [circuit.max_starts for circuit in network.getServernode("pi1").circuits] == ([limit] if limit else [])
    assert network.getServernode("nas").circuits == []
    (tmp_path / "config.ini").write_text("")
    assert ServerNetworkFactory(Folder(tmp_path)).buildNetwork().getServernode("pi1").circuits == []
