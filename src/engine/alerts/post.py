"""One channel at work: sends what waits for it, in order, until it has arrived."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from ...channels.ChannelTemplate import MessageRefused, TryLater
from ...common.alert_message import AlertMessage
from ...common.allowance import Allowance
from ...common.clock import TICK_S, Clock
from ...common.errors import ConfigError, DeviceRefused, OckleError
from ...common.logs import redact
from ...common.problems import Problem, Severity
from ...common.services import DaemonServices
from ...config.channels import Rules, rules_of
from ...config.model import ObjectConfig
from ...config.types_numbers import format_duration
from .digest import with_lost
from .ledger import Ledger
from .link import CLOSE_S, Link, Make
from .routing import quiet_until, subject_of, wanted
from .waiting import Entries, Entry, as_one, bounded, going, merged, unexpired

log = logging.getLogger(__name__)

BACK_OFF_MOST_S = 300.0
REFUSED_S = 900.0
"""How long after a refusal it is tried again, in case somebody has mended it on the other side."""
LATER_MOST_S = 3600.0
"""A receiver that wants to be left alone for longer than this is asked all the same."""
ALARM_S = 600.0
"""After how long without success it is a problem of its own that a channel does not work; a refusal is one at once."""
REFUSALS_MOST = 3
"""How often a message is tried that the receiver does not take though it takes others."""
LOOK_S = 60.0
"""The longest pause while something waits: the wall clock may jump, and with it the end of quiet hours."""
TEXT_MOST = 300
"""Characters of what a receiver says that are shown."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing arrives. ``since``: moment of the clock; ``refused``: trying alone will not help."""

    text: str
    since: float
    refused: bool
    alarming: bool


