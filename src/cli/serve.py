"""``ockle daemon``, ``ockle web`` and ``ockle demo``."""

from __future__ import annotations

import argparse
import os

from .codes import OK, CliError
from .connect import given_token
from .output import say
from .parser import Commands


def register(commands: Commands) -> None:
    commands.add(
        "daemon",
        run_daemon,
        "run the daemon in the foreground",
        text="Stops at SIGTERM, reads its files anew at SIGHUP.",
    )
    parser = commands.add(
        "web",
        run_web,
        "run the web GUI in the foreground",
        text="A process of its own that asks the daemon. Its options stand in [web] of config.ini.",
    )
    parser.add_argument("--bind", metavar="HOST", help="the address to listen on, in place of [web] host")
    parser.add_argument("--port", type=_port, help="the TCP port, in place of [web] port; 0: any free one")
    parser = commands.add("demo", run_demo, "a virtual network comes up in order: lab, daemon and GUI together")
    parser.add_argument("--exit-when-up", action="store_true", help="show the timeline once all is on, and end")
    parser.add_argument(
        "--exit-when-down", action="store_true", help="then shut all down and prove that no disk was cut"
    )
    parser.add_argument(
        "--speed", type=_factor, default=1.0, metavar="FACTOR", help="times of the lab (0.1: ten times faster)"
    )
    parser.add_argument(
        "--netboot", action="store_true", help="with a boot server: the Raspberry Pis have no system of their own"
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the daemon (default: 8088 if it is free)")
    parser.add_argument("--gui-port", type=_port, default=0, help="port of the web GUI (default: 8080 if it is free)")


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


def run_web(args: argparse.Namespace) -> int:
    import logging

    try:
        from ..webserver.serve import serve
        from ..webserver.settings import read_settings
    except ImportError as error:
        raise CliError(f"the web GUI needs {error.name}: pip install 'ockle[web]'") from error
    from ..config.paths import find_etc

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    instead = {
        "host": args.bind,
        "port": args.port,
        "daemon": args.host or os.environ.get("OCKLE_HOST"),
        "daemon_ca": args.ca_file,
        "token": given_token(args) or None,
    }
    settings = read_settings(find_etc(args.etc), **{key: value for key, value in instead.items() if value is not None})
    serve(settings, lambda url: say(f"the GUI is at {url}"))
    return OK


def run_demo(args: argparse.Namespace) -> int:
    from .demo import demo

    return demo(args)
