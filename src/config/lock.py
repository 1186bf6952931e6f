"""One change of a configuration folder at a time, in this process and all others."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..common.errors import CommandError, ConfigError

WAIT_S = 20.0
_RETRY_S = 0.02


@contextmanager
def exclusive(etc: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the folder while a change is checked and written; the kernel lets go of it if this process dies.

    Raises CommandError "conflict" when somebody else holds it for ``wait_s``, ConfigError without a folder.
    """
    try:
        handle = os.open(etc, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"the configuration folder cannot be read: {error.strerror or error}") from error
    try:
        _acquire(handle, time.monotonic() + wait_s)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                text = "the configuration is being changed by somebody else just now"
                raise CommandError(text, "conflict") from None
            time.sleep(_RETRY_S)  # flock has no limit of its own
