"""The engine: takes orders and keeps them. One object, one event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..common.clock import Clock
from ..common.errors import CommandError, ConfigError, StoreError
from ..common.events import EventBus
from ..common.failpoints import failpoint
from ..common.metrics import Family
from ..common.problems import ProblemSource
from ..networkTree.explain import explain, reason
from ..networkTree.facts import Desired
from ..networkTree.ServerNetwork import ServerNetwork
from ..store.recovery import SAFE_MODE
from ..store.store import Store
from .adoption import close_all, devices, exchange
from .by_hand import ByHand
from .conductor import UNATTENDED, Conductor
from .core import Core
from .durations import Durations
from .emergency import KEY as EMERGENCY
from .emergency import RUN_S, Emergency
from .forces import Force, Forces
from .journal import Journal
from .metrics.tally import Tally
from .names import Names
from .observer import Observer
from .orders import Orders
from .run_book import RunBook
from .runs import Run, RunState
from .sampling import Meter
from .settings import Settings
from .store_watch import StoreWatch

log = logging.getLogger(__name__)


class Engine:
    """Drives the network to the desired states.

    ``plan``, ``order``, ``cancel``  of an order, see ``engine.orders``
    ``meters``  what is measured beside the servers' parts; each is asked on the device loop, for the samples
    ``gauges``  what plugins tell monitoring of themselves; each is asked on the device loop
    ``tally``   counts switchings and runs
    ``problem_sources``  who knows of problems; each is asked on the device loop, for the alerts
    ``feeders``  who knows what feeds the PDUs of servers: server -> subjects as problems have them, ``ups/rack``
    ``open_alerts``  how many alerts are open, by severity, as the plugin Alerts counted them last
    ``remembered_auto``  how the master switch stood when the daemon stopped, None = it was never set
    All methods run on the device loop. Nothing moves by itself at a start but what a run left open.
    """

    def __init__(
        self,
        network: ServerNetwork,
        store: Store,
        *,
        events: EventBus,
        clock: Clock,
        settings: Settings | None = None,
    ) -> None:
        self.store = store
        self.remembered_auto: bool | None = None
        self.meters: list[Meter] = []
        self.gauges: list[Callable[[], Iterable[Family]]] = []
        self.tally = Tally(clock)
        events.subscribe(self.tally.take)
        self.problem_sources: list[ProblemSource] = []
        self.feeders: list[Callable[[], Mapping[str, tuple[str, ...]]]] = []
        self.open_alerts: dict[str, int] = {}
        self._suspended: list[Run] = []  # open runs that safe mode keeps from going on
        self.core = Core(network, Journal(store, clock), events, clock, settings or Settings())
        self.runs = RunBook(self.core)
        self.durations = Durations(store)
        self.names = Names(self)
        self._store_watch = StoreWatch(self.core)
        self._conductor = Conductor(self.core, self.runs, Observer(self.core), self.durations, self._store_watch)
        self.emergencies = Emergency(self.core, self._store_watch)
        self._orders = Orders(
            self.core, self.runs, self.durations, self._conductor, self._store_watch, self.emergencies
        )
        self.plan, self.order, self.cancel = self._orders.plan, self._orders.order, self._orders.cancel
        self.forces = Forces(self.core, self.runs, self._store_watch, self._conductor)
        self.by_hand = ByHand(self.core, lambda: self.observer, self._conductor.reserved)

    @property
    def network(self) -> ServerNetwork:
        return self.core.network

    @property
    def settings(self) -> Settings:
        return self.core.settings

    @property
    def observer(self) -> Observer:
        return self._conductor.observer

    @property
    def auto(self) -> bool:
        """The master switch."""
        return self._conductor.auto

    @property
    def store_fault(self) -> str:
        """Why the store cannot be written, "" while it can."""
        return self._store_watch.fault

    # -- life

    async def start(self) -> None:
        """Take up what the store remembers, begin to watch the devices, go on with open runs. Raises StoreError."""
        for node in self.network:
            node.facts.since = self.core.clock.now()
        self.core.journal.load(self.network)
        kept = {row["name"]: row["value"] for row in self.store.load("meta")}
        self.remembered_auto = kept["auto"] == "on" if "auto" in kept else None
        self.emergencies.load(kept.get(EMERGENCY))
        self.durations.load()
        open_runs = self.runs.load()
        self.core.safe_mode = self.core.safe_mode or kept.get(SAFE_MODE) or ""
        self.core.budget.watch(self.network, self.settings.start_limit)
        self.observer.start()
        failpoint("engine.loaded")
        if self.core.safe_mode:
            log.error("safe mode: %s; devices are watched and nothing is sent until: ockle resume", self.core.safe_mode)
            self.core.events.publish("daemon", f"safe mode: {self.core.safe_mode}")
            self._suspended = open_runs
        else:
            for run in open_runs:
                self.runs.resume(run)
            self.forces.resume()
        self._store_watch.start()

    async def stop(self) -> None:
        """Let commands in flight end, leave the runs open, stop watching, close the store."""
        await self._orders.stop()
        await self.forces.stop()
        await self._conductor.stop()
        await self.observer.stop()
        await self._store_watch.stop()
        try:
            await self.store.close()
        except StoreError as error:
            log.error("%s", error)
        await close_all(devices(self.network))

    async def resume(self, who: str) -> None:
        """Leave safe mode: a person has looked. Open runs go on. Raises StoreError, and then all is as it was."""
        if not self.core.safe_mode:
            return
        self.store.put("meta", SAFE_MODE, value="")
        await self._store_watch.durably(lambda: self.store.put("meta", SAFE_MODE, value=self.core.safe_mode))
        self.core.safe_mode = ""
        log.warning("safe mode was left by %s", who)
        self.core.events.publish("daemon", f"safe mode was left by {who}")
        self.core.revision += 1
        suspended, self._suspended = self._suspended, []
        for run in suspended:
            if run.state is RunState.RUNNING:
                self.runs.resume(run)
        self.forces.resume()
        self.converge()

    # -- what an operator may want

    async def force(
        self, name: str, state: Desired | None, note: str = "", *, who: str = "", seconds: float | None = None
    ) -> None:
        """Take a server out of all automation and switch it as ordered; None gives it back. See ``engine.forces``."""
        await self.forces.force(name, Force(state, note, who, seconds))

    async def emergency(
        self,
        servers: Iterable[str],
        within: float,
        *,
        who: str,
        via: str = "internal",
        note: str = "",
        automatic: bool = False,
    ) -> Run:
        """Have ``servers``, and what needs them, down within ``within`` seconds, come what may (``engine.emergency``).

        ``automatic``  a program declares it, and may give the servers back: ``emergencies.release``

        Raises CommandError, StoreError.
        """
        plan = self.plan("off", servers)
        before = self.emergencies.declare(
            plan, within=within, who=who, note=note, run=self.runs.next_number, automatic=automatic
        )
        try:
            run = await self.order(
                "off",
                plan.targets,
                who=who,
                via=via,
                note=f"emergency: {note}" if note else "emergency",
                plan=plan,
                timeout=RUN_S,
            )
        except (CommandError, StoreError):
            self.emergencies.take_back(before)
            raise
        log.warning("emergency, declared by %s: %d servers go down within %g s", who, len(plan.steps), within)
        self.core.events.publish(
            "emergency",
            f"emergency declared by {who}: {len(plan.steps)} servers go down within {within:g} s",
            run=run.id,
            who=who,
        )
        return run

    async def clear_emergency(self, who: str, confirm: str = "") -> None:
        """End the emergency, see ``Emergency.clear``. Raises CommandError, StoreError."""
        await self.emergencies.clear(who, confirm)

    async def hold(self, name: str, held: bool, note: str, who: str = "") -> None:
        """Keep automation off a server, or let it back; what runs for it comes to its end. Raises StoreError."""
        node = self.network.getServernode(name)
        before = node.facts.held
        node.facts.held = (note or "by an operator") if held else ""
        self.core.journal.save(node)

        def undo() -> None:
            node.facts.held = before
            self.core.journal.save(node)

        failpoint("hold.noted")
        await self._store_watch.durably(undo)
        self.emergencies.latch_one(node)
        self.core.events.publish("hold", f"{name}: {'held' if held else 'released'}", name, note=note, who=who)
        self.core.revision += 1
        self.core.mark_around(node)

    async def reset(self, name: str) -> None:
        """Forget failed attempts, and that a shutdown may be under way: a person has looked at it.

        While it is being switched, a shutdown that was sent stays known.
        """
        node = self.network.getServernode(name)
        if node.facts.op is None:
            node.facts.forget_shutdown()
        node.facts.error = ""
        self.core.forgive(node)
        await self.core.journal.commit()
        await self.observer.read_server(node)

    async def set_auto(self, on: bool) -> None:
        """Set the master switch, durably, and decide anew for every server. Raises StoreError."""
        if self.remembered_auto is not on:
            self.store.put("meta", "auto", value="on" if on else "off")
            failpoint("auto.noted")
            before = "on" if self.auto else "off"
            await self._store_watch.durably(lambda: self.store.put("meta", "auto", value=before))
            self.remembered_auto = on
        if self.auto is not on:
            self._conductor.auto = on
            self.core.revision += 1
            self.core.events.publish("auto", f"AutoControl is {'on' if on else 'off'}", state=on)
        self.converge()

    def converge(self) -> None:
        """Decide anew for every server."""
        for node in self.network:
            self.core.mark(node)

    def forget_desired(self) -> None:
        """Observe only: no server has a desired state any more, except those of running runs."""
        for node in self.network:
            if node.facts.desired is not None and self.runs.of_server(node.name) is None:
                self.core.set_desired(node, None)

    # -- looking

    def why(self, name: str) -> dict[str, Any]:
        """Return why a server is as it is, see ``networkTree.explain``."""
        node = self.network.getServernode(name)
        run = self.runs.of_server(name)
        decision = self._conductor.decision(node, run)
        attended = run is not None or self.auto
        found = explain(self.network, name, self.core.clock.now(), decision if attended else None)
        found["reasons"] += self.emergencies.reasons(node)
        if node.facts.op is not None and node.why:
            found["reasons"].insert(0, reason(node.why, node.why_since))
        elif decision is UNATTENDED or (self.core.safe_mode and not attended):
            found["reasons"].insert(0, reason(decision.reason, None, decision.frees, decision.guard))
        if self._store_watch.fault:
            found["reasons"].append(reason(self._store_watch.fault, None, "room for the store", "journal"))
        return found

    def busy(self) -> list[str]:
        """Return the servers that are being switched."""
        return self._conductor.busy()

    # -- a new configuration

    def refuse_in_use(self) -> None:
        """Raise ConfigError while a server is being switched or has an order in a run."""
        in_use = {*self.busy(), *(node.name for node in self.network if self.runs.of_server(node.name))}
        if in_use:
            raise ConfigError(
                f"{', '.join(sorted(in_use))} {'is' if len(in_use) == 1 else 'are'} being switched: "
                "apply the configuration when the run has ended, or cancel it"
            )

    async def adopt(self, network: ServerNetwork, settings: Settings, renamed: Mapping[str, str] | None = None) -> None:
        """Go on with a new network: servers keep their facts by name, no outlet is touched.

        ``renamed``  new name of a server -> the one that it had
        Raises ConfigError while a server is being switched or has an order in a run.
        """
        self.refuse_in_use()
        old, old_observer = self.network, self.observer
        failpoint("adopt.begun")
        # from the check above to the last change no order may come between
        exchange(old, network, self.core.journal, renamed or {})
        self.names.took_over(network, renamed or {})
        self.core.network = network
        self.core.settings = settings
        self.emergencies.latch()
        self.core.budget.watch(network, settings.start_limit)
        self._conductor.begin_anew(Observer(self.core))
        for node in network:
            self.observer.evaluate(node)  # what was not taken over is unknown, and decided so
        self.observer.start()
        self.forces.resume()
        self.core.revision += 1
        self.converge()
        failpoint("adopt.done")
        await old_observer.stop()
        await close_all(devices(old) - devices(network))
