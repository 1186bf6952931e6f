"""``ockle command``: any command of the daemon by name; and ``completion`` for shells."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..webserver.ockle_client.connection import ClientError, ConnectionFailed
from .codes import OK, CliError
from .connect import connect
from .output import emit_json, safe, say
from .parser import Commands, build_parser

COMPLETION_TIMEOUT_S = 2.0
# what the shells call to complete names of servers, and what defines that; ours, so that shtab only places it
_CALLS = {"bash": "_ockle_names", "zsh": "_ockle_names", "fish": "(_ockle_names)"}
_NAMES = {
    "bash": '_ockle_names() { compgen -W "$(ockle _names 2>/dev/null)" -- "$1"; }',
    "zsh": '_ockle_names() { compadd -- ${(f)"$(ockle _names 2>/dev/null)"} }',
    "fish": "function _ockle_names; ockle _names 2>/dev/null; end",
    "tcsh": "",
}


def register(commands: Commands) -> None:
    parser = commands.add(
        "command",
        run_command,
        "send a command to the daemon and show its reply as JSON",
        text="A value that is JSON is sent as such, any other as text. listCommands shows what there is.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("values", nargs="*", metavar="KEY=VALUE")
    parser = commands.add("completion", run_completion, "write the completion script for a shell")
    parser.add_argument("shell", choices=tuple(_NAMES))
    commands.add("_names", run_names, "names of servers, for completion", hidden=True)


def run_command(args: argparse.Namespace) -> int:
    data: dict[str, Any] = {}
    for text in args.values:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise CliError(f"{safe(text)!r} is not KEY=VALUE")
        data[key] = _value(value)
    with connect(args) as connection:
        emit_json(connection.call(args.name, data))
    return OK


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def run_names(args: argparse.Namespace) -> int:
    try:
        with connect(args, COMPLETION_TIMEOUT_S) as connection:
            for name in connection.call("status")["servers"]:
                say(safe(name))
    except (ConnectionFailed, ClientError):
        return OK  # somebody pressed a key: an error message would only stand in the way
    return OK


def run_completion(args: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError as error:
        raise CliError(
            "completion needs shtab; install Ockle with its extra: pip install 'ockle[completion]'"
        ) from error
    parser = build_parser()
    _mark_servers(parser)
    say(shtab.complete(parser, shell=args.shell, preamble=_NAMES[args.shell]))
    return OK


def _mark_servers(parser: argparse.ArgumentParser) -> None:
    """Have every argument that takes servers completed by their names."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                _mark_servers(inner)
        elif action.dest in ("selector", "server"):
            action.complete = dict(_CALLS)  # type: ignore[attr-defined]
