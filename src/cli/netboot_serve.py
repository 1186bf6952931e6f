"""``ockle netboot serve``: the boot server as a process of its own."""

from __future__ import annotations

import argparse

from ..common.errors import ConfigError, OckleError
from .codes import FAILED, OK
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

    alone = args.by == "unit"
    with logging_to():
        try:
            serve(find_etc(args.etc), by=args.by, ready=say if alone else lambda _text: None)
        except OckleError as error:
            if alone or isinstance(error, ConfigError):
                raise
            return FAILED  # the daemon reads why in live.json, and tells it once
    return OK
