"""``ockle backup``, ``ockle restore`` and ``ockle db copy``: the state and the configuration, out and in again."""

from __future__ import annotations

import argparse
import sys

from .codes import ABORTED, CliError
from .output import safe, show, table, tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ..store.folder import StateFolder


def register(commands: Commands) -> None:
    parser = commands.add(
        "backup",
        run_backup,
        "write configuration and state into one file",
        text="The daemon may run. The file holds the secrets of the configuration in clear, and is its owner's only.",
    )
    parser.add_argument("file", help="a new file, such as ockle.tar.gz")
    parser = commands.add(
        "restore",
        run_restore,
        "put configuration and state back from a backup",
        text="The daemon has to be stopped. What was there is kept. At its next start the daemon only watches, until\n"
        "a person says: ockle resume, or ockle auto on.",
    )
    parser.add_argument("file", help="written by ockle backup")
    parser.add_argument("--without-config", action="store_true", help="the state only")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    group = commands.group("db", "the database of the state")
    parser = group.add(
        "copy",
        run_copy,
        "copy a whole store into another, empty database",
        text="In one transaction, compared afterwards. No daemon may use either. URLs as in config.ini, for instance\n"
        "sqlite:////var/lib/ockle/state.db and postgresql+psycopg://ockle@db.example.org/ockle.",
    )
    parser.add_argument("source", metavar="FROM", help="URL")
    parser.add_argument("target", metavar="TO", help="URL")


def _store(args: argparse.Namespace, copy: Path | None = None) -> tuple[Path, StateFolder, str]:
    """Return the folder of the configuration, that of the state, and the URL of the store.

    ``copy``  a copy of the configuration that says it, as the folder itself is to be replaced
    """
    from pathlib import Path

    from ..config.paths import find_etc
    from ..config.site import load_site
    from ..store.folder import StateFolder

    etc = find_etc(args.etc)
    source = copy or etc
    main: dict[str, Any] = dict(load_site(source).main) if source.is_dir() else {"state_dir": "", "database": ""}
    state = str(main["state_dir"])
    if copy is not None and state and Path(state).is_relative_to(copy):  # relative to etc in the file
        state = str(etc / Path(state).relative_to(copy))
    folder = StateFolder(etc, state)
    return etc, folder, main["database"] or folder.database_url


def run_backup(args: argparse.Namespace) -> int:
    from pathlib import Path

    from .. import __version__
    from ..store.archive import write_backup

    etc, _folder, url = _store(args)
    if not etc.is_dir():
        raise CliError(f"{etc}: no such folder; name one with --etc")
    target = Path(args.file)
    parts = write_backup(target, etc, url, __version__)
    show(args, {"file": str(target), "parts": parts}, f"{safe(target)}: {' and '.join(parts)}", [str(target)])
    tell("it holds the secrets of the configuration: keep it as you keep those")
    return 0


def run_restore(args: argparse.Namespace) -> int:
    from pathlib import Path

    from ..networkTree.ServerNetworkFactory import check
    from ..store.archive import opened, restore_etc, restore_state
    from ..store.connect import sqlite_file

    with opened(Path(args.file)) as backup:
        with_config = backup.etc is not None and not args.without_config
        etc, folder, url = _store(args, backup.etc if with_config else None)
        if with_config and backup.etc is not None:
            faults, _warnings = check(backup.etc)
            if faults:
                lines = "\n".join(safe(fault) for fault in faults)
                raise CliError(
                    f"the configuration in {safe(args.file)} has faults; --without-config leaves it out\n{lines}"
                )
        folder.take(sqlite_file(url))
        try:
            _confirm(
                args, f"This puts back the state of {backup.when}" + (f" and {safe(etc)}." if with_config else ".")
            )
            kept = []
            if backup.state is not None:
                kept.append(restore_state(backup, url, folder.path))
            if with_config:
                kept.append(restore_etc(backup, etc))
        finally:
            folder.release()
    names = [str(path) for path in kept if path is not None]
    text = f"restored as of {backup.when}" + "".join(f"\nwhat was there: {safe(name)}" for name in names)
    show(args, {"time": backup.manifest["time"], "kept": names}, text, names)
    tell("the daemon will watch and switch nothing until: ockle resume")
    return 0


def _confirm(args: argparse.Namespace, text: str) -> None:
    if args.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CliError("this needs --yes when there is no terminal to ask on")
    tell(text)
    sys.stderr.write("Go on? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise CliError("nothing was changed", ABORTED)


def run_copy(args: argparse.Namespace) -> int:
    from ..store.connect import log_url, sqlite_file
    from ..store.folder import only_user
    from ..store.schema import LOG
    from ..store.transfer import copy_database, exists

    if not exists(args.source):
        raise CliError(f"{safe(args.source)}: there is no such file")
    files = [file for file in map(sqlite_file, (args.source, args.target)) if file is not None]
    with only_user(*files):
        rows = copy_database(args.source, args.target)
        source, target = log_url(args.source), log_url(args.target)
        if exists(source):
            rows |= {name: number for name, number in copy_database(source, target, LOG).items() if name != "meta"}
    show(args, {"rows": rows}, table(("TABLE", "ROWS"), sorted(rows.items())), rows)
    tell("each table arrived as it was; set database in config.ini, then start the daemon")
    return 0
