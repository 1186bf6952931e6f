"""``ockle agent``: what runs on a machine: it tells its figures, and heeds its smart plug."""

from __future__ import annotations

import argparse

from .codes import DENIED, FAILED, OK, CliError
from .output import safe, say, show, table, tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from pathlib import Path


def register(commands: Commands) -> None:
    group = commands.group("agent", "on a machine: tell what it measures of itself, heed its smart plug")
    parser = group.add(
        "run",
        run_agent,
        "serve the figures and watch the plug, in the foreground",
        text="Answers GET /events with what this machine measures of itself. If it has a smart plug, shuts it down\n"
        "when the plug's delay switch goes off, and never because the connection was lost. Stops at SIGTERM. Its unit\n"
        "is ockle-agent.service.",
    )
    _config(parser)
    parser = group.add(
        "check",
        run_check,
        "look whether the agent could work",
        text="Reads the file, asks whether this machine may be shut down, asks the plug for its switches, and\n"
        "measures once. Nothing is switched.",
    )
    _config(parser)
    parser.add_argument("--offline", action="store_true", help="leave the plug out")
    parser = group.add(
        "migrate",
        run_migrate,
        "make agent.ini from RPiMP's config.json",
        text="Writes to standard output, or into a new file that only its owner can read: it holds the key.",
    )
    parser.add_argument("file", help="RPiMP's config.json")
    parser.add_argument("--to", metavar="FILE", help="a new file, such as /etc/ockle/agent.ini")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="its options (default: agent.ini in the configuration)")


def _path(args: argparse.Namespace) -> Path:
    from pathlib import Path

    from ..config.paths import find_etc

    return Path(args.config) if args.config else find_etc(args.etc) / "agent.ini"


def run_agent(args: argparse.Namespace) -> int:
    from ..agent.run import NotAllowed, run

    try:
        run(_path(args), say)
    except NotAllowed as error:
        raise CliError(str(error), DENIED) from error
    return OK


def run_check(args: argparse.Namespace) -> int:
    import asyncio
    from dataclasses import asdict

    from ..agent.check import check
    from ..agent.settings import read_settings

    settings = read_settings(_path(args))
    found = asyncio.run(check(settings, offline=args.offline))
    rows = [("ok" if one.good else "FAULT", one.what, safe(one.text)) for one in found]
    show(args, [asdict(one) for one in found], table(("", "what", "found"), rows))
    return OK if all(one.good for one in found) else FAILED


def run_migrate(args: argparse.Namespace) -> int:
    import os
    from pathlib import Path

    from ..agent.migrate import migrate
    from ..config.files import read_text

    text, notes = migrate(read_text(Path(args.file), args.file), args.file)
    if args.to:
        try:
            target = os.open(args.to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CliError(f"{args.to} is there already") from None
        except OSError as error:
            raise CliError(f"{args.to}: {error.strerror}", FAILED) from error
        with os.fdopen(target, "w", encoding="utf-8") as file:
            file.write(text)
        say(f"{args.to} is written; now: ockle agent check --config {args.to}")
    else:
        say(text.rstrip("\n"))
    for note in notes:
        tell(safe(note))
    return OK
