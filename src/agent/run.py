"""The agent as a process: logging, signals, systemd."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from ..common import notify
from ..common.errors import OckleError
from ..common.logs import logging_to
from .agent import Agent
from .settings import AgentSettings, read_settings
from .shutdown import problem_with

log = logging.getLogger(__name__)


class NotAllowed(OckleError):
    """The agent could not shut the machine down."""


def run(path: Path, ready: Callable[[str], None]) -> None:
    """Work until SIGTERM or SIGINT; ``ready`` is called with a line once it does.

    Raises ConfigError; NotAllowed before anything is done; LostTooLong when the plug is away for too long.
    """
    settings = read_settings(path)
    try:
        with logging_to(settings.log_level, settings.log_folder, keep=settings.log_keep):
            asyncio.run(_work(settings, ready))
    except OSError as error:
        raise OckleError(f"[log] folder = {settings.log_folder}: {error.strerror or error}") from error


async def _work(settings: AgentSettings, ready: Callable[[str], None]) -> None:
    problem = "" if settings.dry_run else await problem_with(settings.shutdown_command)
    if problem:
        raise NotAllowed(problem)
    agent = Agent(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.stop)
    notify.ready(f"looking for {settings.plug}")
    ready(f"the agent watches {settings.delay_switch} of {settings.plug}")
    try:
        await agent.run()
    finally:
        notify.stopping()
        log.info("the agent ends")
