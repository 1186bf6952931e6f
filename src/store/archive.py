"""Backups: the configuration and the state in one file, and the way back."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..common.errors import StoreError
from .connect import sqlite_file
from .critical import Critical
from .files import copy_sqlite, put_in_place, set_aside
from .integrity import damage
from .recovery import distrust
from .transfer import copy_database

FORMAT = 1
_MANIFEST, _STATE, _ETC = "manifest.json", "state.db", "etc"
_LARGEST = 2 * 1024**3


def write_backup(target: Path, etc: Path, url: str, version: str) -> list[str]:
    """Write the archive ``target``, readable for its owner only; the daemon may run meanwhile.

    ``url``  of the state database; one that does not exist is left out
    Returns  what is in it, in words
    Raises StoreError; an existing file is never overwritten.
    """
    if target.exists():
        raise StoreError(f"{target} exists already: name another file")
    if not target.parent.is_dir():
        raise StoreError(f"cannot write {target}: there is no folder {target.parent}")
    part = target.with_name(f".{target.name}.part")
    try:
        with TemporaryDirectory(prefix="ockle-backup-") as folder:
            state = _copy_state(url, Path(folder) / _STATE)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
                manifest = {"format": FORMAT, "version": version, "time": time.time(), "state": state is not None}
                _add_text(archive, _MANIFEST, json.dumps(manifest))
                if state is not None:
                    archive.add(state, _STATE)
                if etc.is_dir():
                    archive.add(etc, _ETC)
        put_in_place(part, target)
        return ["the configuration"] * etc.is_dir() + ["the state"] * (state is not None)
    except (OSError, tarfile.TarError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StoreError(f"cannot write {target}: {reason}") from error
    finally:
        part.unlink(missing_ok=True)


def _copy_state(url: str, target: Path) -> Path | None:
    file = sqlite_file(url)
    if file is None:
        copy_database(url, f"sqlite:///{target}", in_use=True)
    elif file.exists():
        copy_sqlite(file, target)
    else:
        return None
    return target


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name)
    data = text.encode()
    info.size, info.mode, info.mtime = len(data), 0o600, int(time.time())
    archive.addfile(info, io.BytesIO(data))


@dataclass(frozen=True)
class Backup:
    """An archive taken apart in a temporary folder. ``state``, ``etc``: None where it holds none."""

    manifest: dict[str, Any]
    state: Path | None
    etc: Path | None

    @property
    def when(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(float(self.manifest["time"])))


@contextmanager
def opened(source: Path) -> Iterator[Backup]:
    """Yield the content of an archive, checked as far as that is possible here. Raises StoreError."""
    with TemporaryDirectory(prefix="ockle-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source, "r:gz") as archive:
                if sum(member.size for member in archive.getmembers()) > _LARGEST:
                    raise StoreError(f"{source} holds more than a backup ever does")
                archive.extractall(folder, filter="data")
            manifest = json.loads((folder / _MANIFEST).read_text("utf-8"))
            known = manifest["format"] == FORMAT and isinstance(manifest["time"], int | float)
        except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{source} is no backup of Ockle, or is damaged: {error}") from error
        if not known:
            raise StoreError(f"{source} was made by a newer Ockle")
        state, etc = folder / _STATE, folder / _ETC
        if manifest["state"] and (not state.exists() or (problem := damage(state))):
            raise StoreError(f"the state in {source} is damaged: {problem if state.exists() else 'it is missing'}")
        yield Backup(manifest, state if state.exists() else None, etc if etc.is_dir() else None)


def restore_state(backup: Backup, url: str, kept: Path) -> Path | None:
    """Replace the state database by that of the backup; return where the former one is kept, None without one.

    Afterwards the daemon sends nothing until a person has looked. ``kept``: folder for the copy of a former state that
    is not an SQLite file. Nobody may use the database. Raises StoreError.
    """
    assert backup.state is not None, "asked for by the caller"  # noqa: S101
    distrust(backup.state, f"the state was restored from a backup of {backup.when}")
    file = sqlite_file(url)
    try:
        if file is None:
            former = kept / f"state.before-restore-{time.strftime('%Y%m%d-%H%M%S')}.db"
            copy_database(url, f"sqlite:///{former}")
            copy_database(f"sqlite:///{backup.state}", url, replace=True)
            return former
        part = file.with_name(f"{file.stem}.restored{file.suffix}")
        copy_sqlite(backup.state, part)
        aside = set_aside(file, "before-restore") if file.exists() else None
        Critical(file).forget()
        put_in_place(part, file)
    except OSError as error:
        raise StoreError(f"cannot restore the state: {error}") from error
    return aside


def restore_etc(backup: Backup, etc: Path) -> Path | None:
    """Replace what is in the folder of the configuration; return where its former content is kept, None if empty."""
    assert backup.etc is not None, "asked for by the caller"  # noqa: S101
    try:
        etc.mkdir(parents=True, exist_ok=True)
        former = [path for path in etc.iterdir() if not path.name.startswith(".before-restore-")]
        kept = etc / f".before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
        if former:
            kept.mkdir(mode=0o700)
        for path in former:
            path.rename(kept / path.name)
        for path in backup.etc.iterdir():
            if not path.name.startswith(".before-restore-"):
                _copy(path, etc / path.name)
    except OSError as error:
        raise StoreError(f"cannot restore the configuration: {error}") from error
    return kept if former else None


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
