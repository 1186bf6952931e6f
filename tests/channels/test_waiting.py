"""The laws of what waits: order within an alert, nothing lost but what is superfluous, one message for many."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ockle.common.alert_message import AlertMessage
from ockle.common.problems import Severity
from ockle.engine.alerts.waiting import Entries, Entry, as_one, bounded, going, merged
from outbox_rig import message

Happening = tuple[int, str, str]
"""(alert, kind, severity)"""

happenings = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(["problem", "reminder", "recovery", "notice"]),
        st.sampled_from([severity.value for severity in Severity]),
    ),
    max_size=20,
)


def entries_of(some: list[Happening]) -> Entries:
    return tuple(
        Entry(seq, replace(message(alert, kind, severity), id=f"m{seq}", at=float(seq)), "0")
        for seq, (alert, kind, severity) in enumerate(some)
    )


def by_alert(entries: Entries) -> dict[int, list[AlertMessage]]:
    found: dict[int, list[AlertMessage]] = {}
    for entry in entries:
        found.setdefault(entry.message.alert, []).append(entry.message)
    return found


@given(happenings)
def test_merging_keeps_the_last_word_of_every_alert(some: list[Happening]) -> None:
    entries = entries_of(some)
    kept = merged(entries)
    assert merged(kept) == kept
    assert [entry.seq for entry in kept] == sorted({entry.seq for entry in kept})
    before, after = by_alert(entries), by_alert(kept)
    assert after.keys() == before.keys()
    for alert, said in after.items():
        if not alert:
            assert said == before[0]
            continue
        # who is left thinking that it is (or is not) over is right
        assert (said[-1].kind == "recovery") == (before[alert][-1].kind == "recovery") or "notice" in (
            said[-1].kind,
            before[alert][-1].kind,
        )
        standing = [one for one in said if one.kind in ("problem", "reminder")]
        assert len(standing) <= 1  # of what still waits there is one word only
        assert max(one.severity.rank for one in said) <= max(one.severity.rank for one in before[alert])


@given(happenings, st.integers(0, 2), st.floats(0, 5))
def test_what_goes_out_is_in_order_and_all_goes_out(some: list[Happening], least: int, allowed: float) -> None:
    entries, told = merged(entries_of(some)), list[Entry]()
    held = {entry.seq for entry in entries}
    while batch := going(entries, lambda severity: severity.rank >= least, allowed):
        sent = as_one(batch)
        assert (sent.message.kind == "digest") == (len(batch) > 1)
        told += batch
        gone = {entry.seq for entry in batch}
        assert gone <= held
        held -= gone
        entries = tuple(entry for entry in entries if entry.seq not in gone)
    if allowed >= 1:
        assert all(entry.message.severity.rank < least for entry in entries)
        ahead = {entry.message.alert: entry.seq for entry in told if entry.message.alert}
        assert all(entry.seq > ahead.get(entry.message.alert, -1) for entry in entries)  # nothing was overtaken
    else:
        assert not told
    for alert in range(1, 5):
        order = [entry.seq for entry in told if entry.message.alert == alert and not entry.over]
        assert order == sorted(order)


@given(happenings, st.integers(0, 20))
def test_the_least_serious_and_oldest_go_first(some: list[Happening], most: int) -> None:
    entries = entries_of(some)
    kept, gone = bounded(entries, most)
    assert len(kept) == min(len(entries), most) and gone == len(entries) - len(kept)
    lost = [entry for entry in entries if entry not in kept]
    assert all(
        (one.message.severity.rank, one.seq) < (two.message.severity.rank, two.seq) for one in lost for two in kept
    )


def test_a_digest_waits_as_it_is() -> None:
    first = as_one(entries_of([(1, "problem", "info"), (2, "problem", "critical")]))
    assert first.message.severity is Severity.CRITICAL and first.message.servers == ("web1", "web2")
    later = Entry(9, message(1, "recovery"), "0")
    assert merged((first, later)) == (first, later)
    assert going((first, later), lambda _severity: True, 1.5) == (first,)


def test_only_what_was_never_told_is_told_with_its_end() -> None:
    reminder, recovery = entries_of([(1, "reminder", "warning"), (1, "recovery", "warning")])
    assert merged((reminder, recovery)) == (recovery,)  # its problem was told before
    problem = replace(reminder, message=replace(reminder.message, kind="problem"))
    [one] = merged((problem, recovery))
    assert one.over and one.message.title == "web1: reminder (it is over, after 1s)"
