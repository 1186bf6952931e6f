"""Decides what a server does next, from what is known of it and of its neighbours. Pure: no I/O, no clock of its own.

The two guards stand here and nowhere else; the executor asks them again right before everything it cannot take back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from ..common.common import PERMANENT, OpState
from .budget import Lack
from .facts import Desired, ServerFacts, Supply


class Neighbour(Protocol):
    """A server as its neighbours' decisions see it."""

    @property
    def name(self) -> str: ...
    @property
    def facts(self) -> ServerFacts: ...


class OnSameOutlet(Neighbour, Protocol):
    """A server that an outlet feeds besides the one that is decided about; ``outlet`` says which."""

    @property
    def outlet(self) -> str: ...


class Move(Enum):
    """What to do with a server now."""

    NOTHING = "nothing"
    WAIT = "wait"
    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next move of a server, and why.

    ``reason``    for a person; "" when there is nothing to explain
    ``blockers``  servers it waits for
    ``until``     moment of the clock when to decide again, if time alone may change the answer
    ``frees``     what would end the waiting, for a person
    ``guard``     which rule holds it, in a word or two; "" when none does
    ``starved``   only the budget of its circuits, or of the site, keeps it waiting
    """

    move: Move
    reason: str = ""
    blockers: tuple[str, ...] = ()
    until: float | None = None
    frees: str = ""
    guard: str = ""
    starved: bool = False


NOTHING = Decision(Move.NOTHING)

EMERGENCY_FREES = "the emergency is cleared: ockle emergency clear"
_START, _STOP = Decision(Move.START), Decision(Move.STOP)


def satisfies(facts: ServerFacts) -> bool:
    """Tell whether what depends on this server may start: it serves, verified, and nothing is about to end that."""
    if facts.op is not None or facts.shutdown_sent:
        return False
    if facts.op_state is OpState.forcedOn:
        return facts.supply in (Supply.ON, Supply.NONE) and facts.serving is True
    return facts.op_state is OpState.OK


def is_down(facts: ServerFacts) -> bool:
    """Tell whether what this server needs may be switched off: positive evidence, never the lack of an answer."""
    if facts.op is not None:
        return False
    if facts.supply is Supply.OFF:
        return True
    return facts.supply is Supply.NONE and facts.op_state is OpState.OFF


def is_proven_down(facts: ServerFacts) -> bool:
    """Tell whether it is down for all that is known now: a supply that was off may be on since it cannot be read."""
    return is_down(facts) and not facts.off_doubt


def on_guard(dependencies: Iterable[Neighbour]) -> tuple[Neighbour, ...]:
    """Return the dependencies that forbid a start now."""
    return tuple(one for one in dependencies if not satisfies(one.facts))


def off_guard(dependents: Iterable[Neighbour], now: float = float("-inf")) -> tuple[Neighbour, ...]:
    """Return the dependents that forbid a shutdown or a cut now; in an emergency none does for longer than its time."""
    return tuple(one for one in dependents if not is_proven_down(one.facts) and not is_overdue(one.facts, now))


def is_overdue(facts: ServerFacts, now: float) -> bool:
    """Tell whether the server's time in an emergency is over: what waits for it to be down goes on without it."""
    return facts.emergency_by is not None and now >= facts.emergency_by


def may_be_fed(facts: ServerFacts) -> bool:
    """Tell whether a server may get power because another one on its outlet is switched on."""
    if facts.forced is not None:
        return facts.forced is Desired.ON
    if facts.op is Desired.OFF or facts.shutdown_sent or facts.desired is Desired.OFF:
        return False
    return not (facts.held and is_down(facts))


def goes_down(facts: ServerFacts) -> bool:
    """Tell whether a server is down or on its way there, so that another one on its outlet need not stay on for it."""
    if is_down(facts) or facts.op is Desired.OFF or facts.emergency_by is not None:
        return True
    if (
        facts.op is Desired.ON
        or facts.held
        or facts.policy.carries_daemon
        or facts.op_state is OpState.permanentlyFailedToStop
    ):
        return False
    if facts.forced is not None:
        return facts.forced is Desired.OFF
    readable = facts.supply is not Supply.UNKNOWN and not facts.unread
    return facts.desired is Desired.OFF and (readable or facts.emergency_by is not None)


