"""``ockle piman server``: DHCP, TFTP, installation and NTP from piman's files, in the foreground."""

from __future__ import annotations

import signal
from pathlib import Path

from ..common.clock import SystemClock
from ..common.errors import OckleError
from ..common.logs import logging_to
from ..netboot.boot_server import BootServer
from ..netboot.piman import boot_config, marks_of, read_piman
from .codes import OK
from .output import say, tell

LOG_FOLDER = Path("logs")


def serve(config: str, hosts: str, **options: object) -> int:
    """Serve until SIGTERM or SIGINT; ``options`` of [plugins.NetBoot] besides what piman's files say.

    Raises ConfigError, OckleError.
    """
    piman = read_piman(Path(config))
    for key in piman.left_out:
        tell(f"{config}: {key} means nothing here")
    boot = boot_config(piman, Path.cwd(), hosts, **options)
    marks = marks_of(boot, SystemClock())
    told = ""

    def tick() -> None:
        nonlocal told
        try:
            marks.take()
        except OckleError as error:
            if str(error) != told:
                tell(str(error))
            told = str(error)

    server = BootServer(boot, by="unit", tick=tick)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.stop())
    with logging_to(folder=LOG_FOLDER):
        tick()  # what was wanted before it started holds for the first board that says hello
        server.run(lambda: say("; ".join(f"{name} {', '.join(at)}" for name, at in server.addresses.items())))
    return OK
