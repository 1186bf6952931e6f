"""What can be said of a store and its folder without a daemon: findings for a person, the worst first."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreError
from . import audit, tables
from .connect import make_engine, sqlite_file, without_password
from .critical import Critical
from .faults import first_line
from .folder import StateFolder, holder, is_locked
from .integrity import age_text, damage
from .lease import TTL_S
from .recovery import SAFE_MODE
from .schema import STATE
from .snapshots import EVERY_S, Snapshots

LITTLE_ROOM, NO_ROOM = 200 * 1024**2, 20 * 1024**2
"""Bytes: fewer are worth a warning, or stop switching soon."""
EARLIEST = 1_750_000_000.0
"""No Ockle was run before this moment (June 2025): a clock that shows less is not set."""
MANY_EVENTS = 512 * 1024**2


class Level(IntEnum):
    """How bad it is."""

    FINE = 0
    NOTE = 1
    WARNING = 2
    FAULT = 3


@dataclass(frozen=True)
class Finding:
    """``what`` was found; where it is not fine, ``why`` that matters and how to ``mend`` it."""

    level: Level
    what: str
    why: str = ""
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"level": self.level.name.lower(), "what": self.what, "why": self.why, "mend": self.mend}


def examine(folder: StateFolder, url: str, servers: set[str] | None) -> Iterator[Finding]:
    """Yield what is found. ``servers``: the names in the configuration, None if that cannot be read."""
    running = False
    try:
        running = is_locked(folder.lock_file)
        pid = holder(folder.lock_file)
        yield Finding(
            Level.FINE, f"{folder.path} is " + (f"used by the daemon, process {pid}" if running else "not in use")
        )
        if folder.path.is_dir():
            yield from _room(folder.path)
    except OSError as error:
        yield _unreadable(folder.path, error)
    file = sqlite_file(url)
    if file is not None:
        yield from _file(file, running=running)
        if not file.exists():
            return
    try:
        engine = make_engine(url)
        try:
            with engine.connect() as connection:
                yield from _content(connection, url, servers)
        finally:
            engine.dispose()
    except (SQLAlchemyError, StoreError) as error:
        yield Finding(
            Level.FAULT,
            f"the store {without_password(url)} cannot be read: {first_line(error)}",
            "without it the daemon does not start",
            "start the database, or restore a backup: ockle restore FILE",
        )


def clock(newest: float) -> Iterator[Finding]:
    """Yield whether the clock can be right; ``newest``: the latest moment that anything was noted."""
    now = time.time()
    text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    if now < max(newest - 60.0, EARLIEST):
        yield Finding(
            Level.WARNING,
            f"the clock shows {text}, which is in the past",
            "times in events and runs are wrong; switching does not depend on the clock",
            "set it, or wait for NTP: timedatectl",
        )
    else:
        yield Finding(Level.FINE, f"the clock shows {text}")


def _room(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**2:.0f} MB are free for {folder}"
    if free >= LITTLE_ROOM:
        yield Finding(Level.FINE, text)
        return
    level = Level.FAULT if free < NO_ROOM else Level.WARNING
    yield Finding(level, text, "on a full disk nothing new is switched", "make room; log.db may be removed")


def _unreadable(path: Path, error: OSError) -> Finding:
    return Finding(
        Level.FAULT,
        f"{path}: {error.strerror}",
        "what is in it cannot be checked",
        "run ockle doctor as root, or as the daemon's user",
    )


def _file(file: Path, *, running: bool) -> Iterator[Finding]:
    """Look at an SQLite file and what stands beside it."""
    critical, snapshots = Critical(file), Snapshots(file)
    try:
        if not file.exists():
            if critical.read() is None and not snapshots.list():
                yield Finding(Level.NOTE, f"there is no {file} yet", "no daemon was started here", "ockle daemon")
            else:
                yield _damaged(file, "it is gone")
            return
        problem = damage(file, None if running else critical)
        yield _damaged(file, problem) if problem else Finding(Level.FINE, f"{file} is sound")
        for slot in critical.damaged():
            yield Finding(
                Level.WARNING,
                f"{slot} is damaged",
                "it is one of two copies of forces, holds and orders; the other one is whole",
                "nothing: the next change writes it anew. If it comes back, replace the disk",
            )
        yield from _snapshots(snapshots)
        log = file.with_name("log.db")
        if log.exists() and log.stat().st_size > MANY_EVENTS:
            size = f"{log.stat().st_size / 1024**2:.0f} MB"
            yield Finding(Level.NOTE, f"{log} has {size}", "it wears the disk", "lower event_limit in config.ini")
        for old in sorted(file.parent.glob(f"{file.stem}.damaged-*{file.suffix}")):
            yield Finding(
                Level.NOTE, f"{old} was set aside as damaged", "it takes room", "remove it once nobody wants to look"
            )
    except OSError as error:
        yield _unreadable(file, error)


def _damaged(file: Path, problem: str) -> Finding:
    return Finding(
        Level.FAULT,
        f"{file} cannot be trusted: {problem}",
        "forces, holds and orders may be lost",
        "at its next start the daemon sets it aside, restores what it can, and switches nothing until: ockle resume",
    )


def _snapshots(snapshots: Snapshots) -> Iterator[Finding]:
    found = snapshots.list()
    if not found:
        yield Finding(
            Level.NOTE,
            "there is no snapshot of the store",
            "if it is damaged only the second copy of forces, holds and orders is left",
            "let the daemon run; snapshots = 0 in config.ini switches them off",
        )
        return
    text = f"{len(found)} snapshot{'s' * (len(found) > 1)}, the newest of {age_text(found[0])}"
    if time.time() - found[0].stat().st_mtime > 2 * EVERY_S:
        yield Finding(
            Level.WARNING,
            text,
            "after damage the daemon goes back to it",
            "see why the log says: no snapshot of the store",
        )
    else:
        yield Finding(Level.FINE, text)


def _content(connection: sa.Connection, url: str, servers: set[str] | None) -> Iterator[Finding]:
    found = STATE.found(connection)
    if found != STATE.version:
        yield _version(found)
        return
    yield Finding(Level.FINE, f"the store is of schema {found}")
    meta = {row["name"]: row["value"] for row in tables.select(connection, "meta")}
    yield from _trust(meta)
    if connection.dialect.name != "sqlite":
        yield from _lease(connection, url)
    running = [row["id"] for row in tables.select(connection, "runs", "id") if row["state"] == "running"]
    if running:
        yield Finding(Level.NOTE, f"open runs: {', '.join(map(str, running))}", "they go on when the daemon runs")
    for row in tables.select(connection, "servers", "name"):
        owned = f"forced {row['forced']}" if row["forced"] else "held" if row["held"] else ""
        if owned and servers is not None and row["name"] not in servers:
            yield Finding(
                Level.NOTE,
                f"{row['name']} is {owned}, and not in the configuration",
                "it will be so again if a server of that name comes back",
                "nothing, or add it and lift that",
            )
    yield from _audit(connection)
    newest = tables.select(connection, "intents", "-id", 1)
    yield from clock(float(newest[0]["at"] or 0.0) if newest else 0.0)


def _audit(connection: sa.Connection) -> Iterator[Finding]:
    problem = audit.problem(connection)
    if problem:
        yield Finding(
            Level.FAULT,
            f"the audit log was changed by other hands than the daemon's: {problem}",
            "what it says of who did what can no longer be trusted",
            "compare it with the daemon's log, which has each entry, and with a backup",
        )
    else:
        count = connection.execute(sa.select(sa.func.count()).select_from(tables.audit)).scalar_one()
        yield Finding(Level.FINE, f"the audit log is whole: {count} entries, each sealed by the next")


def _version(found: int | None) -> Finding:
    if found is None:
        return Finding(Level.NOTE, "the store is empty", "no daemon was started with it", "ockle daemon")
    if found < STATE.version:
        text = f"the store is of schema {found}, this Ockle's is {STATE.version}"
        return Finding(Level.NOTE, text, "the daemon brings it up to date at its start, after a copy")
    return Finding(
        Level.FAULT,
        f"the store was written by a newer Ockle (schema {found}, this one knows {STATE.version})",
        "this version does not start with it",
        "install the newer version again, or restore a backup",
    )


def _trust(meta: dict[str, Any]) -> Iterator[Finding]:
    if meta.get(SAFE_MODE):
        yield Finding(
            Level.FAULT,
            f"safe mode: {meta[SAFE_MODE]}",
            "the daemon watches and sends nothing",
            "look at the servers, then: ockle resume",
        )
    try:
        starts = int(json.loads(meta.get("starts") or "{}").get("count", 0))
    except (ValueError, TypeError, AttributeError):
        starts = 0
    if starts > 1:
        yield Finding(
            Level.WARNING,
            f"the daemon was started {starts} times in a row without lasting",
            "it may be dying of what it does",
            "look at the end of its log: journalctl -u ockle",
        )


def _lease(connection: sa.Connection, url: str) -> Iterator[Finding]:
    row = connection.execute(sa.select(tables.lease)).first()
    if row is None:
        yield Finding(Level.FINE, f"no daemon uses {without_password(url)}")
        return
    age = connection.execute(sa.select(sa.extract("epoch", sa.func.current_timestamp()))).scalar_one()
    silent = float(age) - row.beat
    state = "uses it" if silent < TTL_S else f"was its last user, and is silent for {silent:.0f} s"
    yield Finding(Level.FINE, f"process {row.pid} on {row.host} {state}")
