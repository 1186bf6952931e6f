"""``ockle config rename``, ``copy`` and ``test``: what is done with one object of the configuration as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .codes import FAILED, OK, CliError
from .connect import connect
from .output import safe, show

if TYPE_CHECKING:
    import argparse

    from .parser import Commands

TEST_TIMEOUT_S = 30.0


def register(group: Commands) -> None:
    parser = group.add("rename", run_rename, "give an object another name, here and wherever it is named")
    _object(parser, "the new name")
    parser = group.add("copy", run_copy, "make an object like another one")
    _object(parser, "of the copy")
    parser = group.add("test", run_test, "read once from a PDU, a controller or a tester; exit code 1: no answer")
    parser.add_argument("file", help="relative to etc, such as outlets/pdu-a.ini")
    parser.add_argument("--server", help="whose outlet, control or test is read (default: the first that uses it)")
    parser.add_argument(
        "--param", action="append", default=[], metavar="OPTION=VALUE", help="the outlet, or the system"
    )


def _object(parser: argparse.ArgumentParser, name_help: str) -> None:
    parser.add_argument("file", help="relative to etc, such as servers/web1.ini")
    parser.add_argument("name", help=name_help)
    parser.add_argument("-m", "--message", default="", help="why, for the history")


def run_rename(args: argparse.Namespace) -> int:
    from .config import changed, open_store

    with open_store(args) as store:
        return changed(args, store.rename(args.file, args.name, args.message))


def run_copy(args: argparse.Namespace) -> int:
    from .config import changed, open_store

    with open_store(args) as store:
        return changed(args, store.copy(args.file, args.name, args.message))


def run_test(args: argparse.Namespace) -> int:
    if args.etc:
        raise CliError("config test asks a running daemon, which talks to the device; leave --etc out")
    kind, _, name = args.file.removesuffix(".ini").rpartition("/")
    request: dict[str, Any] = {"kind": kind, "name": name, "stored": True}
    if args.server:
        request["server"] = args.server
    if args.param:
        wrong = [one for one in args.param if "=" not in one]
        if wrong:
            raise CliError(f"--param {wrong[0]}: write OPTION=VALUE")
        request["params"] = dict(one.split("=", 1) for one in args.param)
    with connect(args) as connection:
        reply = connection.call("testConnection", request, TEST_TIMEOUT_S)
    measured = [f"{key} = {safe(value)}" for key, value in sorted(reply["data"].items())]
    show(args, reply, "\n".join([safe(reply["text"]), *measured, *map(safe, reply["about"])]))
    return OK if reply["ok"] else FAILED
