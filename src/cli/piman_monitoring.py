"""``ockle piman monitoring``: asks all Pis of hosts.csv in turn, in the foreground, and says what piman said."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..channels.ChannelTemplate import ChannelTemplate
from ..channels.make import channel_of
from ..common.alert_message import AlertMessage
from ..common.clock import SystemClock
from ..common.errors import ConfigError, OckleError
from ..common.problems import Severity
from ..config.model import ObjectConfig, PlainConfig
from ..config.monitors import Monitor, monitor_of
from ..config.piman_monitoring import PimanMonitoring, parse_monitoring
from ..config.templates import check_settings, driver_template, load_template
from ..engine.monitoring.asking import ask
from ..engine.monitoring.node_watch import Seen, answered, lost, over
from ..engine.monitoring.nodes import Node
from ..netboot.host_book import HostBook
from .codes import OK
from .output import safe, say, tell

CONFIG = "monitoring.config"
WORDS = {
    "cpu_percent": "CPU",
    "memory_percent": "Memory",
    "disk_percent": "Disk Usage",
    "num_pids": "Number of PID's",
    "temp": "Temperature",
}
LINES = {
    "time": "Time: {}",
    "cpu_percent": "CPU load: {}",
    "memory_percent": "RAM usage: {}",
    "disk_percent": "Disk usage: {}",
    "num_pids": "# of PIDs: {}",
    "temp": "Temperature: {} C",
}
"""piman wrote F; psutil measures in Celsius, and so did piman."""


def read_monitoring(path: Path) -> PimanMonitoring:
    """Raises ConfigError."""
    try:
        return parse_monitoring(path.read_text("utf-8", "replace"), path.name)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error


def monitor(config: str, hosts: str) -> int:
    """Work until SIGTERM or SIGINT. Raises ConfigError."""
    piman = read_monitoring(Path(config))
    for key in piman.left_out:
        tell(f"{config}: {safe(key)} means nothing here")
    if not Path(hosts).is_file():
        raise ConfigError(f"{hosts} is missing: write a line MAC;IP;name;0 for each Pi, or begin where it is")
    book = HostBook(Path(hosts))
    if not any(host.ip for host in book.all()):
        raise ConfigError(f"{hosts}: {book.problem or 'no host in it has an address'}")
    asyncio.run(_Rounds(piman, book).run())
    return OK


class _Rounds:
    """What is known of each address, from round to round."""

    def __init__(self, piman: PimanMonitoring, book: HostBook) -> None:
        options = check_settings(load_template("monitors.ini"), "monitor", piman.monitor())
        self._monitor: Monitor = monitor_of(PlainConfig("piman", options, CONFIG))
        self._channels = [_channel(name, url) for name, url in piman.webhooks.items()]
        self._round_s, self._book, self._clock = piman.round_s, book, SystemClock()
        self._seen: dict[str, Seen] = {}

    async def run(self) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        work = asyncio.create_task(self._work())
        ended = asyncio.create_task(stopped.wait())
        await asyncio.wait((work, ended), return_when=asyncio.FIRST_COMPLETED)
        for task in (work, ended):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work  # what it raised, unless it was asked to stop

    async def _work(self) -> None:
        while True:
            self._book.reload()
            addresses = [str(host.ip) for host in self._book.all() if host.ip is not None]
            await asyncio.gather(*map(self._look, addresses))
            await asyncio.sleep(self._round_s)

    async def _look(self, address: str) -> None:
        node = Node(address, "", self._monitor, self._monitor.url_of(address))
        before, clock = self._seen.get(address, Seen()), self._clock
        try:
            found = await ask(node)
        except OckleError as error:
            after = lost(node, before, str(error), clock.now())
        else:
            after = answered(node, before, found, clock.now(), clock.wall())
            _print(f"---- From {address} ----", *(_line(key, found) for key in LINES if key in found))
        self._seen[address] = after
        was, now = dict(_wrong(node, before)), dict(_wrong(node, after))
        for key, text in now.items():
            if not key or after.lost_since is None:  # what a silent Pi said before is no news
                _print(text)
        for key in now.keys() - was.keys():
            await self._send("problem", now[key], after.problem)
        for key in was.keys() - now.keys():
            _print(f"No more: {was[key]}")
            await self._send("recovery", f"No more: {was[key]}", "")

    async def _send(self, kind: str, text: str, why: str) -> None:
        severity = Severity.WARNING if kind == "problem" else Severity.INFO
        lines = (why,) if why else ()
        message = AlertMessage(uuid.uuid4().hex, kind, severity, text, lines, self._clock.wall(), site="piman")
        for channel in self._channels:
            try:
                await channel.send(message)
            except OckleError as error:
                _print(f"Unable to send alert - {channel.name}: {error}")


def _channel(name: str, url: str) -> ChannelTemplate:
    kind = name.capitalize()
    settings = check_settings(driver_template("channels", kind), "channel", {"type": kind, "url": url})
    return channel_of(ObjectConfig(name, kind, settings, CONFIG))


def _wrong(node: Node, seen: Seen) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a Pi, in piman's words, each with a name for it."""
    if seen.lost_since is not None:
        silent = "no answer within" in seen.problem
        yield "", f"{'Timeout' if silent else 'Exception'} when trying to reach pi@{node.name}"
    for limit, _known in over(node, seen):  # also of one that is silent: nobody has said that they are over
        yield limit.key, f"{WORDS[limit.key]} beyond threshold on pi@{node.name}"


def _line(key: str, found: dict[str, object]) -> str:
    return f" {LINES[key].format(str(found[key])[:80])}"


def _print(text: str, *more: str) -> None:
    say("\n".join([f"{time.ctime()} - {safe(text)}", *map(safe, more)]))
