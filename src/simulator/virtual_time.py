"""An event loop whose clock jumps: an hour of boot costs no time in a test.

Only waiting is virtual. Callbacks run in the same order as on a real loop, and work handed to a thread
(``run_in_executor``) is waited for in real time and takes no virtual time. Sockets have no place here: a packet in
flight is invisible to the loop, which would jump over it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar, TypeVarTuple

from typing_extensions import override

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREAD_LIMIT_S = 60.0
"""Real seconds that a thread may keep the loop waiting before it counts as hung."""


class VirtualDeadlock(RuntimeError):
    """Nothing is ready, no timer is set and no thread is at work: the awaited event can never come."""


class _JumpingSelector(selectors.DefaultSelector):
    """Asks the loop's clock to jump where other selectors would block."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0  # > 0 while somebody outside the loop is going to call in
        self.stuck: Callable[[], str] = str

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.threads:
            ready = super().select(THREAD_LIMIT_S)
            if not ready:
                raise VirtualDeadlock(f"a thread kept the loop waiting for more than {THREAD_LIMIT_S:g} s")
            return ready
        if timeout is None:
            raise VirtualDeadlock(f"deadlock at {self.now:g} s: nothing is ready and no timer is set; {self.stuck()}")
        self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that starts at 0 s and jumps to its next timer when nothing is ready.

    Raises  VirtualDeadlock out of ``run_*`` when it would wait for ever; the message names the waiting tasks
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._jumping.stuck = self._waiting

    @override
    def time(self) -> float:
        return self._jumping.now

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Within this block a thread is expected to call in: the loop waits for it instead of jumping.

        To be entered and left on the loop's own thread, or before the loop runs.
        """
        self._jumping.threads += 1
        try:
            yield
        finally:
            self._jumping.threads -= 1

    @override
    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._thread_done)
        return future

    @override
    async def shutdown_default_executor(self, *args: Any) -> None:  # 3.12 adds a timeout
        with self.outside():
            await super().shutdown_default_executor(*args)

    def _thread_done(self, _future: object) -> None:
        self._jumping.threads -= 1

    def _waiting(self) -> str:
        names = sorted(task.get_name() + _place(task) for task in asyncio.all_tasks(self))
        return f"waiting: {', '.join(names)}" if names else "no task is left"


def _place(task: asyncio.Task[Any]) -> str:
    """`` (module:line)`` of the innermost frame that ``task`` is suspended in, or an empty text."""
    inner: Any = task.get_coro()
    frame = None
    while inner is not None:  # await chains of coroutines; anything else (a future) has no cr_frame
        frame = getattr(inner, "cr_frame", None) or frame
        inner = getattr(inner, "cr_await", None)
    return f" ({frame.f_globals.get('__name__', '?')}:{frame.f_lineno})" if frame else ""


def run(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` on a fresh virtual loop."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
