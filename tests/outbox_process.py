"""An Outbox in a process of its own, with one webhook: ``python outbox_process.py FILE URL COUNT``.

Puts COUNT messages, says so line by line, and goes on until it is ended.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from ockle.common.clock import SystemClock
from ockle.common.services import DaemonServices
from ockle.config.model import ObjectConfig, Site
from ockle.config.templates import check_settings, driver_template
from ockle.engine.alerts.outbox import Outbox
from outbox_rig import message


async def main(file: Path, url: str, count: int) -> None:
    raw = {"type": "Webhook", "url": url, "rate": "3600"}
    settings = check_settings(driver_template("channels", "Webhook"), "channel", raw)
    outbox = Outbox(file, SystemClock(), lambda _text: None)
    services = cast(
        "DaemonServices", SimpleNamespace(site=Site(file.parent), plugin_settings=lambda _name: {"site_name": "Lab"})
    )
    await outbox.take({"ops": ObjectConfig("ops", "Webhook", settings, "channels/ops.ini")}, services)
    for number in range(1, count + 1):
        outbox.put(message(number))
        print(number, flush=True)
        await asyncio.sleep(0)
    await outbox.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
