"""Leases on disk, in the database of the boards: written before the reply leaves, so that a crash forgets none.

A lease's end is noted twice: as wall clock time, for people, and as seconds from a stamp (``Clock.stamp``), by which
it is counted: a machine without a battery for its clock starts years ago, and then no lease may end early.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from ...common.clock import Clock
from ...common.errors import OckleError
from ..mac import of_bytes
from .leases import Lease, State

BUSY_MS = 1000
_TABLE = """
CREATE TABLE IF NOT EXISTS leases (
    ip TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    mac TEXT NOT NULL,
    state TEXT NOT NULL,
    seconds REAL NOT NULL,
    stamp TEXT NOT NULL,
    ends REAL NOT NULL,
    hostname TEXT NOT NULL
) WITHOUT ROWID
"""
_COLUMNS = "ip, client, mac, state, seconds, stamp, ends, hostname"
_PUT, _ROW = "INSERT OR REPLACE INTO leases VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?)"
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as people see it. ``ends``: seconds since 1970; ``client``: what it is known by, in hexadecimal."""

    ip: str
    mac: str
    state: str
    ends: float
    hostname: str
    client: str


Row = tuple[str, str, str, str, float, str, float, str]


class LeaseStore:
    """``connection``: one of its own, which nobody else uses at the same time. Raises OckleError."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            connection.execute(_TABLE)
        except sqlite3.Error as error:
            connection.close()
            raise OckleError(f"the leases cannot be kept: {error}") from error

    def load(self) -> tuple[list[Lease], int]:
        """Return the leases, and how many lines make no sense. Raises OckleError for a file that cannot be read."""
        found: list[Lease] = []
        bad = 0
        try:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM leases ORDER BY ends").fetchall()  # noqa: S608
        except sqlite3.Error as error:
            raise OckleError(f"the leases cannot be read: {error}") from error
        for row in rows:
            try:
                found.append(self._lease(row))
            except (ValueError, TypeError, AttributeError):
                bad += 1
        return found, bad

    def rows(self, leases: Iterable[Lease]) -> list[Row]:
        """Return leases as they are written, as of now."""
        now, wall, stamp = self._clock.now(), self._clock.wall(), self._clock.stamp()
        return [
            (
                ".".join(map(str, lease.ip)),
                lease.key.hex(),
                of_bytes(lease.mac),
                lease.state.value,
                max(0.0, lease.until - now),
                stamp,
                wall + max(0.0, lease.until - now),
                lease.hostname,
            )
            for lease in leases
        ]

    def write(self, rows: list[Row]) -> None:
        """Write leases, all or none; when it returns they outlive this process. Raises sqlite3.Error."""
        if len(rows) <= _AT_ONCE:
            self._put(rows)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            for at in range(0, len(rows), _AT_ONCE):
                self._put(rows[at : at + _AT_ONCE])

    def _put(self, rows: list[Row]) -> None:
        """One statement for many rows: the interpreter's lock, which others want, is given away once, not per row."""
        values = [value for row in rows for value in row]
        self._connection.execute(_PUT + ", ".join([_ROW] * len(rows)), values)

    def close(self) -> None:
        self._connection.close()

    def _lease(self, row: Row) -> Lease:
        ip, client, mac, state, seconds, stamp, _ends, hostname = row
        address = bytes(map(int, ip.split(".")))
        hardware = bytes.fromhex(mac.replace(":", ""))
        if len(address) != 4 or len(hardware) != 6:
            raise ValueError("no address")
        left = max(0.0, float(seconds) - self._clock.since(stamp))
        return Lease(address, bytes.fromhex(client), hardware, State(state), self._clock.now() + left, str(hostname))


def read_leases(connection: sqlite3.Connection) -> list[LeaseRow]:
    """Return the leases that another process has written, by address; none when no DHCP server ever ran.

    Raises OckleError for a file that cannot be read.
    """
    try:
        there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'leases'").fetchone()
        query = "SELECT ip, mac, state, ends, hostname, client FROM leases"
        rows = [LeaseRow(*row) for row in connection.execute(query)] if there else []
    except sqlite3.Error as error:
        raise OckleError(f"the leases cannot be read: {error}") from error
    return sorted(rows, key=lambda row: tuple(map(int, row.ip.split("."))) if row.ip.count(".") == 3 else ())
