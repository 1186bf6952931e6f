"""When the plug's delay switch means that this machine has to go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ockle.agent.wish import Wish

CONFIRM_S = 5.0


def test_off_before_its_eyes_counts_at_once() -> None:
    wish = Wish(CONFIRM_S, off_at_start=False)
    wish.saw(True, 0)
    wish.saw(False, 10)
    assert wish.due(10) == 0


def test_off_at_the_connection_has_to_last() -> None:
    wish = Wish(CONFIRM_S, off_at_start=True)
    wish.saw(False, 10)
    assert wish.due(10) == 5
    assert wish.due(14) == 1
    wish.saw(False, 14)  # told again: no new wait
    assert wish.due(15) == 0


def test_a_plug_that_starts_may_show_off_for_a_moment() -> None:
    wish = Wish(CONFIRM_S, off_at_start=True)
    wish.saw(True, 0)
    wish.lost()
    wish.saw(False, 10)
    assert wish.due(11) == 4
    wish.saw(True, 12)
    assert wish.due(99) is None


def test_off_all_along_can_be_left_alone() -> None:
    wish = Wish(CONFIRM_S, off_at_start=False)
    wish.saw(False, 0)
    assert wish.due(100) is None
    wish.saw(True, 101)
    wish.saw(False, 102)
    assert wish.due(102) == 0


def test_what_could_not_be_granted_is_not_asked_again_and_again() -> None:
    wish = Wish(CONFIRM_S, off_at_start=True)
    wish.saw(True, 0)
    wish.saw(False, 1)
    wish.given_up()
    wish.saw(False, 2)
    assert wish.due(99) is None
    wish.saw(True, 100)
    wish.saw(False, 101)
    assert wish.due(101) == 0


EVENTS = st.lists(st.tuples(st.sampled_from(["on", "off", "lost"]), st.floats(0, 20)), max_size=20)


@given(EVENTS, st.booleans())
def test_silence_and_loss_are_never_a_wish(events: list[tuple[str, float]], off_at_start: bool) -> None:
    """Whatever came before: right after a loss nothing is due, nor later, until an "off" is seen."""
    wish = Wish(CONFIRM_S, off_at_start=off_at_start)
    now = 0.0
    for what, pause in events:
        now += pause
        if what == "lost":
            wish.lost()
        else:
            wish.saw(what == "on", now)
    wish.lost()
    assert wish.due(now) is None
    assert wish.due(now + 1e6) is None
    wish.saw(True, now)
    assert wish.due(now + 1e6) is None


@given(EVENTS, st.booleans())
def test_due_is_always_the_last_thing_that_was_seen(events: list[tuple[str, float]], off_at_start: bool) -> None:
    wish = Wish(CONFIRM_S, off_at_start=off_at_start)
    now, last = 0.0, ""
    for what, pause in events:
        now += pause
        last = what
        if what == "lost":
            wish.lost()
        else:
            wish.saw(what == "on", now)
    if wish.due(now) is not None:
        assert last == "off"
