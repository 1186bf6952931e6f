"""When a booting server is probed, and what that costs it in time."""

from __future__ import annotations

import pytest

from ockle.engine.engine import Engine
from ockle.engine.probing import PROBE_LEAST_S, PROBE_PART, next_probe
from ockle.engine.runs import RunState
from rig import Rig


@pytest.mark.parametrize("boot_s", [0.3, 1.0, 4.0, 20.0, 200.0])
def test_a_boot_is_seen_in_proportion_to_its_length(boot_s: float) -> None:
    rig = Rig({"s0": []}, policy={"probe_interval": 1.0, "boot_timeout": 300.0})
    rig["s0"].boot_s = boot_s
    seen = {}

    async def scenario(engine: Engine) -> None:
        run = await engine.order("on", ["s0"], who="test")
        await run.finished.wait()
        assert run.state is RunState.DONE
        up = next(sight.t for sight in rig.sights if sight.what == "up")
        seen["late_s"] = engine.core.clock.now() - up

    rig.play(scenario)
    assert seen["late_s"] <= min(1.0, max(PROBE_LEAST_S, PROBE_PART * boot_s)) + 0.01


def test_successes_in_a_row_keep_their_distance() -> None:
    rig = Rig({"s0": []}, policy={"probe_interval": 1.0, "ok_after": 3})
    rig["s0"].boot_s = 1.0
    seen = {}

    async def scenario(engine: Engine) -> None:
        run = await engine.order("on", ["s0"], who="test")
        await run.finished.wait()
        up = next(sight.t for sight in rig.sights if sight.what == "up")
        seen["proof_s"] = engine.core.clock.now() - up

    rig.play(scenario)
    assert 2.0 <= seen["proof_s"] <= 2.1


def test_a_slow_probe_is_not_repeated_at_once() -> None:
    assert next_probe(1.0, 0.5) == pytest.approx(2.0)
