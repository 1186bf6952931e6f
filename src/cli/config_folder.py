"""A configuration folder without a daemon: the same checks, history and refusals as the daemon's."""

from __future__ import annotations

import getpass
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..common.errors import ConfigError
from ..config.files import parse_ini, read_ini, render_ini, write_ini
from ..config.history import History, unified
from ..config.names import confine
from ..networkTree.ServerNetworkFactory import check
from .codes import CliError


class Folder:
    """``etc`` on disk; see ``config.Store`` for what the methods mean."""

    def __init__(self, etc: str) -> None:
        self._etc = Path(etc)
        if not self._etc.is_dir():
            raise CliError(f"{etc}: no such folder")
        self._history = History(self._etc)

    def get(self, file: str, section: str | None, key: str | None) -> Any:
        path = confine(self._etc, file)
        if section is None:
            text = self._text(file)
            if text is None:
                raise CliError(f"{file}: no such file")
            return text
        found = read_ini(path, name=file)
        if section not in found.sections:
            raise CliError(f"{file}: no section [{section}]")
        if key is None:
            return found[section].dict()
        if key not in found[section].scalars:
            raise CliError(f"{file} [{section}]: {key} is not set")
        return found[section][key]

    def set(self, file: str, section: str, key: str, value: str, message: str) -> dict[str, Any]:
        ini = parse_ini(self._text(file) or "", file)
        # the value as one would write it into the file: a, b is a list there
        parsed = parse_ini(f"[x]\nvalue = {value}\n", "the value")["x"]["value"] if value else ""
        ini.setdefault(section, {})[key] = parsed
        return self.apply({file: render_ini(ini)}, message or f"set {file} [{section}] {key}")

    def names(self) -> list[str]:
        found = (path.relative_to(self._etc) for path in self._etc.rglob("*.ini"))
        return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))

    def diff(self, files: dict[str, str | None]) -> str:
        return "".join(unified(name, self._text(name), text) for name, text in sorted(files.items()))

    def apply(self, files: dict[str, str | None], message: str) -> dict[str, Any]:
        before = {name: self._text(name) for name in files}
        if before == files:
            return {"rev": None}
        self._refuse_faults(files)
        rev = self._history.record(before, files, getpass.getuser(), message)
        for name, text in files.items():
            path = confine(self._etc, name)
            if text is None:
                path.unlink(missing_ok=True)
            elif text != before[name]:
                path.parent.mkdir(exist_ok=True)
                write_ini(path, text)
        return {"rev": rev}

    def history(self, limit: int) -> list[dict[str, Any]]:
        return [
            {"rev": one.rev, "when": one.when, "who": one.who, "message": one.message, "files": sorted(one.files)}
            for one in reversed(self._history.list())
        ][:limit]

    def undo(self, rev: int | None) -> dict[str, Any]:
        revisions = self._history.list()
        if not revisions:
            raise CliError("there is no change to take back")
        target = revisions[-1].rev - 1 if rev is None else rev
        self._refuse_faults(self._history.texts_at(target))
        return {"rev": self._history.restore(target, getpass.getuser())}

    def _text(self, name: str) -> str | None:
        try:
            return confine(self._etc, name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise ConfigError(f"{name}: not UTF-8: {error}") from error

    def _refuse_faults(self, files: dict[str, str | None]) -> None:
        """Raise ConfigError with all faults of the folder as it would be with ``files``."""
        with tempfile.TemporaryDirectory(prefix="ockle-check-") as scratch:
            draft = Path(scratch) / "etc"
            shutil.copytree(self._etc, draft, ignore=shutil.ignore_patterns(".history"))
            draft.chmod(0o700)  # it may hold secrets
            for name, text in files.items():
                path = confine(draft, name)
                if text is None:
                    path.unlink(missing_ok=True)
                else:
                    path.parent.mkdir(exist_ok=True)
                    path.write_text(text, encoding="utf-8")
            faults, _warnings = check(draft)
        if faults:
            raise ConfigError(*map(str, faults))
