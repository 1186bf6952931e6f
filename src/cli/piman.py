"""``ockle piman``: piman's command lines with their arguments, for its scripts and for those who know them by heart."""

from __future__ import annotations

import argparse

from .codes import OK, CliError
from .output import tell
from .parser import Commands

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WORDS = {
    "server": "server",
    "monitoring": "monitoring [CONFIG]",
    "restart": "restart SWITCH INTERFACE PORT...",
    "reinstall": "reinstall SWITCH INTERFACE PORT",
    "mapper": "mapper SWITCH INTERFACE PORT... [--file FILE]",
    "config": "config NAME CONFIG HOSTSCSV",
}
FAILED = 1  # what piman ends with, whatever is wrong


def register(commands: Commands) -> None:
    parser = commands.add(
        "piman",
        run,
        "piman's own command lines: server, monitoring, restart, reinstall, mapper, config",
        text="; ".join(WORDS.values()) + ". SWITCH is its address, INTERFACE the group of its PoE ports. Reads "
        "piman.yaml, hosts.csv, monitoring.config, install/boot and reinstall.txt in the current folder. "
        "Ports are switched by the daemon where it runs and knows the switch, else directly.",
    )
    parser.add_argument("--config", metavar="FILE", default="piman.yaml", help="default: piman.yaml")
    parser.add_argument("--hosts", metavar="FILE", default="hosts.csv", help="default: hosts.csv")
    parser.add_argument("--file", metavar="FILE", default="", help="mapper: add MAC;PORT to this file, too")
    parser.add_argument("word", nargs="?", metavar="WORD", help=", ".join(WORDS))
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT")


def run(args: argparse.Namespace) -> int:
    # no word and a wrong word do nothing: piman itself took the power of port 10 away then
    found = {
        "server": (_server, 0, 0),
        "monitoring": (_monitoring, 0, 1),
        "restart": (_restart, 3, 1000),
        "reinstall": (_reinstall, 3, 3),
        "mapper": (_mapper, 3, 1000),
        "config": (_config, 3, 3),
    }.get(args.word or "")
    if found is None and args.word:
        raise CliError(f"piman has no {args.word!r} here; there are {', '.join(WORDS)}", FAILED)
    if found is None or not found[1] <= len(args.arguments) <= found[2]:
        tell("Insufficient amount of arguments")
        tell(f"ockle piman {WORDS.get(args.word or '', ' | '.join(WORDS))}")
        return FAILED
    work: Callable[[argparse.Namespace], int] = found[0]
    return work(args)


def _server(args: argparse.Namespace) -> int:
    from .piman_server import serve

    return serve(args.config, args.hosts)


def _monitoring(args: argparse.Namespace) -> int:
    from .piman_monitoring import CONFIG, monitor

    return monitor(args.arguments[0] if args.arguments else CONFIG, args.hosts)


def _restart(args: argparse.Namespace) -> int:
    from .piman_power import Switch

    switch = Switch(args, args.arguments[0], _number(args.arguments[1], "INTERFACE"))
    return max((switch.restart(port) for port in _ports(args.arguments[2:])), default=OK)


def _reinstall(args: argparse.Namespace) -> int:
    from .piman_power import Switch

    switch = Switch(args, args.arguments[0], _number(args.arguments[1], "INTERFACE"))
    return switch.reinstall(_number(args.arguments[2], "PORT"))


def _mapper(args: argparse.Namespace) -> int:
    from .piman_mapper import map_ports

    group = _number(args.arguments[1], "INTERFACE")
    return map_ports(args, args.arguments[0], group, _ports(args.arguments[2:]), args.file)


def _config(args: argparse.Namespace) -> int:
    from .piman_import import import_site

    return import_site(args, *args.arguments)


def _ports(words: Sequence[str]) -> list[int]:
    """Return the ports, each a word of its own: "10" is port 10."""
    return list(dict.fromkeys(_number(word, "PORT") for word in words))


def _number(word: str, name: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word[:10]) < 2**31 and len(word) < 11):
        raise CliError(f"{name} is {word!r}: a number from 1 is needed", FAILED)
    return int(word)
