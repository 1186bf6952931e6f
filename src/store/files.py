"""SQLite files as files: whole copies, setting aside, removing. A database is its file and two beside it."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from ..common.errors import StoreError
from ..config.atomic import sync_folder

BESIDE = ("", "-wal", "-shm")
LOCK_WAIT_S = 30.0


def copy_sqlite(source: Path, target: Path) -> None:
    """Write a consistent copy of a database, also while it is in use; ``target`` is whole or is not there.

    Raises StoreError.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        part.unlink(missing_ok=True)
        with closing(
            sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True, timeout=LOCK_WAIT_S)
        ) as database:
            database.execute("VACUUM INTO ?", (str(part),))
        part.chmod(0o600)
        put_in_place(part, target)
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"cannot copy {source} to {target}: {error}") from error


def put_in_place(part: Path, target: Path) -> None:
    """Make a written file durable under its final name. Raises OSError."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)


def set_aside(file: Path, why: str = "damaged") -> Path:
    """Rename a database, with what is beside it, so that it stays for a look; return the new name. Raises OSError."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    number = 0
    while (kept := file.with_name(f"{file.stem}.{why}-{stamp}{f'-{number}' if number else ''}{file.suffix}")).exists():
        number += 1
    for end in BESIDE:
        part = Path(f"{file}{end}")
        if part.exists():
            part.rename(f"{kept}{end}")
    sync_folder(file.parent)
    return kept


def remove_sqlite(file: Path) -> None:
    """Remove a database with what is beside it. Raises OSError."""
    for end in BESIDE:
        Path(f"{file}{end}").unlink(missing_ok=True)
