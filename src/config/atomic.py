"""Replacing a file so that no crash leaves half of one."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ..common.errors import ConfigError


def write_atomic(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write, sync, rename, sync the folder; a symbolic link stays and its target is replaced.

    ``mode``  permission bits; None keeps those of an existing file, a new one is closed to other users
    Raises    ConfigError
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode is None:
            mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o640
        handle, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be written: {error.strerror or error}") from error


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
