"""What is remembered of an outlet: how soon it may be switched, and across a restart."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.clock import SystemClock
from ockle.outlets.marks import NEVER, OutletMarks

LIMITS = {"min_off_s": 10.0, "settle_s": 20.0, "per_minute": 0}


@pytest.mark.parametrize(
    ("sent", "answered", "state", "moment", "reason"),
    [
        ([], True, True, NEVER, ""),
        ([(False, 100.0)], True, True, 110.0, "stays off for a while"),
        ([(False, 100.0)], True, False, NEVER, ""),
        ([(True, 100.0)], True, False, NEVER, ""),
        ([(True, 100.0)], False, False, 120.0, "may still arrive"),
        ([(True, 100.0)], False, True, NEVER, ""),
        ([(False, 100.0)], False, True, 120.0, "may still arrive"),
    ],
)
def test_when_it_may_be_switched(
    sent: list[tuple[bool, float]], answered: bool, state: bool, moment: float, reason: str
) -> None:
    marks = OutletMarks()
    for what, at in sent:
        marks.begin(what, at)
        if answered:
            marks.answered()
    found = marks.ready(state, **LIMITS)  # type: ignore[arg-type]
    assert found[0] == moment
    assert reason in found[1]


def test_only_so_many_switchings_within_a_minute_and_a_repetition_is_none() -> None:
    marks = OutletMarks()
    for at, state in ((0.0, True), (5.0, True), (7.0, False)):
        marks.begin(state, at)
    assert marks.ready(True, min_off_s=0, settle_s=0, per_minute=2)[0] == 60.0
    assert marks.ready(True, min_off_s=0, settle_s=0, per_minute=3)[0] == 7.0  # min_off_time only
    assert marks.ready(True, min_off_s=0, settle_s=0, per_minute=0)[0] == 7.0


MOMENTS = st.floats(0, 1000)
STEPS = st.lists(st.tuples(st.booleans(), MOMENTS, st.booleans()), max_size=10)


@given(STEPS, st.floats(0, 500), st.floats(0, 500), st.booleans())
def test_a_restart_makes_no_outlet_ready_sooner(
    steps: list[tuple[bool, float, bool]], age: float, down: float, state: bool
) -> None:
    marks = OutletMarks()
    now = 0.0
    for what, at, answered in sorted(steps, key=lambda step: step[1]):
        now = at
        marks.begin(what, at)
        if answered:
            marks.answered()
    noted = now + age
    written = json.loads(json.dumps(marks.as_ages(noted)))
    again = OutletMarks()
    again.take_ages(written, 7.0, down)  # another process, whose clock says 7 and that began `down` seconds later
    offset = noted + down - 7.0
    limits = {"min_off_s": 10.0, "settle_s": 20.0, "per_minute": 2}
    before, after = marks.ready(state, **limits)[0], again.ready(state, **limits)[0] + offset  # type: ignore[arg-type]
    assert after == pytest.approx(before) or (after <= noted and before <= noted)
    again.remember(marks)  # what is known already is not forgotten for it
    assert again.ready(state, **limits)[0] >= after - offset - 1e-6  # type: ignore[arg-type]


def test_a_stamp_of_the_systems_clock_counts_on_in_another_process() -> None:
    code = "from ockle.common.clock import SystemClock as C; print(C().stamp())"
    stamp = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert 0 <= SystemClock().since(stamp) < 30
    other_boot = "00000000-0000-0000-0000-000000000000 12345678.0"
    assert SystemClock().since(other_boot) > 0  # as long as this boot lasts, at least
    boot = stamp.partition(" ")[0]
    assert SystemClock().since(f"{boot} 99999999999.0") == 0.0
