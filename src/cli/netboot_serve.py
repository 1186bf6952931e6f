"""``ockle netboot serve``: the boot server as a process of its own."""

from __future__ import annotations

import argparse

from .codes import OK
from .output import say
from .parser import Commands


def register(commands: Commands) -> None:
    parser = commands.add(
        "serve",
        run_serve,
        "run the boot server in the foreground",
        text="Reads [plugins.NetBoot] of config.ini, hosts.csv and etc/boot. Stops at SIGTERM, reads its files anew at "
        "SIGHUP. The daemon's plugin NetBoot starts it itself, unless it says serve = no.",
    )
    parser.add_argument("--by", choices=("unit", "process"), default="unit", help=argparse.SUPPRESS)


def run_serve(args: argparse.Namespace) -> int:
    from ..common.logs import logging_to
    from ..config.paths import find_etc
    from ..netboot.serve import serve

    with logging_to():
        serve(find_etc(args.etc), by=args.by, ready=say if args.by == "unit" else lambda _text: None)
    return OK
