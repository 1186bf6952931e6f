"""``ockle daemon`` and ``ockle demo``."""

from __future__ import annotations

import argparse

from .parser import Commands


def register(commands: Commands) -> None:
    commands.add(
        "daemon",
        run_daemon,
        "run the daemon in the foreground",
        text="Stops at SIGTERM, reads its files anew at SIGHUP.",
    )
    parser = commands.add("demo", run_demo, "a virtual network comes up in order: lab and daemon together")
    parser.add_argument("--exit-when-up", action="store_true", help="show the timeline once all is on, and end")
    parser.add_argument(
        "--exit-when-down", action="store_true", help="then shut all down and prove that no disk was cut"
    )
    parser.add_argument(
        "--speed", type=_factor, default=1.0, metavar="FACTOR", help="times of the lab (0.1: ten times faster)"
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the daemon (default: 8088 if it is free)")


def _factor(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 100:
        raise argparse.ArgumentTypeError("a number from 0.01 to 100")
    return value


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError("a number from 0 to 65535")
    return int(text)


def run_daemon(args: argparse.Namespace) -> int:
    from ..config.paths import find_etc
    from ..MainDaemon import run_daemon as serve

    return serve(find_etc(args.etc))


def run_demo(args: argparse.Namespace) -> int:
    from .demo import demo

    return demo(args)
