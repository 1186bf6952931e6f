"""A state database that cannot be trusted is set aside, the next best takes its place, and a person has to confirm it.

The next best is the newest sound snapshot, with what operators ordered, forced and held put right from the second copy.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreError
from . import tables
from .connect import make_engine
from .critical import SEQUENCE, SERVER_COLUMNS, Content, Critical
from .faults import first_line
from .files import put_in_place, set_aside
from .integrity import EMPTY, age_text, damage, is_sqlite
from .schema import STATE
from .snapshots import Snapshots

log = logging.getLogger(__name__)

SAFE_MODE = "safe_mode"
"""Row of meta with the reason why nothing is switched until a person has looked; "" or none while all is well."""


def make_sound(file: Path) -> str:
    """Check the state database at ``file`` and replace it if it cannot be trusted; nobody may use it yet.

    Returns  what was done, in a line for a person; "" when it is sound, or when there was never one
    Raises   StoreError when it can be neither trusted nor replaced
    """
    critical, snapshots = Critical(file), Snapshots(file)
    known = critical.read() is not None or bool(snapshots.list())
    if file.exists() and file.stat().st_size:
        problem = damage(file, critical)
        if not problem or (problem == EMPTY and not known):
            return ""
        if not known and not is_sqlite(file):
            raise StoreError(f"{file} is no database of Ockle: {problem}; move it away, or restore a backup")
    elif not known:
        return ""
    else:
        problem = "it is gone"
    try:
        return _replace(file, problem, critical, snapshots)
    except (OSError, SQLAlchemyError) as error:
        raise StoreError(f"{file} cannot be trusted ({problem}), nor be replaced: {first_line(error)}") from error


def _replace(file: Path, problem: str, critical: Critical, snapshots: Snapshots) -> str:
    log.error("%s cannot be trusted: %s", file, problem)
    kept = f"; it is kept as {set_aside(file).name}" if file.exists() else ""
    source = _restore_snapshot(file, snapshots)
    copy = critical.read()
    reason = f"the state database could not be trusted ({problem}){kept}; restored from {source}"
    if copy is None:
        reason += "; forces, holds and orders since then are lost"
    else:
        reason += ", with forces, holds and desired states as they were last"
    engine = make_engine(f"sqlite:///{file}")
    try:
        with engine.begin() as connection:
            STATE.prepare(connection)
            ended = _put_right(connection, copy, reason)
    finally:
        engine.dispose()
    if ended:
        log.error("runs that were open in the snapshot do not go on: %s", ", ".join(map(str, ended)))
    return reason


def _restore_snapshot(file: Path, snapshots: Snapshots) -> str:
    """Copy the newest sound snapshot to ``file``; return its name and age, or what it is without one."""
    part = file.with_name(f".{file.name}.part")
    for snapshot in snapshots.list():
        shutil.copyfile(snapshot, part)
        problem = damage(part)
        if not problem:
            part.chmod(0o640)
            put_in_place(part, file)
            return f"the snapshot {snapshot.name} of {age_text(snapshot)}"
        log.warning("the snapshot %s is no good either: %s", snapshot, problem)
    for end in ("", "-wal", "-shm"):
        Path(f"{part}{end}").unlink(missing_ok=True)
    return "nothing, as there is no sound snapshot"


def distrust(file: Path, reason: str) -> None:
    """Have a daemon on this database send nothing until a person has looked. Raises StoreError."""
    try:
        engine = make_engine(f"sqlite:///{file}")
        try:
            with engine.begin() as connection:
                STATE.prepare(connection)
                _put_right(connection, None, reason)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise StoreError(f"{file}: {first_line(error)}") from error


def _put_right(connection: sa.Connection, copy: tuple[int, Content] | None, reason: str) -> list[int]:
    """Apply the second copy, switch AutoControl off, end what was open, logins too: some may have been ended since.

    Returns the numbers of the ended runs.
    """
    if copy is not None:
        number, content = copy
        for row in tables.select(connection, "servers"):
            if row["name"] not in content.servers:
                _write_server(connection, row["name"], {})
        for name, values in content.servers.items():
            _write_server(connection, name, values)
        for name, value in content.meta.items():
            tables.upsert(connection, "meta", [{"name": name, "value": value}])
        # as if it had been changed since: what follows is not in the second copy yet
        tables.upsert(connection, "meta", [{"name": SEQUENCE, "value": str(number + 1)}])
    tables.upsert(connection, "meta", [{"name": "auto", "value": "off"}])
    tables.upsert(connection, "meta", [{"name": SAFE_MODE, "value": reason}])
    ended = [row["id"] for row in tables.select(connection, "runs") if row["state"] == "running"]
    connection.execute(tables.runs.delete().where(tables.runs.c.id.in_(ended)))
    connection.execute(tables.sessions.delete())
    return ended


def _write_server(connection: sa.Connection, name: str, values: dict[str, object]) -> None:
    columns = {column: values.get(column) for column in SERVER_COLUMNS}
    tables.upsert(connection, "servers", [{"name": name, **columns}])