def feeding_guard(sharers: Iterable[OnSameOutlet]) -> tuple[OnSameOutlet, ...]:
    """Return those on the same outlets that forbid to switch these on."""
    return tuple(one for one in sharers if not may_be_fed(one.facts))


def cutting_guard(sharers: Iterable[OnSameOutlet]) -> tuple[OnSameOutlet, ...]:
    """Return those on the same outlets that forbid a shutdown which is to end with a cut."""
    return tuple(one for one in sharers if not goes_down(one.facts))


def decide(
    facts: ServerFacts,
    dependencies: Iterable[Neighbour],
    dependents: Iterable[Neighbour],
    now: float,
    lack: Lack | None = None,
    sharers: Iterable[OnSameOutlet] = (),
) -> Decision:
    """Return the next move of one server.

    ``dependencies``, ``dependents``  those of its whole group, where it shares outlets
    ``now``          moment of the clock, in seconds
    ``lack``         what is missing of the budget for its start; None = nothing
    ``sharers``      servers that would be fed, or cut, with this one
    Cost: O(neighbours).
    """
    if facts.op is not None:
        return Decision(Move.NOTHING, f"{facts.phase}")
    if facts.forced is not None:
        note = f": {facts.forced_note}" if facts.forced_note else ""
        ends = "" if facts.forced_until is None else f", or in {max(facts.forced_until - now, 0):.0f} s by itself"
        frees = f"the force is cleared{ends}: ockle force clear"
        return Decision(Move.NOTHING, f"forced {facts.forced}{note}", frees=frees, guard="force")
    if facts.held:
        return Decision(Move.NOTHING, f"held: {facts.held}", frees="it is released: ockle hold --release", guard="hold")
    if facts.desired is None:
        return settled(facts)
    if facts.op_state in PERMANENT and facts.emergency_by is None:
        verb = "start" if facts.op_state is OpState.permanentlyFailedToStart else "stop"
        if not (verb == "start" and facts.desired is Desired.OFF):
            return Decision(
                Move.NOTHING,
                f"gave up: could not {verb}" + (f": {facts.error}" if facts.error else ""),
                frees=f"it is mended, and ordered {facts.desired} again",
                guard="attempts",
            )
    if facts.desired is Desired.ON and facts.emergency_by is not None and not facts.shutdown_sent:
        return Decision(Move.WAIT, "an emergency is declared", frees=EMERGENCY_FREES, guard="emergency")
    if facts.desired is Desired.ON and not facts.shutdown_sent:
        return _decide_on(facts, dependencies, now, lack, sharers)
    return _decide_off(facts, dependents, now, sharers)


def settled(facts: ServerFacts) -> Decision:
    """Return the decision about a server that nothing is to be done with, and what is wrong with it all the same."""
    if facts.missing and not facts.error:
        return Decision(Move.NOTHING, f"degraded: {facts.missing}", frees="all its supplies are on")
    return Decision(Move.NOTHING, facts.error if facts.op_state is not OpState.OK else "")


def _decide_on(
    facts: ServerFacts,
    dependencies: Iterable[Neighbour],
    now: float,
    lack: Lack | None,
    sharers: Iterable[OnSameOutlet],
) -> Decision:
    if facts.op_state is OpState.OK:
        return settled(facts)
    if facts.supply is Supply.UNKNOWN and not facts.feedable:
        return Decision(Move.WAIT, _unknown_supply(facts), frees="the device answers again", guard="supply")
    if facts.drifted:
        return Decision(
            Move.NOTHING,
            "switched off by somebody else",
            frees="it is ordered on, or the drift is enforced",
            guard="drift",
        )
    if facts.degraded and facts.policy.on_failure == "alarm":
        return Decision(
            Move.NOTHING, facts.error or "a test fails", frees="its tests pass again, or a restart", guard="on_failure"
        )
    blockers = on_guard(dependencies)
    if blockers:
        return Decision(
            Move.WAIT,
            "waiting for " + ", ".join(_describe(one) for one in blockers),
            tuple(one.name for one in blockers),
            frees=", ".join(one.name for one in blockers) + " on and tested",
            guard="dependencies",
        )
    others = feeding_guard(sharers)
    if others:
        return _wait_for_sharers(others, "on")
    return _decide_time(facts, now) or _decide_budget(lack) or _START


