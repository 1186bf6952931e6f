"""``ockle netboot adopt`` and ``ockle netboot hosts``: which boards the boot server knows, hosts.csv."""

from __future__ import annotations

import argparse
import sys

from .codes import ABORTED, OK, USAGE, CliError
from .connect import connect
from .netboot_ask import ask, ask_about_hosts
from .output import count, moment, safe, say, show, table, tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

    from ..webserver.ockle_client.connection import Connection

IP_HELP = "ADDRESS; next: the next free one; none: one of the pool"


def register(commands: Commands) -> None:
    parser = commands.add(
        "adopt",
        run_adopt,
        "make a board that asks, and is not known, a host",
        text="Without --ip it is asked for on a terminal, with the next free address as the proposal.",
    )
    _host_arguments(parser)
    group = commands.group("hosts", "the boards that are known: hosts.csv")
    group.add("list", run_list, "the hosts")
    parser = group.add("add", run_add, "add a host")
    _host_arguments(parser)
    parser = group.add("remove", run_remove, "take a host out: it gets no address when it asks again")
    parser.add_argument("which", metavar="HOST", help="its name, MAC address or address")
    parser = group.add(
        "import",
        run_import,
        "add hosts from a file, and change those that are there",
        text="MAC address; address; name; last used, one host a line. Commas, tabs, a line of titles and missing\n"
        "fields are understood. What would change is shown first.",
    )
    parser.add_argument("file", metavar="FILE", help="- reads from stdin")
    parser.add_argument("--replace", action="store_true", help="hosts that are not in the file are to go")
    parser.add_argument("--dry-run", action="store_true", help="only show what would change")
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser = group.add("export", run_export, "write hosts.csv as it is")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: stdout")
    group.add("edit", run_edit, "change hosts.csv in an editor ($VISUAL, $EDITOR); it is checked before it is stored")
    parser = group.add("check", run_check, "name every wrong line; exit code 2 when there is one")
    parser.add_argument("file", metavar="FILE", nargs="?", help="default: the hosts of the daemon")


def _host_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("mac", metavar="MAC", help="as B8:27:EB:01:02:03")
    parser.add_argument("name", metavar="NAME", help="letters, digits, - . _")
    parser.add_argument("--ip", metavar="ADDRESS", help=IP_HELP)


def run_adopt(args: argparse.Namespace) -> int:
    return _add(args, "netbootAdopt")


def run_add(args: argparse.Namespace) -> int:
    return _add(args, "netbootAddHost")


def _add(args: argparse.Namespace, command: str) -> int:
    with connect(args) as connection:
        ip = _address(connection, args.ip)
        host = ask(connection, command, {"mac": args.mac, "name": args.name, "ip": ip})["host"]
    text = f"{safe(host['name'])} is {host['mac']} at {host['ip'] or 'an address of the pool'}"
    show(args, host, text, [host["name"]])
    return OK


def _address(connection: Connection, wanted: str | None) -> str:
    """Return the address that the user means, "" = one of the pool."""
    if wanted == "none":
        return ""
    if wanted not in (None, "next"):
        return str(wanted)
    proposal = str(ask(connection, "netbootHosts")["proposal"])
    if wanted == "next":
        if not proposal:
            raise CliError("there is no free address to propose: give one with --ip ADDRESS")
        return proposal
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        hint = f"{proposal} is the next free one" if proposal else "none can be proposed"
        raise CliError(f"which address? Give --ip ADDRESS, next or none; {hint}")
    sys.stderr.write(f"Address [{proposal}], or none for one of the pool: " if proposal else "Address [none]: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip() or proposal
    return "" if answer == "none" else answer


def run_list(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        found = ask(connection, "netbootHosts")
    hosts = [line for line in found["lines"] if line["kind"] == "host"]
    rows = [(one["name"], one["mac"], one["ip"], moment(one["last_used"] or None)) for one in hosts]
    text = table(("HOST", "MAC", "ADDRESS", "LAST USED"), rows) or "no hosts"
    show(args, found, text, [one["name"] or one["mac"] for one in hosts])
    _tell_problems(found)
    return OK


def run_remove(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        host = ask(connection, "netbootRemoveHost", {"host": args.which})["host"]
    show(args, host, f"{safe(host['name'] or host['mac'])} is no host any more", [host["name"]])
    return OK


def run_import(args: argparse.Namespace) -> int:
    text = _read(args.file)
    with connect(args) as connection:
        found = ask_about_hosts(
            connection, "netbootCheckHosts", {"text": text, "loose": True, "merge": not args.replace}
        )
        if found["problems"]:
            _tell_problems(found)
            return USAGE
        if args.dry_run or not _changes(found):
            show(args, found, _changes(found) or "the hosts are the same")
            return OK
        _agree(args, found)
        reply = ask_about_hosts(connection, "netbootSetHosts", {"text": found["text"], "rev": found["rev"]})
    show(args, reply, _changes(reply), reply["new"])
    return OK


def _agree(args: argparse.Namespace, found: dict[str, Any]) -> None:
    if args.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()) or args.file == "-":
        raise CliError("this needs --yes when there is no terminal to ask on")
    tell(_changes(found))
    sys.stderr.write("Store these hosts? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise CliError("nothing was stored", ABORTED)


def _changes(found: dict[str, Any]) -> str:
    """Return what an import does, a line for each host that it concerns; "" = nothing."""
    names = {line["mac"]: f"{safe(line['name'])} {line['ip']}".strip() for line in found["lines"] if line["mac"]}
    lines = [
        f"{word:7}  {mac}  {names.get(mac, '')}".rstrip() for word in ("new", "changed", "gone") for mac in found[word]
    ]
    return "\n".join(lines)


def run_export(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        text = ask(connection, "netbootHosts")["text"]
    if args.file == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return OK
    try:
        with open(args.file, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would cost start-up time
            file.write(text)
    except OSError as error:
        raise CliError(f"{args.file}: cannot be written: {error.strerror}") from error
    return OK


def run_edit(args: argparse.Namespace) -> int:
    from .netboot_edit import edited  # only here, and not free

    with connect(args) as connection:
        found = ask(connection, "netbootHosts")
        reply = edited(connection, found)
    if reply is None:
        say("nothing was changed")
        return OK
    show(args, reply, _changes(reply) or "stored", reply["new"])
    return OK


def run_check(args: argparse.Namespace) -> int:
    with connect(args) as connection:
        if args.file:
            found = ask_about_hosts(connection, "netbootCheckHosts", {"text": _read(args.file)})
        else:
            found = ask(connection, "netbootHosts")
    hosts = sum(line["kind"] == "host" for line in found["lines"])
    show(args, found["problems"], "" if found["problems"] else f"{count(hosts, 'host')}, no faults")
    _tell_problems(found)
    return USAGE if found["problems"] else OK


def _tell_problems(found: dict[str, Any]) -> None:
    for one in found["problems"]:
        tell(f"line {one['line']}: {safe(one['text'])}")


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file, encoding="utf-8-sig") as opened:  # noqa: PTH123 - pathlib would cost start-up time
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{file}: cannot be read: {getattr(error, 'strerror', '') or 'it is no text'}") from error
