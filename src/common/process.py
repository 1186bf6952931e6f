"""Runs other programs: no shell, a small environment, bounded in time and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from .errors import DeviceAnswerError, DeviceRefused, DeviceUnreachable

MAX_OUTPUT = 64 * 1024
"""Bytes of each of stdout and stderr; a program that writes more is ended."""
PIPES_GRACE_S = 1.0
"""How long output is awaited after the program has ended: a background child may hold the pipes for ever."""
INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``code`` is the exit status, or minus the signal that ended the program."""

    code: int
    output: str
    errors: str

    @property
    def said(self) -> str:
        """The last line of what it said, errors first, for a message of one line."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return lines[-1][:200] if lines else "no output"


class _Program(asyncio.SubprocessProtocol):
    def __init__(self) -> None:
        self.pipes = {1: bytearray(), 2: bytearray()}
        self.done = asyncio.Event()
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self.flooded = asyncio.Event()

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        pipe = self.pipes[fd]
        pipe += data[: MAX_OUTPUT - len(pipe)]
        if len(pipe) >= MAX_OUTPUT:
            self.flooded.set()
            self.done.set()

    @override
    def process_exited(self) -> None:
        self.exited.set()
        self.done.set()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


async def run_program(argv: Sequence[str], timeout: float, extra: Mapping[str, str] | None = None) -> Outcome:
    """Run ``argv`` and return how it ended; a program that is not done in ``timeout`` seconds is killed with its group.

    ``extra``  environment variables besides INHERITED and the C.UTF-8 locale
    Raises DeviceRefused when it cannot be started, DeviceUnreachable when the time is over, DeviceAnswerError when it
    writes more than MAX_OUTPUT.
    """
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {"LC_ALL": "C.UTF-8", **(extra or {})}
    loop = asyncio.get_running_loop()
    try:
        transport, program = await loop.subprocess_exec(
            _Program, *argv, stdin=asyncio.subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DeviceRefused(f"{argv[0]} cannot be started: {reason}") from error
    try:
        async with asyncio.timeout(timeout):
            await program.done.wait()
        if program.flooded.is_set():
            raise DeviceAnswerError(f"{argv[0]} wrote more than {MAX_OUTPUT // 1024} KiB and was ended")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PIPES_GRACE_S):
                await program.closed.wait()
        output, errors = (program.pipes[fd].decode("utf-8", "replace") for fd in (1, 2))
        return Outcome(transport.get_returncode() or 0, output, errors)
    except TimeoutError:
        raise DeviceUnreachable(f"{argv[0]} was not done within {timeout:g} s and was killed") from None
    finally:
        if transport.get_returncode() is None:
            _kill_group(transport.get_pid())
            with contextlib.suppress(TimeoutError):  # a killed process that hangs in the kernel is left to init
                async with asyncio.timeout(PIPES_GRACE_S):
                    await program.exited.wait()
        transport.close()


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself in the meantime
        os.killpg(pid, signal.SIGKILL)
