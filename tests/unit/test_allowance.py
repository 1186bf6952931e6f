"""How fast one address may ask, on a clock of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.allowance import Allowance


def test_a_burst_goes_through_and_then_so_many_a_second() -> None:
    allowance = Allowance(500.0, 1000.0, now=7.0)
    assert [allowance.take(7.0) for _ in range(1000)] == [0.0] * 1000
    assert allowance.take(7.0) == pytest.approx(1 / 500)
    assert allowance.take(7.0) == pytest.approx(2 / 500)
    assert not allowance.is_full(8.0)
    assert allowance.is_full(7.0 + 1002 / 500 + 1e-6)
    assert allowance.take(100.0) == 0.0


@given(st.lists(st.floats(0, 3), min_size=1, max_size=300))
def test_nobody_gets_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    allowance, now = Allowance(5.0, 10.0, 0.0), 0.0
    for number, pause in enumerate(pauses, 1):
        now += pause
        now += allowance.take(now)
        assert number <= 10.0 + now * 5.0 + 1e-6
