"""The database of samples: one writer, and readers that cannot take the daemon's threads away."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ...common.errors import StoreBroken, StoreError, StoreFull
from ..connect import make_engine, sqlite_file, without_password
from ..faults import first_line, store_error
from ..files import remove_sqlite, set_aside
from ..tables import writable
from . import upkeep
from .blocks import encode
from .buckets import Bucket, sample
from .levels import HOUR_S, LEVELS, Span
from .reading import Shrink, read_buckets
from .sample_tables import FORMAT, METADATA, Block, blocks, meta, series

READERS, READ_WAIT_S = 2, 3.0
"""How many may read at the same time, and how long another one waits: a database that hangs keeps no more threads."""
ROOM = 32 * 1024**2
"""Bytes that are left free on the disk, for what matters more."""
GIVE_WAY_S = 5.0
MOST_SERIES = 20_000
"""A driver that invents a new name with each measurement comes to an end here."""


class Series(NamedTuple):
    """What is measured: ``kind`` is outlet, control, test or, for all of a server, "server"; ``key`` has the unit."""

    server: str
    kind: str
    object: str
    key: str


@dataclass(frozen=True, slots=True)
class Known:
    """A series as the database has it; ``every``: seconds from one sample to the next."""

    number: int
    series: Series
    every: float


Round = tuple[float, Mapping[Series, float]]
"""When something was measured (seconds since 1970), and what."""


class SampleStore:
    """``open`` and the methods that write are for one thread, the others for any; all raise StoreError."""

    def __init__(self, url: str, keep: upkeep.Keep) -> None:
        self.url = url
        self.keep = keep
        self._engine: sa.Engine | None = None
        self._lock = threading.Lock()
        self._numbers: dict[Series, Known] = {}
        self._readers = threading.BoundedSemaphore(READERS)

    # -- life

    def open(self) -> None:
        """Connect; make the tables of an empty database. One that is damaged, or another version's, is set aside."""
        self._check_room()
        with self._lock:
            try:
                self._open()
            except StoreBroken as error:
                self._dispose()
                file = sqlite_file(self.url)
                if file is None or not file.exists():
                    raise
                set_aside(file)
                try:
                    self._open()
                except StoreError as again:
                    raise StoreError(f"{again} (before: {error})") from again

    def _open(self) -> None:
        doing = f"cannot open the samples {without_password(self.url)}"
        engine: sa.Engine | None = None
        try:
            engine = make_engine(self.url, "NORMAL", any_backend=True)
            with engine.begin() as connection:
                found = _prepare(connection, doing)
        except BaseException as error:
            if engine is not None:
                engine.dispose()
            if isinstance(error, SQLAlchemyError | OSError | ImportError):
                raise _fault(doing, error) from error
            raise
        self._numbers = {known.series: known for known in found}
        self._engine = engine

    @property
    def is_open(self) -> bool:
        return self._engine is not None

    def close(self) -> None:
        with self._lock:
            self._dispose()

    def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def remove(self) -> bool:
        """Give the room of its file back to the disk; tells whether there was any to give."""
        file = sqlite_file(self.url)
        if file is None or not file.exists():
            return False
        if not self._lock.acquire(timeout=GIVE_WAY_S):
            raise StoreError(f"{file} is being written and cannot be removed")
        try:
            self._dispose()
            remove_sqlite(file)
        except OSError as error:
            raise StoreError(f"cannot remove {file}: {error.strerror}") from error
        finally:
            self._lock.release()
        return True

    # -- writing

    def write(self, rounds: Sequence[Round], every: Mapping[Series, float]) -> None:
        """Write what was measured, in one commit. ``every``: how often each series is measured, by default an hour."""
        self._check_room()
        with self._lock, self._transaction("cannot write the samples") as connection:
            new = self._numbered({one for _time, values in rounds for one in values}, every, connection)
            for (_hour, shard), found in self._by_block(rounds, {**self._numbers, **new}).items():
                start, end = _ends(found)
                upkeep.put(connection, Block(0, start, end, shard, encode(start, found, single=True)))
        self._numbers.update(new)

    @staticmethod
    def _by_block(
        rounds: Sequence[Round], numbers: Mapping[Series, Known]
    ) -> dict[tuple[int, int], dict[int, list[Bucket]]]:
        found: dict[tuple[int, int], dict[int, list[Bucket]]] = {}
        for time, values in sorted(rounds, key=lambda one: one[0]):
            for one, value in values.items():
                if one in numbers:
                    number = numbers[one].number
                    block = found.setdefault((int(time // HOUR_S), number // LEVELS[0].shard), {})
                    block.setdefault(number, []).append(sample(time, value))
        return found

    def _numbered(
        self, wanted: Collection[Series], every: Mapping[Series, float], connection: sa.Connection
    ) -> dict[Series, Known]:
        """Return the series among ``wanted`` that the database did not know so, and let it know them."""
        found = {}
        most = max((known.number for known in self._numbers.values()), default=0)
        for one in sorted(wanted):
            known, pace = self._numbers.get(one), every.get(one, float(HOUR_S))
            if known is None:
                most += 1
                if most > MOST_SERIES:
                    break
                texts = {"server": one.server, "kind": one.kind, "object": one.object, "name": one.key}
                row = {name: writable(text) for name, text in texts.items()}
                connection.execute(series.insert().values(id=most, every=pace, **row))
                found[one] = Known(most, one, pace)
            elif known.every != pace:
                connection.execute(series.update().where(series.c.id == known.number).values(every=pace))
                found[one] = Known(known.number, one, pace)
        return found

    def _check_room(self) -> None:
        file = sqlite_file(self.url)
        if file is None:
            return
        try:
            free = shutil.disk_usage(file.absolute().parent).free
        except OSError as error:
            raise StoreError(f"cannot write the samples {file}: {error.strerror}") from error
        if free < ROOM:
            raise StoreFull(f"cannot write the samples {file}: only {free // 1024**2} MB are left on the disk")

    def tidy(self, now: float) -> None:
        """Make coarser steps of the hours and days that have passed, and drop what is not to be kept any longer."""
        for level in range(1, len(LEVELS)):
            for start in self._passed(level, now):
                with self._lock, self._transaction("cannot fold the samples") as connection:
                    upkeep.fold_period(connection, LEVELS[level - 1], LEVELS[level], start)
        with self._lock, self._transaction("cannot drop samples") as connection:
            upkeep.expire(connection, self.keep)

    def _passed(self, level: int, now: float) -> list[float]:
        with self._connected("cannot fold the samples") as connection:
            return upkeep.passed(connection, LEVELS[level - 1], LEVELS[level], now)

    # -- reading

    def known(self) -> list[Known]:
        """Return all series that were ever written, from memory."""
        return sorted(self._numbers.values(), key=lambda known: known.series)

    def read(
        self, numbers: Collection[int], since: float, until: float, width: float, shrink: Shrink = list
    ) -> dict[int, list[Bucket]]:
        """Return the buckets of some series in the order of time: single samples if wanted and still there.

        ``width``   seconds that a bucket may last
        ``shrink``  makes fewer of many that are in order; called on the way, too, so that not all are in memory
        """
        if not numbers:
            return {}
        if not self._readers.acquire(timeout=READ_WAIT_S):
            raise StoreError("too many are reading the samples already; try again")
        try:
            with self._connected("cannot read the samples") as connection:
                return read_buckets(connection, numbers, (since, until), width, shrink)
        finally:
            self._readers.release()

    def oldest(self) -> float | None:
        """Return the moment from which on there is anything, None for an empty database."""
        with self._connected("cannot read the samples") as connection:
            first = connection.execute(sa.select(sa.func.min(blocks.c.start_ms))).scalar()
        return None if first is None else first / 1000

    def size(self) -> int:
        """Return the bytes of all blocks."""
        with self._connected("cannot read the samples") as connection:
            return sum(size for _step, _start, size in upkeep.sizes(connection))

    # -- connections

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[sa.Connection]:
        try:
            with self._require().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _fault(doing, error) from error

    @contextmanager
    def _connected(self, doing: str) -> Iterator[sa.Connection]:
        try:
            with self._require().connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise _fault(doing, error) from error

    def _require(self) -> sa.Engine:
        if self._engine is None:
            raise StoreError("the database of samples is not open")
        return self._engine


def _prepare(connection: sa.Connection, doing: str) -> list[Known]:
    """Make the tables that are missing; return the series that are known."""
    METADATA.create_all(connection)
    found = connection.execute(sa.select(meta.c.value).where(meta.c.name == "format")).scalar()
    if found is None:
        connection.execute(meta.insert().values(name="format", value=str(FORMAT)))
    elif found != str(FORMAT):
        raise StoreBroken(f"{doing}: their format is {found[:20]!r}, this Ockle knows {FORMAT}")
    rows = connection.execute(sa.select(series))
    return [Known(row.id, Series(row.server, row.kind, row.object, row.name), row.every) for row in rows]


def _fault(doing: str, error: Exception) -> StoreError:
    if isinstance(error, SQLAlchemyError | OSError):
        return store_error(doing, error)
    return StoreError(f"{doing}: {first_line(error)}")


def _ends(found: Mapping[int, Sequence[Bucket]]) -> Span:
    """Return the moments of the first and after the last of some samples."""
    return min(one[0].start for one in found.values()), max(one[-1].start for one in found.values()) + 0.001
