"""A daemon in the process of the test: its folder, its life, and questions to it past the socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ockle.common.CommunicationHandler import Caller
from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon

T = TypeVar("T")
PATIENCE_S = 20.0


def written(etc: Path, files: Mapping[str, str]) -> Path:
    """Write ``files`` (path below ``etc`` -> text) and return ``etc``."""
    for name, text in files.items():
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return etc


@contextmanager
def running(etc: Path) -> Iterator[MainDaemon]:
    daemon = MainDaemon(etc)
    daemon.start()
    try:
        yield daemon
    finally:
        daemon.close()


def ask(daemon: MainDaemon, command: str, caller: Caller | None = None, **data: Any) -> dict[str, Any]:
    """Return what a command answers; a refusal fails the test."""
    reply = daemon.communicationHandler.handleMessage(Message(command, data), caller)
    assert reply.error is None, reply.error
    return reply.data


def until(look: Callable[[], T]) -> T:
    """Return the first thing that ``look`` returns and that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
