"""Servers on one outlet: switched as one, refused where that cannot work, never cut while one of them runs."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from ockle.common.common import OpState
from ockle.common.errors import DependencyException, DeviceUnreachable
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.networkTree.plan import Plan
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.marks import OutletMarks
from rig import Rig
from rig_calls import down, node_of, up, whats
from rig_machine import RigControl

NEEDS: dict[str, list[str]] = {"db": [], "nfs": [], "a": ["db"], "b": ["nfs"], "web": ["a"], "lone": []}
STRIP = {"strip": ["a", "b"]}


def rig(**more: object) -> Rig:
    return Rig(NEEDS, outlets={"a": 0, "b": 1}, shared=STRIP, **more)  # type: ignore[arg-type]


def because(plan: Plan) -> dict[str, str]:
    return {step.server: step.because for step in plan.steps}


# -- the graph


def network(needs: dict[str, list[str]], *shared: tuple[str, ...]) -> ServerNetwork:
    strips = [(OutletMarks(f"pdu outlet {number}"), names) for number, names in enumerate(shared, 1)]
    found = ServerNetwork()
    for name in needs:
        node = ServerNode(name)
        node.outlets = [_Outlet(marks) for marks, names in strips if name in names]  # type: ignore[misc]
        found.addServer(node)
    found.addDependencies((name, needed) for name, wanted in needs.items() for needed in wanted)
    return found


class _Outlet:
    def __init__(self, marks: OutletMarks) -> None:
        self.marks = marks


@pytest.mark.parametrize(
    ("needs", "shared", "cycle"),
    [
        ({"a": ["b"], "b": []}, [("a", "b")], "a -> b -> a (on the same outlet, pdu outlet 1)"),
        ({"a": ["c"], "b": [], "c": ["b"]}, [("a", "b")], "c -> b -> a (on the same outlet, pdu outlet 1) -> c"),
        (
            {"a": ["c"], "b": [], "c": [], "d": ["b"]},
            [("a", "b"), ("c", "d")],
            "d -> b -> a (on the same outlet, pdu outlet 1) -> c -> d (on the same outlet, pdu outlet 2)",
        ),
        (
            {"a": ["c"], "b": [], "c": []},
            [("a", "b"), ("b", "c")],
            "a -> c -> b (on the same outlet, pdu outlet 2) -> a (on the same outlet, pdu outlet 1)",
        ),
    ],
)
def test_a_cycle_through_an_outlet_is_refused_in_words(
    needs: dict[str, list[str]], shared: list[tuple[str, ...]], cycle: str
) -> None:
    with pytest.raises(DependencyException) as caught:
        network(needs, *shared)
    assert str(caught.value).endswith(cycle)


def test_adding_one_dependency_or_server_is_checked_through_outlets_too() -> None:
    found = network({"a": [], "b": [], "c": ["b"]}, ("a", "b"))
    assert found.cycle_with("a", "c") == ("a", "c", "b", "a")
    with pytest.raises(DependencyException):
        found.addDependency("a", "c")
    assert found.getDependencies("a") == []
    late = ServerNode("late")
    late.outlets = [_Outlet(next(iter(found.getServernode("a").outlets)).marks)]  # type: ignore[list-item]
    with pytest.raises(DependencyException):
        found.addServer(late, ["c"])
    assert "late" not in found
    assert found.group("a") == ("a", "b")


def test_a_group_counts_as_one_in_the_order() -> None:
    found = network({"x": [], "y": ["x"], "a": [], "b": ["y"], "z": ["a"]}, ("a", "b"))
    assert found.layers() == [["x"], ["y"], ["a", "b"], ["z"]]
    assert [one.name for one in found.dependencies("a")] == ["y"]
    assert found.all_dependencies(["z"]) == {"a", "b", "y", "x"}
    assert found.all_dependents(["x"]) == {"y", "a", "b", "z"}
    assert set(found.concerned("y")) == {"y", "x", "a", "b"}
    found.removeServer("b")
    assert found.group("a") == ("a",)
    assert [one.name for one in found.dependencies("a")] == []


# -- plans


def test_an_order_takes_the_group_along_and_says_why() -> None:
    machines = rig()

    async def scenario(engine: Engine) -> None:
        on = because(engine.plan("on", ["a"]))
        assert on == {
            "a": "asked for",
            "b": "its outlet strip also feeds a",
            "db": "needed by a",
            "nfs": "needed by b",
        }
        assert await up(engine, "web") is RunState.DONE
        off = engine.plan("off", ["b"])
        assert because(off) == {"b": "asked for", "a": "its outlet strip also feeds b", "web": "needs a"}
        assert [step.needs for step in off.steps if step.server == "b"] == [["web"]]
        assert await down(engine, "b") is RunState.DONE
        assert {name for name, state in machines.states().items() if state == "OFF"} == {"a", "b", "web", "lone"}

    machines.play(scenario)
    assert machines.broken() == []


@pytest.mark.parametrize("state", ["held", "forced"])
def test_who_must_not_be_touched_keeps_its_mates_from_being_switched_off(state: str) -> None:
    machines = rig()

    async def scenario(engine: Engine) -> None:
        await up(engine)
        if state == "held":
            await engine.hold("b", True, "new disk")
            reason = "held: new disk"
        else:
            await engine.force("b", Desired.ON)
            reason = "forced on"
        plan = engine.plan("off", ["db"])
        assert plan.steps == []  # nobody goes down for it
        assert plan.untouched == {
            "b": reason,
            "a": f"its outlet strip also feeds b ({reason})",
            "db": f"needed by a (its outlet strip also feeds b ({reason})), b ({reason})",
        }

    machines.play(scenario)


def test_who_is_to_stay_off_keeps_its_mates_from_being_switched_on() -> None:
    machines = rig()

    async def scenario(engine: Engine) -> None:
        await engine.force("b", Desired.OFF)
        plan = engine.plan("on", ["web"])
        assert plan.untouched["a"] == "its outlet strip also feeds b (forced off)"
        assert plan.untouched["web"] == "needs a, b"
        await up(engine, "db", "nfs")
        engine.core.set_desired(node_of(engine, "a"), Desired.ON)
        await engine.set_auto(True)
        await asyncio.sleep(60)
        assert "also feeds b (forced off)" in engine.why("a")["reasons"][0]["text"]

    machines.play(scenario)
    assert "SET" not in " ".join(whats(machines, "a"))


# -- switching


def test_a_shared_outlet_is_cut_once_and_only_when_all_on_it_are_down() -> None:
    machines = rig()
    machines["b"].shutdown_s = 40.0

    async def scenario(engine: Engine) -> None:
        assert await up(engine) is RunState.DONE
        assert await down(engine, "a", "b") is RunState.DONE

    machines.play(scenario)
    assert machines.broken() == []
    cuts = [sight for sight in machines.sights if sight.what.startswith("SET") and sight.what.endswith("strip off")]
    assert len({sight.t for sight in cuts}) == 1
    assert {sight.machine for sight in cuts} == {"a", "b"}
    halted = [sight.t for sight in machines.sights if sight.what == "halted" and sight.machine == "b"]
    assert cuts[0].t > halted[0]
    ons = [sight for sight in machines.sights if sight.what.endswith("strip on")]
    assert len(ons) == 2  # one command, seen at both machines


def test_one_that_does_not_go_down_keeps_the_power_of_all() -> None:
    machines = rig(policy={"shutdown_timeout": 20.0})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        machines["b"].hang_shutdown = True
        assert await down(engine, "a", "b") is RunState.FAILED
        assert machines["a"].powered
        assert machines.states()["b"] == OpState.permanentlyFailedToStop.value
        assert "its outlet strip also feeds b" in str(engine.why("a")["reasons"])
        machines["b"].hang_shutdown = False
        assert await down(engine, "a", "b") is RunState.DONE

    machines.play(scenario)
    assert machines.broken() == []


def test_an_order_taken_back_in_the_middle_strands_nobody() -> None:
    """Once one of them is on its way down the others follow, or it could never come back."""
    machines = rig()
    machines["a"].shutdown_s = 1.0

    async def scenario(engine: Engine) -> None:
        await up(engine)
        first = await engine.order("off", ["a"], who="test")
        while machines["a"].os == "up" and machines["b"].os == "up":
            await asyncio.sleep(0.01)
        engine.cancel(first.id, "test")
        assert await up(engine) is RunState.DONE
        assert set(machines.states().values()) == {"OK"}

    machines.play(scenario)
    assert machines.broken() == []


def test_a_forced_off_server_never_takes_the_power_of_a_running_mate() -> None:
    machines = rig(policy={"shutdown_timeout": 20.0})
    machines.operator_orders.update(NEEDS)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.force("a", Desired.OFF)
        await asyncio.sleep(60)
        assert machines["b"].serving
        texts = [event.text for event in machines.events.since(0)]
        assert "a: not forced off: not cut: its outlet strip also feeds b (OK)" in texts
        await engine.force("b", Desired.OFF)
        await asyncio.sleep(60)
        assert not machines["a"].powered
        assert not machines["b"].powered

    machines.play(scenario)
    assert machines.broken() == []


def test_a_cut_takes_the_whole_group_and_nobody_else() -> None:
    machines = rig()

    async def scenario(engine: Engine) -> None:
        await up(engine)
        for machine in machines.machines.values():
            machine.expendable = True
        plan = engine.plan("cut", ["b"])
        assert {step.server for step in plan.steps} == {"a", "b", "web"}
        run = await engine.order("cut", ["b"], who="test")
        await run.finished.wait()
        assert run.state is RunState.DONE

    machines.play(scenario)
    assert machines["lone"].powered
    assert not machines["a"].powered


class SessionControl(RigControl):
    """As the login over SSH: only who has sent the shutdown can tell that the machine is down."""

    _asked = False

    @override
    async def _setControlState(self, state: bool) -> None:
        await super()._setControlState(state)
        self._asked = True

    @override
    async def _getControlState(self) -> bool:
        if self.machine.os == "halted" and not self._asked:
            raise DeviceUnreachable(f"{self.name}: no answer")
        return await super()._getControlState()

    @override
    def forget(self) -> None:
        super().forget()
        self._asked = False


def test_who_waits_for_a_mate_goes_on_knowing_that_it_is_down_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rig.RigControl", SessionControl)
    shared = rig()
    shared["b"].shutdown_s = 30.0

    async def scenario(engine: Engine) -> None:
        await up(engine)
        assert await down(engine, "a", "b") is RunState.DONE
        assert node_of(engine, "a").facts.stop_attempts == 0

    shared.play(scenario)
    assert shared.order("shutdown asked").count("a") == 1
    assert shared.broken() == []
