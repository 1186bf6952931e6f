"""Takes orders: plans them, begins their runs durably, and takes them back."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from ..common.errors import CommandError, StoreError
from ..common.failpoints import failpoint
from ..networkTree.plan import Expected, Plan, make_plan
from .conductor import Conductor
from .core import Core
from .durations import Durations
from .emergency import Emergency
from .run_book import RunBook
from .runs import Run, RunState
from .store_watch import StoreWatch
from .tasks import Tasks

log = logging.getLogger(__name__)


class Orders:
    """All orders of the engine go through here, an emergency's too."""

    def __init__(
        self,
        core: Core,
        runs: RunBook,
        durations: Durations,
        conductor: Conductor,
        store_watch: StoreWatch,
        emergencies: Emergency,
    ) -> None:
        self._core = core
        self._runs = runs
        self._durations = durations
        self._conductor = conductor
        self._store_watch = store_watch
        self._emergencies = emergencies
        self._waiting = Tasks("a run that waits for its begin")

    def plan(self, action: str, servers: Iterable[str], exclude: Collection[str] = ()) -> Plan:
        """Return what ``action`` would do without touching ``exclude``; raises CommandError."""
        return make_plan(self._core.network, action, servers, self._expect, self._runs.coming_back(), exclude)

    def _expect(self, server: str, action: str) -> Expected:
        return self._durations.expect(self._core.network, server, action)

    async def order(
        self,
        action: str,
        servers: Iterable[str],
        *,
        who: str,
        via: str = "internal",
        note: str = "",
        rev: str | None = None,
        timeout: float | None = None,
        plan: Plan | None = None,
        unguarded: bool = False,
        exclude: Collection[str] = (),
        grace: float = 0.0,
    ) -> Run:
        """Begin a run, durably; nothing is switched before the order is in the store.

        ``rev``      of the plan that was looked at: refused with the code ``conflict`` when the steps are others by now
        ``plan``     made on the device loop without a wait since
        ``exclude``  servers that are not touched
        ``grace``    seconds before the first step; the plan is made anew then, and nothing is done if it is another one
        Raises CommandError, StoreError.
        """
        self._core.check_trust()
        plan = plan or self.plan(action, servers, exclude)
        self._emergencies.refuse(plan)
        if rev is not None and rev != plan.rev:
            raise CommandError("the plan changed since you looked", "conflict")
        run = self._runs.begin(plan, who=who, via=via, note=note, timeout=timeout, unguarded=unguarded, grace=grace)
        failpoint("run.noted")
        await self._make_durable(run)
        failpoint("run.durable")
        if grace > 0:
            self._waiting.spawn(self._begin_after(run, plan, exclude))
        return run

    async def _begin_after(self, run: Run, plan: Plan, exclude: Collection[str]) -> None:
        """Have ``run`` begin when its grace is over, unless it was cancelled, or would do something else by now."""
        await self._core.clock.sleep(run.grace)
        if run.state is not RunState.RUNNING:
            return
        try:
            self._core.check_trust()
            now = self.plan(plan.action, plan.targets, exclude)
            self._emergencies.refuse(now)
            if now.rev != plan.rev:
                raise CommandError("the plan changed before it began: look at it again", "conflict")
            self._runs.start(run)
        except CommandError as error:
            log.warning("run %d does not begin: %s", run.id, error)
            self._runs.cancel(run, str(error))
        try:
            await self._make_durable(run)
        except StoreError as error:
            log.error("run %d is taken back: %s", run.id, error)

    async def _make_durable(self, run: Run) -> None:
        """Commit; raises StoreError, and then what the run has not begun is taken back."""

        def undo() -> None:
            if run.state is RunState.RUNNING:
                self._runs.cancel(run, self._store_watch.fault)
                self._conductor.drop_unsent(list(run.current))

        await self._store_watch.durably(undo)

    def cancel(self, number: int, who: str) -> Run:
        """End a run early; what can still be dropped without harm is dropped. Raises CommandError."""
        run = self._runs.get(number)
        if run.state is RunState.RUNNING and run.begun and self._emergencies.needs(run):
            raise CommandError(f"run {number} carries out an emergency: clear the emergency instead", "refused")
        self._runs.cancel(run, f"cancelled by {who}")
        self._conductor.drop_unsent(list(run.current))
        return run

    async def stop(self) -> None:
        """Let no run begin any more."""
        await self._waiting.stop()
