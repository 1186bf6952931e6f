"""Takes servers down in order while the battery lasts, and brings back what was on, once the mains are.

What goes down does so as an emergency: in order, within the time that the battery gives, and latched until the mains
are back for good. Power that comes back meanwhile ends nothing half-way. Who is forced or held is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from ..common.access import Action, Caller
from ..common.errors import CommandError, OckleError, StoreError
from ..common.nut import Reading, Supply
from ..config.ups import Ups
from ..networkTree.decide import is_down
from ..networkTree.facts import Desired
from ..networkTree.plan import Plan
from . import ups_record
from .engine import Engine
from .ups_feeds import Feeds
from .ups_record import Record
from .ups_watch import ALL, CRITICAL, Watch, calls, is_ready, time_left

log = logging.getLogger(__name__)

VIA = "ups"
ROLE = "operator"

Read = Callable[[Ups], Awaitable[Reading]]


class UpsKeeper:
    """All methods run on the device loop.

    ``read``        asks a UPS; raises OckleError
    ``heeds_auto``  whether nothing is switched on while the master switch is off
    ``audit``       gets what was ordered
    ``trouble``     why what should be done cannot be, "" while all is well
    """

    def __init__(self, engine: Engine, read: Read, heeds_auto: Callable[[], bool]) -> None:
        self._engine = engine
        self._read = read
        self._heeds_auto = heeds_auto
        self._record = Record()
        self._watches: dict[str, Watch] = {}
        self._feeds = Feeds(engine)
        self._told: dict[str, str] = {}  # UPS -> its problems that were told
        self._flapping: set[str] = set()
        self.audit: list[Action] = []
        self.trouble = ""

    def load(self) -> None:
        """Read what is remembered. Raises StoreError."""
        self._record = ups_record.load(self._engine.store)

    def take(self, upses: Iterable[Ups]) -> None:
        """Look after these from now on; what is known of those that stay, stays."""
        self._feeds = Feeds(self._engine, upses)
        self._watches = {name: self._watches.get(name) or self._new_watch(name) for name in self._feeds.upses}

    def _new_watch(self, name: str) -> Watch:
        clock, stamp = self._engine.core.clock, self._record.battery.get(name)
        since = clock.now() - clock.since(stamp) if stamp else None
        return Watch(since=clock.now(), battery_since=since)

    # -- one round

    async def look(self) -> None:
        """Ask all UPSes, and do what that calls for; what cannot be done is tried again in the next round."""
        await asyncio.gather(*(self._ask(ups, self._watches[ups.name]) for ups in self._feeds.upses.values()))
        self._feeds.renew()
        troubles = []
        for work in (self._fire, self._take_down, self._bring_back):
            try:
                await work()
            except (CommandError, StoreError) as error:
                troubles.append(str(error))
        self._in_trouble("; ".join(dict.fromkeys(troubles)))

    def _in_trouble(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.warning("UPS: %s; tried again", trouble)
            self._engine.core.events.publish(VIA, f"not done: {trouble}", failed=True)
        self.trouble = trouble

    async def _ask(self, ups: Ups, watch: Watch) -> None:
        clock = self._engine.core.clock
        try:
            reading = await self._read(ups)
        except OckleError as error:
            changed = watch.lost(str(error), clock.now())
        else:
            changed = watch.saw(reading, clock.now())
        self._note_battery(ups, watch)
        flaps, flapped = watch.flaps(clock.now()), ups.name in self._flapping
        if flaps and not flapped:
            self._flapping.add(ups.name)
            self._tell(ups.name, "the mains come and go; more is told once they are steady", failed=True)
        elif not flaps and (changed or flapped):
            self._flapping.discard(ups.name)
            self._tell(ups.name, _words(watch))
        problems = watch.problem or "; ".join(watch.reading.problems if watch.reading else ())
        if problems != self._told.get(ups.name, ""):
            self._told[ups.name] = problems
            self._tell(
                ups.name, problems or "nothing is wrong with it any more", **({"failed": True} if problems else {})
            )

    def _note_battery(self, ups: Ups, watch: Watch) -> None:
        noted = ups.name in self._record.battery
        if (watch.battery_since is not None) != noted:  # written soon: it only makes a timer outlive a restart
            self._put(self._record.with_battery(ups.name, "" if noted else self._engine.core.clock.stamp()))

    # -- down

    async def _fire(self) -> None:
        """Note which levels are reached. One that was counts until the UPS is ready again."""
        now, record = self._engine.core.clock.now(), self._record
        for ups in self._feeds.upses.values():
            watch, fired = self._watches[ups.name], dict(record.fired.get(ups.name, {}))
            if fired and is_ready(ups, watch, now):
                record = record.with_fired(ups.name, {})
                continue
            for call in calls(ups, watch, now, self._needed(ups, watch)):
                if call.level not in fired:
                    fired[call.level] = call.why
                    if call.level == CRITICAL:  # also whoever came back on somebody's order, or has more time than that
                        again = {name for name in self._feeds.members(ups) if self._is_up(name)}
                        record = replace(record, again=sorted({*record.again, *again}))
                    record = record.with_fired(ups.name, fired)
        if record != self._record:
            await self._note(record)

    def _needed(self, ups: Ups, watch: Watch) -> float:
        return self._feeds.shutdown_s(ups) if watch.supply is Supply.BATTERY else 0.0

    async def _take_down(self) -> None:
        wanted = self._wanted_down() - (self._record.down.keys() - set(self._record.again))
        if not wanted:
            return
        plan = self._engine.plan("off", sorted(wanted))
        touched = [*(step.server for step in plan.steps), *plan.already]
        if not touched:
            raise CommandError(f"nobody can be shut down: {_reasons(plan)}", "refused")
        callers = [ups for ups in self._feeds.upses.values() if wanted & self._called(ups)]
        within = min(time_left(ups, self._watches[ups.name], self._level(ups)) for ups in callers)
        who = f"UPS {', '.join(ups.name for ups in callers)}"
        why = "; ".join(dict.fromkeys(self._why(ups) for ups in callers))
        before = self._record
        down = {name: before.down.get(name, False) or self._was_on(name) for name in touched}
        self._put(replace(before, down={**before.down, **down}, again=[]))  # durable in the commit of the emergency
        try:
            run = await self._engine.emergency(
                [name for name in plan.targets if name not in plan.untouched],
                within,
                who=who,
                via=VIA,
                note=why,
                automatic=True,
            )
        except (CommandError, StoreError):
            self._put(before)
            raise
        self._audit("declareEmergency", who, sorted(wanted), run.id)
        left = f"; left alone: {_reasons(plan)}" if plan.untouched else ""
        self._tell(", ".join(ups.name for ups in callers), f"{_servers(len(plan.steps))} down: {why}{left}", run=run.id)

    def _wanted_down(self) -> set[str]:
        """Return the servers that have too few supplies left. One of which nothing is known is not counted on."""
        called = {name: self._called(ups) for name, ups in self._feeds.upses.items()}
        found = set()
        for server in set().union(*called.values()):
            left = [
                name
                for name in self._feeds.of(server)
                if server not in called[name] and self._watches[name].supply is not Supply.UNKNOWN
            ]
            if len(left) < self._feeds.need(server):
                found.add(server)
        return found

    def _called(self, ups: Ups) -> set[str]:
        """Return which of its servers are to go down, as far as this UPS is concerned."""
        fired = self._record.fired.get(ups.name, {})
        if ALL in fired or CRITICAL in fired:
            return self._feeds.members(ups)
        return self._feeds.chosen(ups, fired)

    def _level(self, ups: Ups) -> str:
        return CRITICAL if CRITICAL in self._record.fired.get(ups.name, {}) else ALL

    def _why(self, ups: Ups) -> str:
        fired = self._record.fired[ups.name]
        return fired.get(CRITICAL) or fired.get(ALL) or list(fired.values())[-1]

    def _was_on(self, name: str) -> bool:
        facts = self._engine.network.getServernode(name).facts
        if name in self._engine.runs.coming_back():
            return True
        return facts.desired is Desired.ON or (facts.desired is None and not is_down(facts))

    # -- up again

    async def _bring_back(self) -> None:
        back = self._carried_again()
        left_to_people = {
            name for name in back if not all(self._feeds.upses[ups].restore for ups in self._feeds.of(name))
        }
        if left_to_people:  # the latch stays, for a person to clear
            await self._note(self._record.without(left_to_people))
        back -= left_to_people
        if not back or any(self._is_going_down(name) for name in back):
            return  # that ends first
        if self._heeds_auto() and not self._engine.remembered_auto:
            raise CommandError("the mains are back, and the master switch of AutoControl is off", "refused")
        names = sorted(name for name in back if self._record.down[name] and name in self._engine.network)
        who = f"UPS {', '.join(sorted({ups for name in back for ups in self._feeds.of(name)}))}"
        await self._engine.emergencies.release(back, who)
        before, after = self._record, self._record.without(back)
        plan = self._engine.plan("on", names) if names else None
        if plan is None or not plan.steps:
            await self._note(after)
            return
        self._put(after)  # durable in the commit of the run
        try:
            run = await self._engine.order("on", names, who=who, via=VIA, note="the mains are back", plan=plan)
        except (CommandError, StoreError):
            self._put(before)
            raise
        self._audit("run", who, names, run.id)
        self._tell(who.removeprefix("UPS "), f"the mains are back: {_servers(len(names))} up", run=run.id)

    def _carried_again(self) -> set[str]:
        """Return the servers that enough UPSes can carry again, as all that they need."""
        now, network = self._engine.core.clock.now(), self._engine.network
        ready = {name for name, ups in self._feeds.upses.items() if is_ready(ups, self._watches[name], now)}
        found = {
            server
            for server in self._record.down
            if len(ready.intersection(self._feeds.of(server))) >= self._feeds.need(server)
        }
        stay = self._record.down.keys() - found
        return {name for name in found if name not in network or not network.all_dependencies([name]) & stay}

    # -- who is how

    def _is_up(self, name: str) -> bool:
        node = self._engine.network.getServer(name)
        return node is not None and not is_down(node.facts)

    def _is_going_down(self, name: str) -> bool:
        node = self._engine.network.getServer(name)
        return node is not None and node.facts.emergency_by is not None and not is_down(node.facts)

    # -- noting and telling

    async def _note(self, record: Record) -> None:
        before = self._record
        self._put(record)
        try:
            await self._engine.core.journal.commit()
        except StoreError:
            self._put(before)
            raise

    def _put(self, record: Record) -> None:
        self._record = record
        ups_record.put(self._engine.store, record)

    def _tell(self, ups: str, text: str, **data: Any) -> None:
        log.log(logging.WARNING if data.get("failed") else logging.INFO, "UPS %s: %s", ups, text)
        self._engine.core.events.publish(VIA, f"UPS {ups}: {text}", ups=ups, **data)

    def _audit(self, command: str, who: str, servers: list[str], run: int) -> None:
        action = {"action": "on"} if command == "run" else {}
        self.audit.append(
            Action(Caller(who, ROLE, VIA), command, {"servers": servers, **action}, "ok", "", {"run": run})
        )

    # -- looking

    def seen(self) -> dict[str, Watch]:
        """Return what is known of each UPS."""
        return self._watches

    @property
    def feeds(self) -> Feeds:
        return self._feeds

    @property
    def record(self) -> Record:
        return self._record


def _words(watch: Watch) -> str:
    reading = watch.reading
    if watch.supply is Supply.UNKNOWN or reading is None:
        return "what it lives on is not known"
    parts = [f"charge {reading.charge:.0f} %"] if reading.charge is not None else []
    parts += [f"runtime {reading.runtime:.0f} s"] if reading.runtime is not None else []
    return watch.supply.value + (f" ({', '.join(parts)})" if parts else "")


def _reasons(plan: Plan) -> str:
    return ", ".join(f"{name} ({reason})" for name, reason in list(plan.untouched.items())[:5])


def _servers(count: int) -> str:
    return "1 server goes" if count == 1 else f"{count} servers go"
