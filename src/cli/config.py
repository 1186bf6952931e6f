"""``ockle config``: check, look at, change and take back the configuration, in a running daemon or in a folder.

With ``--etc`` the commands work on that folder without a daemon; without it they ask the daemon. ``check`` always works
on a folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ..common.errors import CommandError
from . import config_drafts, config_objects
from .codes import ABORTED, BY_ERROR, FAILED, OK, USAGE, CliError
from .connect import connect, parse_count
from .output import count, moment, safe, say, show, table, tell
from .parser import Commands

if TYPE_CHECKING:
    from pathlib import Path

    from ..webserver.ockle_client.connection import Connection


class Store(Protocol):
    """A configuration to work on; ``files``: path relative to etc -> text, None to delete it."""

    def get(self, file: str, section: str | None, key: str | None) -> Any: ...
    def set(self, file: str, section: str, key: str, value: str, message: str) -> dict[str, Any]: ...
    def names(self) -> list[str]: ...
    def diff(self, files: dict[str, str | None]) -> str: ...
    def apply(self, files: dict[str, str | None], message: str) -> dict[str, Any]: ...
    def history(self, limit: int) -> list[dict[str, Any]]: ...
    def undo(self, rev: int | None) -> dict[str, Any]: ...
    def rename(self, file: str, name: str, message: str) -> dict[str, Any]: ...
    def copy(self, file: str, name: str, message: str) -> dict[str, Any]: ...


def register(commands: Commands) -> None:
    group = commands.group("config", "the configuration: check, look at, change, take back")
    group.add("check", run_check, "name every fault of the files at once; nothing is started", text="Needs no daemon.")
    parser = group.add("get", run_get, "show a file, a section or an option")
    parser.add_argument("file", help="relative to etc, such as servers/web1.ini")
    parser.add_argument("section", nargs="?")
    parser.add_argument("key", nargs="?")
    parser = group.add("set", run_set, "change an option; refused when the result would not load")
    for name in ("file", "section", "key", "value"):
        parser.add_argument(name)
    _message(parser)
    parser = group.add("diff", run_diff, "compare a draft folder with the configuration; exit code 1: they differ")
    _draft(parser)
    parser = group.add("apply", run_apply, "take over a draft folder; refused when the result would not load")
    _draft(parser)
    _message(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser = group.add("history", run_history, "former revisions")
    parser.add_argument("--limit", type=parse_count, metavar="NUMBER", default=20, help="how many (default: 20)")
    config_objects.register(group)
    config_drafts.register(group)
    parser = group.add("undo", run_undo, "take the last change back, or return to a revision")
    parser.add_argument("rev", nargs="?", type=int)


def _message(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-m", "--message", default="", help="why, for the history")


def _draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("draft", metavar="DIR", help="a folder laid out as etc, with the files that change")
    parser.add_argument("--delete", action="store_true", help="files that the folder lacks are to go")


@contextmanager
def open_store(args: argparse.Namespace) -> Iterator[Store]:
    """Yield the configuration of the daemon, with ``--etc`` that of a folder."""
    if args.etc:
        from .config_folder import Folder

        try:
            yield Folder(args.etc)
        except CommandError as error:  # as if a daemon had said it
            raise CliError(safe(error), BY_ERROR.get(error.code, USAGE)) from error
    else:
        with connect(args) as connection:
            yield Daemon(connection)


class Daemon:
    """The configuration of a running daemon."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, file: str, section: str | None, key: str | None) -> Any:
        request = {"file": file, "section": section, "key": key}
        reply = self._connection.call(
            "configGet", {name: value for name, value in request.items() if value is not None}
        )
        return reply.get("value", reply)

    def set(self, file: str, section: str, key: str, value: str, message: str) -> dict[str, Any]:
        return self._connection.call(
            "configSet", {"file": file, "section": section, "key": key, "value": value, "message": message}
        )

    def names(self) -> list[str]:
        kinds = {"outlets": "getPDUDict", "controllers": "getControllerDict"}
        kinds |= {"testers": "getTesterDict", "servers": "getServerDict"}
        found = [f"{folder}/{name}.ini" for folder, command in kinds.items() for name in self._connection.call(command)]
        return ["config.ini", *found]

    def diff(self, files: dict[str, str | None]) -> str:
        return str(self._connection.call("configDiff", {"files": files})["diff"])

    def apply(self, files: dict[str, str | None], message: str) -> dict[str, Any]:
        return self._connection.call("configApply", {"files": files, "message": message})

    def history(self, limit: int) -> list[dict[str, Any]]:
        revisions: list[dict[str, Any]] = self._connection.call("configHistory", {"limit": limit})["revisions"]
        return revisions

    def undo(self, rev: int | None) -> dict[str, Any]:
        return self._connection.call("configUndo", {} if rev is None else {"rev": rev})

    def rename(self, file: str, name: str, message: str) -> dict[str, Any]:
        return self._connection.call("configRename", {"file": file, "name": name, "message": message})

    def copy(self, file: str, name: str, message: str) -> dict[str, Any]:
        return self._connection.call("configCopy", {"file": file, "name": name, "message": message})


