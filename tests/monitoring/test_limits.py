"""Limits: how they are written, and when a value is beyond one."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.problems import Severity
from ockle.config.limits import Limit, parse_limit
from ockle.engine.monitoring.limit_watch import Level, LimitSeen, judged, not_told, out_of_touch

CPU = parse_limit("cpu_percent > 90 for 5m until 80")


class TestWriting:
    @pytest.mark.parametrize(
        ("text", "limit"),
        [
            ("disk_percent > 85", Limit("disk_percent > 85", "disk_percent", True, 85, 85)),
            ("cpu>90% for 5m until 80%", Limit("cpu>90% for 5m until 80%", "cpu", True, 90, 80, 300)),
            ("x > 1 until 0.5 for 90s", Limit("x > 1 until 0.5 for 90s", "x", True, 1, 0.5, 90)),
            ("fan.0.rpm < 500 until 600", Limit("fan.0.rpm < 500 until 600", "fan.0.rpm", False, 500, 600)),
            ("Critical: temp  >  -4.5", Limit("Critical: temp > -4.5", "temp", True, -4.5, -4.5, 0, Severity.CRITICAL)),
        ],
    )
    def test_what_is_meant(self, text: str, limit: Limit) -> None:
        assert parse_limit(text) == limit

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "is no limit"),
            ("cpu_percent", "such as: cpu_percent > 90"),
            ("cpu >= 90", "there is only > and <"),
            ("cpu > many", "is no limit"),
            ("cpu > 1e400", "is no limit"),
            ("cpu > " + "9" * 400, "is no number"),
            ("cpu > 90 for", "for TIME or until NUMBER"),
            ("cpu > 90 during 5m", "for TIME or until NUMBER"),
            ("cpu > 90 for 5m for 6m", "each once"),
            ("cpu > 90 for soon", "for soon"),
            ("cpu > 90 for 31d", "longer than 30 days"),
            ("cpu > 90 until low", "'low' is no number"),
            ("cpu > 90 until 95", "greater than the limit"),
            ("rpm < 90 until 85", "less than the limit"),
            ("severe: cpu > 90", "'severe' is none of info, warning, critical"),
        ],
    )
    def test_what_is_wrong_is_said_in_a_line(self, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=re.escape(why)) as caught:
            parse_limit(text)
        assert "\n" not in str(caught.value)

    @given(st.text(max_size=60))
    def test_anything_is_read_or_refused(self, text: str) -> None:
        try:
            limit = parse_limit(text)
        except ValueError:
            return
        assert parse_limit(limit.text) == limit

    @given(
        st.sampled_from(["", "info: ", "critical:"]),
        st.sampled_from("<>"),
        st.integers(-1000, 1000),
        st.integers(0, 100),
        st.integers(0, 3600),
    )
    def test_what_was_written_is_what_is_read(self, severity: str, side: str, bound: int, band: int, last: int) -> None:
        until = bound - band if side == ">" else bound + band
        limit = parse_limit(f"{severity}a.b {side} {bound} for {last}s until {until}")
        assert (limit.key, limit.above, limit.bound, limit.until, limit.last) == (
            "a.b",
            side == ">",
            bound,
            until,
            last,
        )


def over_time(limit: Limit, *values: tuple[float, float]) -> list[Level]:
    """Return the levels after each (moment, value)."""
    seen, levels = LimitSeen(), []
    for now, value in values:
        seen = judged(limit, seen, value, now)
        levels.append(seen.level)
    return levels


class TestWatching:
    def test_it_has_to_last_and_it_ends_below_the_band(self) -> None:
        ok, pending, over = Level.OK, Level.PENDING, Level.OVER
        values = ((0, 95.0), (299, 91.0), (300, 91.0), (400, 85.0), (401, 95.0), (402, 80.0), (403, 85.0), (404, 95.0))
        assert over_time(CPU, *values) == [pending, pending, over, over, over, ok, ok, pending]

    def test_a_moment_within_the_limit_begins_anew(self) -> None:
        assert over_time(CPU, (0, 95), (200, 90), (250, 95), (500, 95))[-1] is Level.PENDING

    def test_without_a_time_it_counts_at_once(self) -> None:
        assert over_time(parse_limit("rpm < 500"), (0, 499), (1, 500)) == [Level.OVER, Level.OK]

    def test_silence_neither_mends_nor_proves(self) -> None:
        over = judged(parse_limit("disk > 85"), LimitSeen(), 90, 0)
        assert out_of_touch(over, 1e6) == over
        pending = judged(CPU, LimitSeen(), 95, 0)
        assert out_of_touch(pending, 100).level is Level.OK

    def test_a_figure_that_is_not_sent_any_more_is_forgotten(self) -> None:
        over = judged(parse_limit("disk > 85"), LimitSeen(), 90, 0)
        assert not_told(over, 599, 600).level is Level.OVER
        assert not_told(over, 600, 600).level is Level.OK

    @given(st.lists(st.floats(80, 90, exclude_min=True), max_size=50), st.booleans())
    def test_within_the_band_nothing_changes(self, values: list[float], over: bool) -> None:
        start = judged(parse_limit("x > 90 until 80"), LimitSeen(), 91 if over else 0, 0)
        seen = start
        for now, value in enumerate(values, 1):
            seen = judged(parse_limit("x > 90 until 80"), seen, value, now)
            assert (seen.level, seen.since) == (start.level, start.since)

    @given(
        st.lists(st.tuples(st.floats(0.1, 400), st.floats(0, 100)), min_size=1, max_size=60),
        st.floats(0, 600),
        st.floats(0, 20),
    )
    def test_every_change_has_its_reason(self, steps: list[tuple[float, float]], last: float, band: float) -> None:
        """Over only after values beyond, all of them, for as long as it takes; ok again only at a good value."""
        limit = Limit("x", "x", True, 90, 90 - band, last)
        now, seen = 0.0, LimitSeen()
        history: list[tuple[float, float, Level]] = []
        for gap, value in steps:
            now += gap
            seen = judged(limit, seen, value, now)
            history.append((now, value, seen.level))
        for (_, _, before), (at, value, after) in pairwise([(0.0, 0.0, Level.OK), *history]):
            if after is Level.OVER and before is not Level.OVER:
                run = [one for one in history if one[0] <= at]
                while run and run[-1][1] > 90:
                    begun = run.pop()[0]
                assert at - begun >= last
            elif before is Level.OVER and after is not Level.OVER:
                assert value <= limit.until
