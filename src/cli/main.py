"""``main``: from the words of the command line to the command, and from whatever goes wrong to an exit code."""

from __future__ import annotations

import os
import sys

from ..common.errors import ConfigError, OckleError
from ..webserver.ockle_client.connection import ClientError, ConnectionFailed, ReplyTimeout
from .codes import ABORTED, BY_ERROR, DENIED, FAILED, OK, TIMEOUT, UNREACHABLE, USAGE, CliError
from .output import safe, tell
from .parser import UsageError, build_parser

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HINTS = {
    "denied": "\nGive a token with --token-file or OCKLE_TOKEN",
    "unknown_command": "\nIs the plugin that has it in the list [plugins] plugins of config.ini?",
}
"""What to try after an error of the daemon, by its code."""


def main(argv: Sequence[str] | None = None, start: Callable[[], object] = bool) -> int:
    """Run the command line (default: the process's) and return the exit code.

    ``start``  called when it has been understood, before the command does anything
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(words, start)
        sys.stdout.flush()
        return code
    except CliError as error:
        return _say(str(error), error.code)
    except ReplyTimeout as error:
        return _say(str(error), TIMEOUT)
    except ConnectionFailed as error:
        return _say(f"{error}\nIs it running? Start it with: ockle daemon", UNREACHABLE)
    except ClientError as error:
        return _say(f"{safe(error.message)}{HINTS.get(error.code, '')}", BY_ERROR.get(error.code, USAGE))
    except ConfigError as error:
        return _say("\n".join(map(safe, error.faults)), USAGE)
    except OckleError as error:
        return _say(safe(error), FAILED)
    except KeyboardInterrupt:
        return _say("interrupted", ABORTED)
    except BrokenPipeError:  # `ockle events | head`: nobody reads any more; keep the interpreter's last flush quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except PermissionError as error:
        return _say(f"{error.filename}: {error.strerror}", DENIED)


def _run(words: list[str], start: Callable[[], object]) -> int:
    parser = build_parser(words)
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    try:
        try:
            args = parser.parse_args(words)
        except UsageError:  # say it with all commands in the list
            args = build_parser().parse_args(words)
    except UsageError as error:
        return _say(f"{safe(error)}\nTry: {error.parser.prog} --help", USAGE)
    except SystemExit as done:  # --help, --version
        return int(done.code or OK)
    start()
    code: int = args.run(args)
    return code


def _say(text: str, code: int) -> int:
    for number, line in enumerate(text.splitlines()):
        tell(line if number else f"ockle: {line}")
    return code
