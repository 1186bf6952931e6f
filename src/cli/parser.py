"""The argparse tree, built from the modules of the commands that a command line can mean.

Building all of it doubles what ``ockle status`` costs, so a module is imported when one of its commands is among the
words; for help, completion and error messages the tree is whole.
"""

from __future__ import annotations

import argparse
import os

from .. import __version__
from .codes import MEANINGS

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

GROUPS = {
    "serve": ("daemon", "web", "demo"),
    "status": ("status",),
    "switch": ("on", "off", "restart", "plan"),
    "graph": ("tree", "why"),
    "servers": ("test", "hold", "reset", "wait"),
    "force": ("force",),
    "emergency": ("emergency",),
    "runs": ("runs", "cancel"),
    "schedule": ("schedule",),
    "ups": ("ups",),
    "nodes": ("nodes",),
    "alert": ("alert",),
    "events": ("events", "who"),
    "history": ("history", "note"),
    "parts": ("outlet", "control", "auto", "resume"),
    "config": ("config",),
    "users": ("user",),
    "tokens": ("token",),
    "audit": ("audit",),
    "netboot": ("netboot",),
    "agent": ("agent",),
    "piman": ("piman",),
    "doctor": ("doctor",),
    "backup": ("backup", "restore", "db"),
    "raw": ("command", "completion", "_names"),
}
"""Module -> the commands that it registers."""

# argparse asks gettext for a translation of each of its texts; Python ships none, but looking imports locale and
# searches the disk, which is a fifth of the start
argparse._ = str  # type: ignore[attr-defined]

SELECTOR_HELP = "names, ranges web[1-4], @tag, state:failed, all"


class UsageError(Exception):
    """The command line cannot be understood; ``parser`` is the one that says so."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self.parser = parser


class Formatter(argparse.RawDescriptionHelpFormatter):
    """argparse makes one for every argument added; without a width each would import shutil to ask for it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_width())

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap paragraphs; one with indented lines is a list, whose lines stay."""
        from textwrap import fill  # only for help, as argparse has it

        lines: list[str] = []
        for paragraph in text.split("\n\n"):
            rows = paragraph.splitlines()
            if not any(row.startswith(" ") for row in rows):
                rows = [" ".join(rows)]
            lines += [fill(row, width, subsequent_indent=" " * 5 * row.startswith(" ")) for row in rows]
            lines.append("")
        return "\n".join(lines)


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, and takes no abbreviated options: a slip must not mean something."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, "allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        raise UsageError(self, message.replace(", '_names'", ""))  # hidden commands stay hidden


class Commands:
    """Takes commands from the modules."""

    def __init__(self, subparsers: Any) -> None:
        self._subparsers = subparsers

    def add(
        self,
        name: str,
        run: Callable[[argparse.Namespace], int] | None,
        about: str,
        *,
        text: str = "",
        hidden: bool = False,
    ) -> Parser:
        """Add a command with the options that all have. ``about``: a line for the list; ``text``: more for its page."""
        prog = f"{self._subparsers._prog_prefix} {name}"  # given by us, see build_parser
        options: dict[str, Any] = {} if hidden else {"help": about}
        parser: Parser = self._subparsers.add_parser(
            name, prog=prog, description=f"{about}\n\n{text}" if text else about, **options
        )
        add_common(parser)
        if run is not None:
            parser.set_defaults(run=run)
        return parser

    def group(self, name: str, about: str) -> Commands:
        """Add a command that has commands of its own."""
        parser = self.add(name, None, about)
        return Commands(parser.add_subparsers(metavar="COMMAND", required=True, prog=parser.prog))


def add_common(parser: argparse.ArgumentParser, top: bool = False) -> None:
    """Add the options that may stand before and after the command; the inner ones have no default to override with."""
    missing: Any = None if top else argparse.SUPPRESS
    common = parser.add_argument_group("options of all commands")
    common.add_argument(
        "--host", metavar="ADDRESS", default=missing, help="daemon: HOST[:PORT], unix:PATH or tls:HOST[:PORT]"
    )
    common.add_argument("--token-file", metavar="FILE", default=missing, help="file with the token for the daemon")
    common.add_argument("--ca-file", metavar="FILE", default=missing, help="certificate to trust for tls: addresses")
    common.add_argument("--etc", metavar="DIR", default=missing, help="folder of the configuration")
    common.add_argument(
        "-o",
        "--output",
        choices=("table", "wide", "json", "name"),
        default="table" if top else missing,
        help="how to answer (default: table)",
    )


def build_parser(words: Iterable[str] | None = None) -> Parser:
    """Return the parser for a command line with these words; without words, or when none is a command, the whole."""
    given = set(words or ())
    modules = [module for module, names in GROUPS.items() if given.intersection(names)]
    if not modules or given & {"-h", "--help"}:
        modules = list(GROUPS)
    parser = Parser(
        prog="ockle",
        description="Powers networks of servers up and down in the order of their dependencies, verified.",
        epilog=_epilog(),
    )
    parser.add_argument("--version", action="version", version=f"ockle {__version__}")
    add_common(parser, top=True)
    # with prog given argparse need not format a usage line to find it out
    commands = Commands(parser.add_subparsers(metavar="COMMAND", required=True, prog="ockle", parser_class=Parser))
    for module in modules:
        # __import__, because importlib is a module to import itself
        __import__(f"{__package__}.{module}", fromlist=["register"]).register(commands)
    return parser


def _epilog() -> str:
    codes = "\n".join(f"  {code}  {meaning}" for code, meaning in MEANINGS.items())
    return (
        f"SEL is any number of: {SELECTOR_HELP}.\n"
        "Without a terminal there is no colour, no progress bar and no question (--yes answers).\n\n"
        f"exit codes:\n{codes}\n\n"
        "environment: OCKLE_HOST (address of the daemon), OCKLE_TOKEN, OCKLE_ETC, NO_COLOR"
    )


def _width() -> int:
    try:
        columns = int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (OSError, ValueError):
        return 98
    return max(min(columns, 120) - 2, 40)
