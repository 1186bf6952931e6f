"""The agent as a process: logging, signals, systemd."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..common import notify
from ..common.errors import OckleError
from ..common.logs import logging_to
from .agent import LONGEST_WAIT_S, Agent
from .gauges import Gauges
from .metrics_server import PATHS, MetricsServer
from .settings import AgentSettings, MetricsSettings, WatchSettings, read_settings
from .shutdown import problem_with

log = logging.getLogger(__name__)


class NotAllowed(OckleError):
    """The agent could not shut the machine down."""


def run(path: Path, ready: Callable[[str], None]) -> None:
    """Work until SIGTERM or SIGINT; ``ready`` is called with a line once it does.

    Raises ConfigError; NotAllowed before anything is done; LostTooLong when the plug is away for too long; NotServed
    when there is no plug, and the figures cannot be served either.
    """
    settings = read_settings(path)
    try:
        with logging_to(settings.log.level, settings.log.folder, keep=settings.log.keep):
            asyncio.run(_work(settings, ready))
    except OSError as error:
        raise OckleError(f"[log] folder = {settings.log.folder}: {error.strerror or error}") from error


async def _work(settings: AgentSettings, ready: Callable[[str], None]) -> None:
    watch, metrics = settings.watch, settings.metrics
    problem = "" if watch is None or watch.dry_run else await problem_with(watch.shutdown_command)
    if problem:
        raise NotAllowed(problem)
    stopped = asyncio.Event()
    server = None if metrics is None else MetricsServer(metrics, Gauges(metrics.disks).read)
    agent = None if watch is None else Agent(watch)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.stop if agent is not None else stopped.set)
    opening = None
    if server is not None and agent is not None:
        opening = asyncio.create_task(server.keep_open(), name="opening the port of the figures")
    elif server is not None:
        server.open()  # with nothing else to do it ends if it cannot
    notify.ready(f"looking for {watch.plug}" if watch is not None else "tells what this machine measures of itself")
    ready(_words(watch, metrics))
    try:
        await (agent.run() if agent is not None else _until(stopped))
    finally:
        notify.stopping()
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        if server is not None:
            server.close()
        log.info("the agent ends")


def _words(watch: WatchSettings | None, metrics: MetricsSettings | None) -> str:
    words = [] if watch is None else [f"the agent watches {watch.delay_switch} of {watch.plug}"]
    if metrics is not None:
        words.append(f"the figures of this machine are at http://{metrics.address or '*'}:{metrics.port}{PATHS[0]}")
    return "; ".join(words)


async def _until(stopped: asyncio.Event) -> None:
    """Wait for the end, and tell systemd meanwhile that this process lives."""
    while not stopped.is_set():
        notify.watchdog()
        with suppress(TimeoutError):
            async with asyncio.timeout((notify.watchdog_interval_s() or LONGEST_WAIT_S) / 2):
                await stopped.wait()