class Post:
    """``task`` runs ``run``; ``trouble`` may be read from any thread."""

    def __init__(
        self,
        config: ObjectConfig,
        make: Make,
        services: DaemonServices,
        ledger: Ledger,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self.config = config
        self.name = config.name
        self.rules: Rules = rules_of(config)
        self.servers: frozenset[str] = frozenset()
        self.trouble: Trouble | None = None
        self.task: asyncio.Task[None] | None = None
        self._ledger = ledger
        self._clock = clock
        self._tell = tell
        self._link = Link(config, make, services)
        self._wake = asyncio.Event()
        self._tries = 0
        self._refusals = 0  # of the message that is next
        self._given_up = False  # the one before it
        self._next_try = float("-inf")
        burst = self.rules.rate - self.rules.rate // 2
        self._per_s = max(1, self.rules.rate // 2) / 3600
        self._allowance = Allowance(self._per_s, burst, clock.now())

    @property
    def entries(self) -> Entries:
        return self._ledger.entries.get(self.name, ())

    def is_as(self, config: ObjectConfig) -> bool:
        """Tell whether a channel of this configuration would be the same."""
        return (self.config.type, self.config.settings) == (config.type, config.settings)

    def wants(self, message: AlertMessage) -> bool:
        return wanted(message, self.name, self.rules, self.servers)

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    async def run(self) -> None:
        """Send what comes, until cancelled."""
        while True:
            self._wake.clear()
            try:
                pause = await self._step()
            except Exception:
                log.exception("channel %s: a step failed; tried again", self.name)
                pause = LOOK_S
            with suppress(TimeoutError):
                async with asyncio.timeout(None if pause is None else max(pause, TICK_S)):
                    await self._wake.wait()

    async def close(self) -> None:
        """End it; what waits stays in the ledger."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task], timeout=CLOSE_S)
        await self._link.close()

    async def test(self, message: AlertMessage) -> str:
        """Send a message past all that waits and return what the receiver said. Raises OckleError."""
        try:
            said = await self._link.send(message)
        finally:
            if not self.rules.enabled:
                await self._link.close()
        self._worked()
        self._ledger.write({}, replace(self._ledger.channel(self.name), sent_at=self._clock.wall()))
        self.wake()
        return redact(said)

    def problem(self) -> Problem | None:
        """Return what is wrong with the channel if people should know; from any thread."""
        trouble = self.trouble
        if trouble is None or not trouble.alarming:
            return None
        subject = subject_of(self.name)
        return Problem(subject, "channel", Severity.WARNING, subject, f"channel {self.name}: {trouble.text}")

    # -- one step

    async def _step(self) -> float | None:
        """Do what is due; return seconds until there may be more to do, None: only when woken."""
        self._tidied()
        if (wait := self._next_try - self._clock.now()) > 0:
            return wait
        if not self._link.is_open:
            try:
                await self._link.open()
            except OckleError as error:
                return self._failed(error)
            self._worked()
        entries, now = self._tidied(), self._clock.now()  # again: more may have come meanwhile
        batch = going(entries, self._may_go, self._allowance.peek(now))
        if not batch:
            return self._pause(entries, now)
        entry = as_one(batch)
        if len(batch) > 1:
            gone = {one.seq for one in batch}
            rest = (entry, *(one for one in entries if one.seq not in gone))
            self._ledger.write({self.name: tuple(sorted(rest, key=lambda one: one.seq))})
        try:
            await self._link.send(with_lost(entry.message, self._ledger.channel(self.name).lost))
        except MessageRefused as error:
            self._refusals += 1
            if self._refusals < REFUSALS_MOST:
                return self._failed(error)
            if self._given_up:  # it is not this message, nothing gets through
                return self._failed(DeviceRefused(str(error)))
            self._give_up(entry, error)
            return 0.0
        except OckleError as error:
            return self._failed(error)
        self._allowance.take(self._clock.now())
        self._worked()
        done = replace(self._ledger.channel(self.name), sent_at=self._clock.wall(), lost=0)
        self._ledger.write({self.name: self._without(entry)}, done)
        return 0.0

    def _tidied(self) -> Entries:
        """Return what waits, without what is outdated, unwanted or too old."""
        if not self.entries:
            return ()
        now = self._clock.wall()
        since_quiet = now - self.rules.quiet.ended(now)

        def age(entry: Entry) -> float:
            if quiet_until(self.rules, entry.message.severity, now) is not None:
                return 0.0
            return min(self._clock.since(entry.stamp), since_quiet)

        entries = merged(self.entries)
        if not self.rules.recovery:
            entries = tuple(entry for entry in entries if entry.message.kind != "recovery" or entry.over)
        entries, expired = unexpired(entries, age, self.rules.keep_for)
        entries, too_many = bounded(entries)
        row = self._ledger.channel(self.name)
        if lost := expired + too_many:
            keep = format_duration(self.rules.keep_for)
            why = f"for {keep}" if not too_many else "and more than can be kept"
            self._tell(f"channel {self.name}: given up after waiting {why}: {_messages(lost)}")
            row = replace(row, lost=row.lost + lost)
        self._ledger.write({self.name: entries}, *([row] if lost else []))
        return entries

    def _may_go(self, severity: Severity) -> bool:
        return quiet_until(self.rules, severity, self._clock.wall()) is None

    def _pause(self, entries: Entries, now: float) -> float | None:
        if not entries:
            return None
        wall = self._clock.wall()
        ends = [quiet_until(self.rules, entry.message.severity, wall) for entry in entries]
        if None in ends:  # it may go but for the rate
            return min(LOOK_S, (1 - self._allowance.peek(now)) / self._per_s)
        return min(LOOK_S, *(end - wall for end in ends if end is not None))

    def _without(self, gone: Entry) -> Entries:
        return tuple(entry for entry in self.entries if entry.seq != gone.seq)

    def _give_up(self, entry: Entry, error: OckleError) -> None:
        self._refusals, self._given_up = 0, True
        self._tell(f"channel {self.name}: given up {entry.message.title!r}: {_line(error)}")
        row = self._ledger.channel(self.name)
        self._ledger.write({self.name: self._without(entry)}, replace(row, lost=row.lost + 1))

    # -- how it goes

    def _worked(self) -> None:
        self._tries = self._refusals = 0
        self._given_up = False
        self._next_try = float("-inf")
        if self.trouble is not None:
            self.trouble = None
            self._tell(f"channel {self.name} works again")

    def _failed(self, error: OckleError) -> float:
        """Note why it did not work, and return after how many seconds it is tried again."""
        self._tries += 1
        now, before = self._clock.now(), self.trouble
        refused = isinstance(error, DeviceRefused | ConfigError)
        delay = REFUSED_S if refused else min(BACK_OFF_MOST_S, 2.0 ** min(self._tries - 1, 9))
        delay *= random.uniform(1.0, 1.2)  # noqa: S311 - so that not all come at once
        if isinstance(error, TryLater):
            delay = max(delay, min(error.after, LATER_MOST_S))
        self._next_try = now + delay
        since = before.since if before is not None else now
        self.trouble = Trouble(_line(error), since, refused, refused or now - since >= ALARM_S)
        if before is None or (refused and not before.refused):
            remedy = "it is tried rarely until that is mended" if refused else "it is tried again"
            self._tell(f"channel {self.name}: {self.trouble.text}; {remedy}")
        return delay


def _line(error: OckleError) -> str:
    """Return what an error says, on one line and without secrets."""
    return " ".join(redact(str(error)).split())[:TEXT_MOST]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
