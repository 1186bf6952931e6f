"""Mains failures where people have a say, too: forces, holds, orders, the master switch, safe mode."""

from __future__ import annotations

import pytest

from ockle.common.errors import CommandError
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, node_of, ordered, up
from ups_rig import BATTERY, MAINS, Site, off, ups


def test_forced_and_held_servers_are_left_alone() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.force("nas", Desired.ON, "mine", who="op")
        await engine.hold("lone", True, "mine", "op")
        site = Site(engine, ups())
        await site.wait(120, BATTERY)
        assert off(rig) == {"web", "hv"}
        assert any("forced" in text and "held" in text for text in [*site.told(), site.keeper.trouble])
        await site.wait(120, MAINS)
        assert rig.states()["web"] == "OK"

    rig.play(scenario)
    assert rig.broken() == []


def test_what_a_person_keeps_down_stays_down() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups())
        await site.wait(120, BATTERY)
        await engine.emergency(["web"], 60, who="op", note="fire")
        await site.wait(120, MAINS)
        assert off(rig) == set(CHAIN)
        assert "declared by a person keeps down web" in site.keeper.trouble
        with pytest.raises(CommandError, match="emergency"):
            await engine.order("on", ["web"], who="test")
        await engine.clear_emergency("op")
        await site.wait(90)
        assert off(rig) == set()

    rig.play(scenario)


def test_a_person_may_order_on_what_it_took_down_until_the_battery_is_low() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups())
        await site.wait(120, BATTERY)
        await engine.clear_emergency("op")
        await ordered(engine, "on", "lone")
        await site.wait(300)
        assert "lone" not in off(rig)
        await site.wait(60, {**BATTERY, "ups.status": "OB LB"})
        assert off(rig) == set(CHAIN)
        await site.wait(150, MAINS)
        assert off(rig) == set()

    rig.play(scenario)
    assert rig.broken() == []


def test_the_master_switch_holds_the_power_up_and_never_the_shutdown() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(False)
        site = Site(engine, ups(), auto=True)
        await site.wait(120, BATTERY)
        assert off(rig) == set(CHAIN)
        await site.wait(120, MAINS)
        assert off(rig) == set(CHAIN)
        assert "master switch" in site.keeper.trouble
        await engine.set_auto(True)
        await site.wait(90)
        assert off(rig) == set()

    rig.play(scenario)


def test_restore_may_be_left_to_a_person() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(restore="false"))
        await site.wait(120, BATTERY)
        await site.wait(300, MAINS)
        assert off(rig) == set(CHAIN)
        await engine.clear_emergency("op")
        await up(engine)
        await site.wait(30)
        assert node_of(engine, "web").facts.desired is Desired.ON
        await site.wait(120, BATTERY)  # the next failure is one as the first
        assert off(rig) == set(CHAIN)

    rig.play(scenario)


def test_safe_mode_is_told_and_tried_again() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        engine.core.safe_mode = "too many starts"
        site = Site(engine, ups())
        await site.wait(120, BATTERY)
        assert off(rig) == set()
        assert "safe mode" in site.keeper.trouble
        assert len([text for text in site.told() if "safe mode" in text]) == 1
        engine.core.safe_mode = ""
        await site.wait(60)
        assert off(rig) == set(CHAIN)

    rig.play(scenario)