def run_check(args: argparse.Namespace) -> int:
    from ..config.paths import find_etc
    from ..networkTree.ServerNetworkFactory import check

    etc = find_etc(args.etc)
    if not etc.is_dir():
        raise CliError(f"{etc}: no such folder; name one with --etc")
    faults, warnings = check(etc)
    if args.output == "json":
        from .output import emit_json

        fields = ("file", "section", "key", "value", "problem", "remedy")
        emit_json(
            {
                "faults": [{**{name: getattr(one, name) for name in fields}, "text": str(one)} for one in faults],
                "warnings": warnings,
            }
        )
        return USAGE if faults else OK
    for warning in warnings:
        tell(f"warning: {safe(warning)}")
    for fault in faults:
        say(safe(fault))
    if faults:
        tell(f"ockle: {count(len(faults), 'fault')} in {etc}")
        return USAGE
    say(f"{etc}: no faults")
    return OK


def run_get(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        value = store.get(args.file, args.section, args.key)
    show(args, value, _ini_text(value), [args.file])
    return OK


def _ini_text(value: Any) -> str:
    """Return a value, a section or a file of sections as it would stand in an INI file."""
    if isinstance(value, list):
        return ", ".join(map(safe, value))
    if not isinstance(value, dict):
        return str(value).rstrip("\n")
    lines = []
    for name, inner in value.items():
        lines += (
            [f"[{safe(name)}]", _ini_text(inner)] if isinstance(inner, dict) else [f"{safe(name)} = {_ini_text(inner)}"]
        )
    return "\n".join(lines)


def run_set(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        reply = store.set(args.file, args.section, args.key, args.value, args.message)
    return changed(args, reply)


def changed(args: argparse.Namespace, reply: dict[str, Any]) -> int:
    """Tell what a change has led to; returns the exit code."""
    show(args, reply, f"revision {reply['rev']}" if reply.get("rev") is not None else "nothing to change")
    for warning in reply.get("warnings", ()):
        tell(f"warning: {safe(warning)}")
    if str(reply.get("reload", "")).startswith("later"):
        tell(f"written, but the daemon goes on with what it has: {safe(reply['reload'])}")
    if args.etc:
        tell("a daemon that uses this folder takes the change over at: ockle command reload")
    elif reply.get("reload", "done") != "done":
        tell(f"the files are written; taken over {safe(reply['reload'])}")
    return OK


def read_draft(store: Store, folder: Path, delete: bool) -> dict[str, str | None]:
    """Return the files of a draft. Raises CliError when there are none or one cannot be read."""
    if not folder.is_dir():
        raise CliError(f"{folder}: no such folder")
    found = sorted(path for path in folder.rglob("*.ini") if not any(part.startswith(".") for part in path.parts[1:]))
    if not found:
        raise CliError(f"{folder}: holds no INI files")
    files: dict[str, str | None] = {}
    for path in found:
        try:
            files[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CliError(f"{path}: {error}") from error
    if delete:
        files.update({name: None for name in store.names() if name not in files})
    return files


def _read(args: argparse.Namespace, store: Store) -> dict[str, str | None]:
    from pathlib import Path

    return read_draft(store, Path(args.draft), args.delete)


def run_diff(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        diff = store.diff(_read(args, store))
    show(args, {"diff": diff}, diff.rstrip("\n"))
    return FAILED if diff else OK


def run_apply(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        files = _read(args, store)
        diff = store.diff(files)
        if not diff:
            show(args, {"rev": None}, "nothing to change")
            return OK
        if not args.yes:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise CliError("this needs --yes when there is no terminal to ask on")
            tell(diff)
            sys.stderr.write("Apply? [y/N] ")
            sys.stderr.flush()
            if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
                raise CliError("nothing was changed", ABORTED)
        return changed(args, store.apply(files, args.message))


def run_history(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        revisions = store.history(args.limit)
    rows = [(one["rev"], moment(one["when"]), one["who"], " ".join(one["files"]), one["message"]) for one in revisions]
    text = table(("REV", "WHEN", "WHO", "FILES", "MESSAGE"), rows) or "no changes yet"
    show(args, revisions, text, [str(one["rev"]) for one in revisions])
    return OK


def run_undo(args: argparse.Namespace) -> int:
    with open_store(args) as store:
        return changed(args, store.undo(args.rev))
