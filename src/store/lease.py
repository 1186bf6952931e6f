"""Who may write a database that several machines can reach: one row, kept alive by the writer, timed by the database.

A lock held by a connection is not enough: the database keeps it for a writer that is frozen or cut off. Each
transaction of the writer renews the row, so one that lost it commits nothing more; what is not committed is not sent.
"""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

import sqlalchemy as sa

from ..common.errors import StoreBroken, StoreError
from . import tables

TTL_S, BEAT_S = 15.0, 5.0
"""When a silent writer counts as gone, and how often an idle one renews its row."""
_ID = 1

_now = sa.cast(sa.extract("epoch", sa.func.current_timestamp()), sa.Float)


class Lease:
    """This process's claim; ``owner`` is new with each object."""

    def __init__(self) -> None:
        self.owner = uuid.uuid4().hex
        self._place = _place()

    def take(self, connection: sa.Connection) -> None:
        """Become the writer; raises StoreError, naming the one who is. The caller commits."""
        lease = tables.lease
        row = connection.execute(
            sa.select(lease, (_now - lease.c.beat).label("age")).where(lease.c.id == _ID).with_for_update()
        ).first()
        if row is not None and row.owner != self.owner and row.age < TTL_S and not self._is_gone(row.place, row.pid):
            raise StoreError(
                f"another daemon (process {row.pid} on {row.host}) uses it, and was there {max(0.0, row.age):.0f} s ago"
            )
        mine = {"owner": self.owner, "host": socket.gethostname(), "pid": os.getpid(), "place": self._place}
        if row is None:
            connection.execute(lease.insert().values(id=_ID, beat=_now, **mine))
        else:
            connection.execute(lease.update().where(lease.c.id == _ID).values(beat=_now, **mine))

    def _is_gone(self, place: str, pid: int) -> bool:
        """Tell whether the writer was a process of this machine that has ended; elsewhere only time can tell."""
        return place == self._place != "" and not Path(f"/proc/{pid}").exists()

    def renew(self, connection: sa.Connection) -> None:
        """Prove, within a transaction, that this is still the writer. Raises StoreBroken when it is not."""
        lease = tables.lease
        mine = lease.update().where(lease.c.id == _ID, lease.c.owner == self.owner).values(beat=_now)
        if connection.execute(mine).rowcount == 1:
            return
        other = connection.execute(sa.select(lease).where(lease.c.id == _ID)).first()
        who = f"process {other.pid} on {other.host}" if other is not None else "somebody"
        raise StoreBroken(f"another daemon ({who}) has taken over the store")

    def release(self, connection: sa.Connection) -> None:
        connection.execute(tables.lease.delete().where(tables.lease.c.id == _ID, tables.lease.c.owner == self.owner))


def _place() -> str:
    """Return what process numbers are unique in: this boot of this machine, and the container; "" if not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
