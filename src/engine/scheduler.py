"""Carries out schedules: what is due is ordered once, durably, and never behind the back of a person.

A schedule is an order like any other, with the same plan, guards, events and audit. It leaves alone whoever is forced
or held, switches off nobody who is protected (unless the schedule says so), is refused by an emergency and in safe
mode, and does nothing while the master switch of AutoControl is off.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from ..common.access import Action, Caller
from ..common.errors import CommandError, StoreError
from ..config.schedules import Schedule, never
from ..networkTree.plan import Plan
from ..networkTree.selection import select
from .engine import Engine

log = logging.getLogger(__name__)

KEY = "schedules"
VIA = "schedule"
ON_TIME_S = 90.0
"""How late a time may be noticed and still count as kept: by a daemon that runs, on a machine that is busy."""
FARTHEST_AHEAD_S = 26 * 3600.0
"""What was seen to be due later than this from now on was seen by a clock that was wrong."""
DAEMON_ROLE = "operator"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one time. ``what``: ordered, nothing to do, missed or refused; ``run``: 0 = none."""

    due: float
    at: float
    what: str
    text: str = ""
    run: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a schedule. ``seen``: all that was due until then has been dealt with."""

    rule: str
    seen: float
    last: Outcome | None = None


class Scheduler:
    """All methods run on the device loop.

    ``audit``        gets each order, and each that was refused
    ``heeds_auto``   whether nothing is done now because the master switch is off
    """

    def __init__(self, engine: Engine, heeds_auto: Callable[[], bool]) -> None:
        self._engine = engine
        self.heeds_auto = heeds_auto
        self._schedules: dict[str, Schedule] = {}
        self._records: dict[str, Record] = {}
        self.audit: list[Action] = []

    def load(self) -> None:
        """Read what is remembered. Raises StoreError."""
        rows = self._engine.store.load("meta", equal=("name", KEY))
        text = rows[0]["value"] if rows else ""
        for name, one in (json.loads(text) if text else {}).items():
            last = Outcome(**one["last"]) if one["last"] else None
            self._records[name] = Record(one["rule"], one["seen"], last)

    def take(self, schedules: Iterable[Schedule]) -> None:
        """Work with these schedules from now on."""
        self._schedules = {schedule.name: schedule for schedule in schedules}

    # -- carrying out

    async def look(self) -> None:
        """Order what is due, and note what was missed. Raises StoreError; then it is tried again at the next look."""
        if self._engine.store_fault:
            raise StoreError(self._engine.store_fault)
        now = self._engine.core.clock.wall()
        schedules = self._schedules  # others may be taken while this waits for the store
        kept = {name: record for name, record in self._records.items() if name in schedules}
        fresh = {name: Record(_digest(one), now) for name, one in schedules.items() if _is_new(one, kept, now)}
        fresh = {name: replace(record, last=_last(kept.get(name))) for name, record in fresh.items()}
        if fresh or kept != self._records:
            await self._note({**kept, **fresh})
        for name, schedule in schedules.items():
            due = schedule.timetable.last(now) if schedule.enabled else None
            if due is not None and due > self._records[name].seen:
                await self._deal_with(schedule, due, now)

    async def _deal_with(self, schedule: Schedule, due: float, now: float) -> None:
        late = now - due
        if late > ON_TIME_S and not (schedule.catch_up and late <= schedule.grace):
            why = f"more than {schedule.grace:g} s ago" if schedule.catch_up else "the daemon did not run"
            await self._end(schedule, Outcome(due, now, "missed", f"missed {_moment(schedule, due)}: {why}"))
            return
        try:
            plan = self._plan(schedule)
            if not plan.steps:
                await self._end(schedule, Outcome(due, now, "nothing to do", _untouched(plan)))
                return
            await self._order(schedule, plan, due, now)
        except CommandError as error:
            self._audit(schedule, error.code, str(error))
            await self._end(schedule, Outcome(due, now, "refused", str(error)))

    def _plan(self, schedule: Schedule) -> Plan:
        if self.heeds_auto() and not self._engine.remembered_auto:  # what it will be, also while the daemon starts
            raise CommandError("the master switch of AutoControl is off", "refused")
        self._engine.core.check_trust()
        names, unknown = select(self._engine.network, schedule.servers)
        if unknown:
            log.warning("schedule %s: there is no server %s", schedule.name, ", ".join(unknown[:10]))
        return self._engine.plan(schedule.action, names, self.exclude(schedule))

    def exclude(self, schedule: Schedule) -> list[str]:
        """Return the servers that ``schedule`` must not touch."""
        if schedule.action == "on" or schedule.protected:
            return []
        return [node.name for node in self._engine.network if node.facts.policy.protected]

    async def _order(self, schedule: Schedule, plan: Plan, due: float, now: float) -> None:
        number, before = self._engine.runs.next_number, self._records[schedule.name]
        text = _untouched(plan)
        # The same commit makes durable that the time was dealt with, and the run: a restart has both, or neither.
        self._put({**self._records, schedule.name: replace(before, seen=due, last=Outcome(
            due, now, "ordered", text, number
        ))})  # fmt: skip
        try:
            await self._engine.order(
                plan.action,
                plan.targets,
                who=f"schedule {schedule.name}",
                via=VIA,
                note=schedule.comment,
                plan=plan,
                exclude=self.exclude(schedule),
            )
        except (CommandError, StoreError):
            self._put({**self._records, schedule.name: before})
            raise
        self._audit(schedule, "ok", "", number)
        self._tell(schedule, f"{schedule.action}, run {number}{f'; {text}' if text else ''}", run=number)

    async def _end(self, schedule: Schedule, outcome: Outcome) -> None:
        """Note an outcome that no run came of."""
        record = replace(self._records[schedule.name], seen=outcome.due, last=outcome)
        await self._note({**self._records, schedule.name: record})
        harmless = outcome.what == "nothing to do"
        text = (
            outcome.text if outcome.what == "missed" else f"{outcome.what}{f': {outcome.text}' if outcome.text else ''}"
        )
        log.log(logging.INFO if harmless else logging.WARNING, "schedule %s: %s", schedule.name, text)
        self._tell(schedule, text, **({} if harmless else {"failed": True}))

    def _tell(self, schedule: Schedule, text: str, **data: Any) -> None:
        self._engine.core.events.publish(VIA, f"schedule {schedule.name}: {text}", schedule=schedule.name, **data)

    def _audit(self, schedule: Schedule, result: str, text: str, run: int = 0) -> None:
        data = {"action": schedule.action, "servers": list(schedule.servers)}
        caller = Caller(f"schedule {schedule.name}", DAEMON_ROLE, VIA)
        self.audit.append(Action(caller, "run", data, result, text, {"run": run} if run else {}))

    async def _note(self, records: Mapping[str, Record]) -> None:
        """Have ``records`` remembered, durably. Raises StoreError, and then all is as it was."""
        before = self._records
        self._put(records)
        try:
            await self._engine.core.journal.commit()
        except StoreError:
            self._put(before)
            raise

    def _put(self, records: Mapping[str, Record]) -> None:
        self._records = dict(records)
        self._engine.store.put("meta", KEY, value=json.dumps({name: asdict(one) for name, one in records.items()}))

    # -- looking

    def last(self) -> dict[str, Outcome]:
        """Return what became of the last time of each schedule that is enabled and has had one."""
        return {
            name: record.last
            for name, record in self._records.items()
            if record.last is not None and name in self._schedules and self._schedules[name].enabled
        }

    def as_dicts(self, upcoming: int = 1) -> list[dict[str, Any]]:
        """Return the schedules for a client; ``next``: so many moments to come, in seconds since 1970."""
        now = self._engine.core.clock.wall()
        return [self._as_dict(one, now, upcoming) for one in self._schedules.values()]

    def _as_dict(self, schedule: Schedule, now: float, upcoming: int) -> dict[str, Any]:
        record = self._records.get(schedule.name)
        try:
            names, unknown = select(self._engine.network, schedule.servers)
            problem = f"there is no server {', '.join(unknown[:10])}" if unknown else ""
        except CommandError as error:
            names, problem = [], str(error)
        reason = never(schedule, now)
        return {
            "name": schedule.name,
            "comment": schedule.comment,
            "enabled": schedule.enabled,
            "action": schedule.action,
            "servers": list(schedule.servers),
            "names": names,
            "exclude": self.exclude(schedule),
            "when": schedule.when,
            "zone": schedule.zone,
            "next": _upcoming(schedule, max(now, record.seen if record else now), upcoming),
            "last": asdict(record.last) if record is not None and record.last is not None else None,
            "problem": f"it never comes: {reason}" if reason else problem,
        }


def _upcoming(schedule: Schedule, now: float, count: int) -> list[float]:
    found: list[float] = []
    while schedule.enabled and len(found) < count:
        following = schedule.timetable.next(found[-1] if found else now)
        if following is None:
            break
        found.append(following)
    return found


def _digest(schedule: Schedule) -> str:
    return sha256(schedule.rule.encode()).hexdigest()[:16]


def _is_new(schedule: Schedule, kept: Mapping[str, Record], now: float) -> bool:
    record = kept.get(schedule.name)
    return record is None or record.rule != _digest(schedule) or record.seen > now + FARTHEST_AHEAD_S


def _last(record: Record | None) -> Outcome | None:
    return record.last if record is not None else None


def _untouched(plan: Plan) -> str:
    left = [f"{name} ({reason})" for name, reason in list(plan.untouched.items())[:5]]
    more = len(plan.untouched) - len(left)
    return f"not touched: {', '.join(left)}{f' and {more} more' if more else ''}" if left else ""


def _moment(schedule: Schedule, moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, schedule.timetable.zone):%Y-%m-%d %H:%M}"
