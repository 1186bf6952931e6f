"""A configuration folder without a daemon: the same editor, checks, history and refusals as the daemon's."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Any

from ..config.editing import Editor
from ..config.known_options import site_files
from ..networkTree.ServerNetworkFactory import check
from .codes import CliError


class Folder:
    """``etc`` on disk; see ``config.Store`` for what the methods mean."""

    def __init__(self, etc: str) -> None:
        self._etc = Path(etc)
        if not self._etc.is_dir():
            raise CliError(f"{etc}: no such folder")
        self._editor = Editor(self._etc, check)

    def get(self, file: str, section: str | None, key: str | None) -> Any:
        return self._editor.get(file, section, key)

    def set(self, file: str, section: str, key: str, value: str, message: str) -> dict[str, Any]:
        return self._editor.set_value(file, section, key, value, _user(), message)

    def names(self) -> list[str]:
        return site_files(self._etc)

    def diff(self, files: dict[str, str | None]) -> str:
        return self._editor.diff(files)

    def apply(self, files: dict[str, str | None], message: str) -> dict[str, Any]:
        return self._editor.apply(files, _user(), message)

    def history(self, limit: int) -> list[dict[str, Any]]:
        return self._editor.history(limit)

    def undo(self, rev: int | None) -> dict[str, Any]:
        return self._editor.undo(_user(), rev)

    def rename(self, file: str, name: str, message: str) -> dict[str, Any]:
        if file.startswith("servers/"):
            raise CliError("a server's state follows its name only in a running daemon; leave --etc out")
        return self._editor.rename(file, name, _user(), message)

    def copy(self, file: str, name: str, message: str) -> dict[str, Any]:
        return self._editor.copy(file, name, _user(), message)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have no name
        return f"user {os.getuid()}"
