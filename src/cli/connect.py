"""From the options and the environment to a connection, and from what users type for servers to their names."""

from __future__ import annotations

import argparse
import os
import re

from ..webserver.ockle_client.address import parse_address
from ..webserver.ockle_client.connection import DEFAULT_PORT, Connection
from .codes import USAGE, CliError
from .output import check_reader, safe

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

QUIET_S = 30
"""A daemon that has said nothing for so long is asked whether it is still there."""
_DURATION = r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?"


def connect(args: argparse.Namespace, timeout: float = 30.0) -> Connection:
    """Return a connection to the daemon that the options name; it connects at its first call."""
    try:
        where = parse_address(args.host or os.environ.get("OCKLE_HOST") or f"127.0.0.1:{DEFAULT_PORT}")
    except ValueError as error:
        raise CliError(safe(str(error))) from None
    if where.get("tls") and args.ca_file:
        where["tls"] = args.ca_file
    return Connection(**where, token=given_token(args), timeout=timeout, via="cli", user=_user())


def given_token(args: argparse.Namespace) -> str:
    """Return the token of the options or the environment, "" without one. Raises CliError."""
    token = os.environ.get("OCKLE_TOKEN", "")
    if args.token_file:
        try:
            with open(args.token_file, encoding="utf-8") as file:  # noqa: PTH123 - pathlib would cost start-up time
                token = file.read(4096).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CliError(f"{args.token_file}: cannot read the token: {_problem(error)}") from error
    return token


def _problem(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without an entry, as in containers
        return f"uid {os.getuid()}"


def resolve(connection: Connection, selectors: Sequence[str]) -> list[str]:
    """Return the names of the servers meant; raises CliError for an unknown name and when there are none."""
    reply = connection.call("select", {"selector": list(selectors)})
    if reply["unknown"]:
        unknown = ", ".join(map(safe, reply["unknown"]))
        raise CliError(f"no such server: {unknown} (ockle status shows them all)")
    if not reply["servers"]:
        raise CliError(f"no server matches {' '.join(safe(text) or repr(text) for text in selectors)}", USAGE)
    return list(reply["servers"])


def incoming(connection: Connection) -> Iterator[dict[str, Any]]:
    """Yield events for ever. Raises ConnectionFailed when the daemon has gone, BrokenPipeError when the reader has."""
    quiet = 0
    while True:
        event = connection.next_event(1.0)
        if event is not None:
            quiet = 0
            yield event
            continue
        check_reader()
        quiet += 1
        if quiet == QUIET_S:
            quiet = 0
            connection.call("ping")


def parse_count(text: str) -> int:
    """Return a whole number of at least 1. For argparse: raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def parse_span(text: str) -> float:
    """Return seconds as ``parse_duration`` does, but of a time that is one. Raises ArgumentTypeError."""
    seconds = parse_duration(text)
    if not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no time at all; write 90s, 10m or 1h30m")
    return seconds


def parse_duration(text: str) -> float:
    """Return seconds from ``90``, ``90s``, ``10m``, ``1h30m``. For argparse: raises ArgumentTypeError."""
    match = re.fullmatch(_DURATION, text)
    if not text or match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 10m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
