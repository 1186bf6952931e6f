"""Samples: folded, drawn, kept and dropped without a value that nobody measured."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import StoreError
from ockle.store.samples import sample_store
from ockle.store.samples.blocks import decode, encode
from ockle.store.samples.buckets import GAP_AFTER, Bucket, fold, merge, regroup, sample, segments
from ockle.store.samples.levels import LEVELS, first_to_keep, join, overlap, preferred, to_drop, without
from ockle.store.samples.recorder import MOST_ROUNDS, Recorder
from ockle.store.samples.sample_store import SampleStore, Series
from ockle.store.samples.upkeep import Keep
from ockle.store.store import Store

NOON = 1_767_268_800.0  # a whole day and twelve hours after 1970
HOUR, DAY = 3600.0, 86400.0
WATTS = Series("web", "outlet", "psu", "power_w")
VOLTS = Series("web", "outlet", "psu", "volt_v")

values = st.floats(-1e9, 1e9)
times = st.integers(0, 200_000).map(lambda tenth: NOON + tenth / 10)
samples = st.lists(st.tuples(times, values), min_size=1, max_size=40).map(
    lambda found: [sample(time, value) for time, value in sorted(dict(found).items())]
)


def outline(buckets: list[Bucket]) -> tuple[float, float, int]:
    return min(b.low for b in buckets), max(b.high for b in buckets), sum(b.samples for b in buckets)


def check(made: list[Bucket], of: list[Bucket]) -> None:
    """Extremes and number are what they were, time goes forward, and each bucket has a sample in it."""
    assert outline(made) == outline(of)
    assert all(one.low <= one.mean <= one.high and one.samples >= 1 for one in made)
    assert all(a.start < b.start and a.end <= b.start for a, b in pairwise(made))
    assert all(any(one.start <= b.start <= one.end for b in of) for one in made)


# -- pure


@given(samples, st.sampled_from([60, 900, 3600]))
def test_folding_keeps_extremes_and_makes_nothing_up(found: list[Bucket], step: int) -> None:
    folded = fold(found, step)
    check(folded, found)
    assert all(one.start % step == 0 and one.end - one.start == step for one in folded)
    mean = math.fsum(one.mean * (one.samples / len(found)) for one in folded)
    assert mean == pytest.approx(math.fsum(b.mean / len(found) for b in found), rel=1e-9, abs=1e-3)


@given(samples, st.integers(1, 300))
def test_a_plot_has_every_extreme_and_not_too_many_points(found: list[Bucket], points: int) -> None:
    since, until = NOON, NOON + 20_001
    drawn = regroup(found, since, until, points)
    check(drawn, found)
    assert len(drawn) <= points
    assert regroup(drawn, since, until, points) == drawn  # so it may be done on the way
    assert {one.start for one in drawn} <= {one.start for one in found}
    assert {one.end for one in drawn} <= {one.end for one in found}


@given(samples, st.floats(0.1, 1000))
def test_a_gap_is_where_no_sample_came_for_too_long(found: list[Bucket], every: float) -> None:
    parts = segments(found, every)
    assert [one for part in parts for one in part] == found
    inside = [b.start - a.end for part in parts for a, b in pairwise(part)]
    between = [b[0].start - a[-1].end for a, b in pairwise(parts)]
    assert all(distance <= GAP_AFTER * every for distance in inside)
    assert all(distance > GAP_AFTER * every for distance in between)


@given(st.dictionaries(st.integers(0, 2**32 - 1), samples, max_size=5))
def test_a_block_gives_back_what_was_put_in(found: dict[int, list[Bucket]]) -> None:
    def near(one: Bucket) -> tuple[object, ...]:
        return round(one.start, 3), round(one.end, 3), *one[2:]

    for step in (0, 60):
        series = {number: fold(one, step) if step else one for number, one in found.items()}
        body = encode(NOON, series, single=step == 0)
        again = decode(NOON, step, body)
        assert {n: list(map(near, b)) for n, b in again.items()} == {n: list(map(near, b)) for n, b in series.items()}
        assert set(decode(NOON, step, body, {7})) == {7} & set(series)


@given(st.binary(max_size=200))
def test_a_damaged_block_is_an_error(body: bytes) -> None:
    with pytest.raises(StoreError):
        decode(NOON, 0, b"\0" + body)
    whole = encode(NOON, {1: [sample(NOON, 1.0)]}, single=True)
    with pytest.raises(StoreError):
        decode(NOON, 60, whole)  # too short for buckets


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=6).map(
    lambda found: join((since, since + length) for since, length in found)
)


@given(spans, spans)
def test_spans_are_sets_of_moments(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> None:
    def moments(spans: list[tuple[float, float]]) -> set[int]:
        return {number for since, until in spans for number in range(int(since), int(until))}

    assert moments(overlap(one, other)) == moments(one) & moments(other)
    assert moments(without(one, other)) == moments(one) - moments(other)


def test_the_coarsest_level_that_is_fine_enough_comes_first() -> None:
    assert [level.step for level in preferred(0)] == [0, 60, 900, 3600]
    assert [level.step for level in preferred(100)] == [60, 0, 900, 3600]
    assert [level.step for level in preferred(1e9)] == [3600, 900, 60, 0]


def test_what_counts_is_how_many_periods_there_are() -> None:
    wrong_clock = 4e9 // DAY * DAY
    assert first_to_keep([0, DAY, wrong_clock], int(DAY), 3) is None
    assert first_to_keep([0, DAY + 5, DAY, wrong_clock], int(DAY), 2) == DAY


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 60, 900, 3600]), st.integers(0, 9), st.integers(1, 50)), unique_by=lambda b: b[:2]
    )
)
def test_no_more_goes_than_has_to(found: list[tuple[int, float, int]]) -> None:
    gone = to_drop(found, 100)
    sizes = {block[:2]: block[2] for block in found}
    left = sum(sizes.values()) - sum(sizes[one] for one in gone)
    assert left <= 100
    assert not gone or left + sizes[gone[-1]] > 100
    assert all(one in gone for one in sizes if one[0] == 60 and gone and gone[-1][0] not in (60,))


# -- the database


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    yield from opened(f"sqlite:///{tmp_path / 'samples.db'}")


@pytest.fixture
def either(url: str) -> Iterator[SampleStore]:
    """A store on SQLite and one on PostgreSQL: for the statements, not for the reckoning."""
    yield from opened(url)


def opened(url: str) -> Iterator[SampleStore]:
    store = SampleStore(url, Keep())
    store.open()
    yield store
    store.close()


def log_hours(
    store: SampleStore, hours: int, begin: float = NOON, every: float = 60.0, tidy_h: int = 1
) -> list[Bucket]:
    """Have samples logged and the database tidied as the daemon does it; return the samples."""
    logged = []
    for hour in range(hours):
        rounds = []
        for number in range(int(HOUR / every)):
            time = begin + hour * HOUR + number * every
            rounds.append((time, {WATTS: float(number), VOLTS: 230.0}))
            logged.append(sample(time, float(number)))
        store.write(rounds, {WATTS: every, VOLTS: every})
        if (hour + 1) % tidy_h == 0:
            store.tidy(begin + (hour + 1) * HOUR)
    return logged


def number_of(store: SampleStore, series: Series) -> int:
    return next(known.number for known in store.known() if known.series == series)


def steps(buckets: list[Bucket]) -> set[float]:
    return {one.end - one.start for one in buckets}


def test_samples_come_back_from_whatever_level_fits(either: SampleStore) -> None:
    store = either
    logged = log_hours(store, 30)
    watts, end = number_of(store, WATTS), NOON + 30 * HOUR
    whole = store.read([watts], NOON, end + 1, 0.0)[watts]
    assert whole[-60 * 20 :] == logged[-60 * 20 :]  # single samples of the last day
    for width, expected in ((60.0, {60, 0}), (900.0, {900, 60, 0}), (4000.0, {3600, 60, 0})):
        found = store.read([watts], NOON, end + 1, width)[watts]
        check(found, logged)
        assert steps(found) <= expected
        assert max(steps(found)) == max(expected)


def test_what_is_restarted_goes_on_with_the_same_series(either: SampleStore, url: str) -> None:
    log_hours(either, 1)
    either.close()
    again = SampleStore(url, Keep())
    again.open()
    try:
        assert [known.series for known in again.known()] == [WATTS, VOLTS]
        log_hours(again, 1, NOON + HOUR)
        watts = number_of(again, WATTS)
        assert len(again.read([watts], NOON, NOON + 2 * HOUR, 0)[watts]) == 120
    finally:
        again.close()


def test_an_hour_without_the_daemon_is_a_gap_at_each_level(store: SampleStore) -> None:
    log_hours(store, 2)
    log_hours(store, 26, NOON + 4 * HOUR)
    watts = number_of(store, WATTS)
    for width in (0.0, 60.0, 900.0):
        found = store.read([watts], NOON, NOON + 30 * HOUR, width)[watts]
        parts = segments(found, 60.0)
        assert parts[0][0].start == NOON
        assert parts[1][0].start == NOON + 4 * HOUR


def test_only_so_many_days_are_kept_of_each_level(store: SampleStore) -> None:
    store.keep = Keep(raw_days=1, minute_days=2, quarter_days=3, hour_days=4)
    start = NOON - 12 * HOUR
    log_hours(store, 6 * 24, start, 900.0, tidy_h=24)
    store.tidy(start + 6 * DAY + HOUR)
    watts = number_of(store, WATTS)

    def first(width: float, since: float, until: float) -> float:
        return store.read([watts], since, until, width)[watts][0].start

    assert first(4000, start, start + 7 * DAY) == start + 2 * DAY
    found = store.read([watts], start, start + 7 * DAY, 0.0)[watts]
    lasts = {
        day: steps([b for b in found if start + day * DAY <= b.start < start + (day + 1) * DAY]) for day in range(6)
    }
    assert lasts == {0: set(), 1: set(), 2: {3600}, 3: {900}, 4: {60}, 5: {0}}


def test_it_stays_below_its_limit(either: SampleStore) -> None:
    either.keep = Keep(most_bytes=3000)
    logged = log_hours(either, 12)
    assert 0 < either.size() <= 3000
    watts = number_of(either, WATTS)
    assert either.read([watts], NOON + 11 * HOUR, NOON + 12 * HOUR, 0.0)[watts] == logged[-60:]  # the newest stay


def test_a_clock_that_stepped_back_does_no_harm(store: SampleStore) -> None:
    log_hours(store, 2)
    log_hours(store, 1)  # the same hour once more
    watts = number_of(store, WATTS)
    found = store.read([watts], NOON, NOON + 2 * HOUR, 0.0)[watts]
    assert len(found) == 120
    assert found == sorted(found)


def test_a_series_of_a_slower_pace_is_noted(store: SampleStore) -> None:
    store.write([(NOON, {WATTS: 1.0})], {WATTS: 30.0})
    store.write([(NOON + 60, {WATTS: 1.0})], {WATTS: 60.0})
    assert [known.every for known in store.known()] == [60.0]


def test_a_driver_that_invents_names_comes_to_an_end(store: SampleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_store, "MOST_SERIES", 3)
    for number in range(5):
        store.write([(NOON + number, {Series("web", "outlet", "psu", f"key{number}"): 1.0, WATTS: 2.0})], {})
    assert len(store.known()) == 3
    watts = number_of(store, WATTS)
    assert len(store.read([watts], NOON, NOON + 10, 0)[watts]) == 5


# -- the recorder


def test_a_dead_database_costs_samples_and_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    folder = tmp_path / "later"
    recorder = Recorder(SampleStore(f"sqlite:///{folder / 'samples.db'}", Keep()), told.append)
    for number in range(MOST_ROUNDS + 10):
        recorder.add(NOON + number, {WATTS: 1.0}, {WATTS: 1.0})
        recorder.flush(NOON + number)
    assert len(told) == 1
    assert "samples are not kept" in told[0]
    folder.mkdir()
    recorder.flush(NOON + 200)
    assert told[1:] == ["samples are kept again; the oldest of those that waited are lost"]
    watts = number_of(recorder.store, WATTS)
    found = recorder.store.read([watts], NOON, NOON + 300, 0)[watts]
    assert [found[0].start, len(found)] == [NOON + 10, MOST_ROUNDS]
    recorder.store.close()


def test_a_disk_with_little_room_is_left_to_the_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    file = tmp_path / "samples.db"
    recorder = Recorder(SampleStore(f"sqlite:///{file}", Keep()), told.append)
    recorder.add(NOON, {WATTS: 1.0}, {})
    with monkeypatch.context() as patch:
        patch.setattr(sample_store, "ROOM", 2**60)
        recorder.flush(NOON)
    assert "MB are left" in told[0]
    assert not file.exists()
    assert recorder.waiting == 1
    recorder.flush(NOON)
    assert told[1:] == ["samples are kept again"]
    assert recorder.waiting == 0
    assert recorder.gave_way()
    assert not file.exists()
    assert not recorder.gave_way()
    recorder.add(NOON + 1, {WATTS: 1.0}, {})
    recorder.flush(NOON + 1)
    assert file.exists()
    recorder.store.close()


def test_samples_go_before_the_log_and_then_the_log_goes(tmp_path: Path) -> None:
    store = Store.for_file(tmp_path / "state.db")
    store.open()
    samples = Recorder(SampleStore(f"sqlite:///{tmp_path / 'samples.db'}", Keep()), lambda _text: None)
    samples.add(NOON, {WATTS: 1.0}, {})
    samples.flush(NOON)
    store.spare.append(samples.gave_way)

    async def full_disk() -> list[tuple[bool, bool]]:
        found = []
        for _ in range(3):
            await store.give_way()
            found.append(((tmp_path / "samples.db").exists(), (tmp_path / "log.db").exists()))
        await store.close()
        return found

    assert asyncio.run(full_disk()) == [(False, True), (False, False), (False, False)]


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "samples.db"
    file.write_bytes(b"no database at all, " * 500)
    recorder = Recorder(SampleStore(f"sqlite:///{file}", Keep()), lambda _text: None)
    recorder.add(NOON, {WATTS: 1.0}, {})
    recorder.flush(NOON)
    assert not recorder.fault
    assert [path.name for path in tmp_path.glob("samples.damaged-*")]
    recorder.store.close()


def test_levels_are_whole_multiples() -> None:
    for finer, coarser in pairwise(LEVELS):
        assert not finer.step or coarser.step % finer.step == 0
        assert coarser.period % coarser.step == 0
        assert coarser.period % finer.period == 0


def test_merging_many_huge_values_does_not_overflow() -> None:
    assert merge([sample(NOON, 1.7e308), sample(NOON + 1, 1.7e308)]).mean == 1.7e308


def test_a_database_that_hangs_keeps_no_more_threads_than_its_readers(
    store: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_hours(store, 1)
    watts = number_of(store, WATTS)
    entered, leave = threading.Semaphore(0), threading.Event()

    def hang(_buckets: list[Bucket]) -> list[Bucket]:
        entered.release()
        leave.wait(20)
        return []

    with ThreadPoolExecutor(sample_store.READERS) as pool:
        for _ in range(sample_store.READERS):
            pool.submit(store.read, [watts], NOON, NOON + HOUR, 0.0, hang)
        for _ in range(sample_store.READERS):
            assert entered.acquire(timeout=20)
        monkeypatch.setattr(sample_store, "READ_WAIT_S", 0.01)
        with pytest.raises(StoreError, match="too many"):
            store.read([watts], NOON, NOON + HOUR, 0.0)
        leave.set()
    assert store.read([watts], NOON, NOON + HOUR, 0.0)[watts]