def _decide_off(
    facts: ServerFacts, dependents: Iterable[Neighbour], now: float, sharers: Iterable[OnSameOutlet]
) -> Decision:
    if facts.op_state is OpState.OFF and not facts.shutdown_sent:
        return NOTHING
    if facts.policy.carries_daemon:
        reason = f"not switched off: {facts.policy.carries_daemon}"
        return Decision(Move.NOTHING, reason, frees="a force off", guard="daemon_node")
    emergency = facts.emergency_by is not None
    if (facts.supply is Supply.UNKNOWN or facts.unread) and not emergency:
        return Decision(Move.WAIT, _unknown_supply(facts), frees="the device answers again", guard="supply")
    if facts.drifted and facts.desired is Desired.OFF and not emergency:
        return Decision(
            Move.NOTHING,
            "switched on by somebody else",
            frees="it is ordered off, or the drift is enforced",
            guard="drift",
        )
    blockers = off_guard(dependents, now)
    if blockers:
        return Decision(
            Move.WAIT,
            "still needed by " + ", ".join(_describe(one) for one in blockers),
            tuple(one.name for one in blockers),
            until=min((one.facts.emergency_by for one in blockers if one.facts.emergency_by is not None), default=None),
            frees=", ".join(one.name for one in blockers) + " off",
            guard="dependents",
        )
    others = cutting_guard(sharers)
    if others:
        return _wait_for_sharers(others, "off")
    return _decide_time(facts, now) or _STOP


def _wait_for_sharers(others: tuple[OnSameOutlet, ...], goal: str) -> Decision:
    return Decision(
        Move.WAIT,
        sharing_text(others),
        tuple(one.name for one in others),
        frees=", ".join(f"{one.name} ordered {goal}, too" for one in others),
        guard="shared outlet",
    )


def sharing_text(others: Iterable[OnSameOutlet]) -> str:
    """Return who else hangs on which outlet, and what it is, for a person."""
    return ", ".join(f"its outlet {one.outlet} also feeds {_describe_sharer(one)}" for one in others)


def _decide_time(facts: ServerFacts, now: float) -> Decision | None:
    if facts.retry_at <= now:
        return None
    reason = f"next attempt in {facts.retry_at - now:.0f} s" + (f": {facts.error}" if facts.error else "")
    return Decision(Move.WAIT, reason, until=facts.retry_at, frees="the back-off ends", guard="back-off")


def _decide_budget(lack: Lack | None) -> Decision | None:
    if lack is None:
        return None
    return Decision(Move.WAIT, lack.text, frees=lack.frees, guard="budget", starved=True)


def _unknown_supply(facts: ServerFacts) -> str:
    return facts.unread or facts.error or "an outlet has not been read yet"


def _describe_sharer(one: Neighbour) -> str:
    facts = one.facts
    if facts.forced is not None:
        return f"{one.name} (forced {facts.forced})"
    if facts.held:
        return f"{one.name} (held: {facts.held})"
    if facts.shutdown_sent and facts.op is None:
        return f"{one.name} (shut down, and to be off before it can be on)"
    if facts.op is None and facts.desired is Desired.OFF and is_down(facts):
        return f"{one.name} (ordered off)"
    return _describe(one)


def _describe(one: Neighbour) -> str:
    facts = one.facts
    detail = facts.error if facts.op_state not in (OpState.OFF, OpState.OK) and facts.error else ""
    if facts.op is None and facts.desired is not Desired.ON and facts.op_state is OpState.OFF:
        detail = facts.off_doubt or "off, and not ordered on"
    return f"{one.name} ({detail or facts.op_state.value})"
