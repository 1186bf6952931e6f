"""Deliberate bugs: each breaks one guard of the engine, in memory, and has to be caught.

A mutant has up to two forms. ``code`` replaces functions of the real code while a play of the engine runs on the rig;
where these are the planner's, the model runs on them as well. ``rules`` breaks the same promise in the model's table of
a switching, where that is not the planner's code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from ockle.common.common import OpState
from ockle.common.errors import DeviceError, DeviceStateError, DeviceUnreachable
from ockle.engine import endings, guards, mates
from ockle.engine.evidence import DownWatch
from ockle.engine.guards import Guards
from ockle.engine.rounds import Rounds
from ockle.engine.switching import Switching
from ockle.networkTree import decide, explain, states
from ockle.networkTree.facts import Phase, ServerFacts, Supply
from ockle.networkTree.ServerNode import ServerNode
from ockle.networkTree.states import Trigger
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.store.store import Store

Patch = tuple[object, str, Any]
"""(object, attribute, what to put there)"""


@dataclass(frozen=True)
class Mutant:
    """One deliberate bug.

    ``limits``      of the model's configurations
    ``network``     the one in which the model looks first
    ``equivalent``  why nothing can catch it
    """

    name: str
    code: tuple[Patch, ...] = ()
    rows: Mapping[tuple[OpState, Trigger], OpState] = field(default_factory=dict)
    rules: Mapping[str, bool] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    network: str = ""
    equivalent: str = ""

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Within, the code has the bug."""
        with ExitStack() as stack:
            for where, name, new in self.code:
                stack.enter_context(patch.object(where, name, new))
            stack.enter_context(patch.dict(states.TRANSITIONS, self.rows))
            yield

    @property
    def in_model(self) -> bool:
        """Whether the model can have it: as a broken rule, or in the planner's code."""
        return bool(self.rules or self.rows or self.limits) or any(where is decide for where, _, _ in self.code)


# -- the planner

_satisfies, _is_down, _decide = decide.satisfies, decide.is_down, decide.decide


def _satisfied_if(more: Callable[[ServerFacts], bool]) -> Patch:
    return decide, "satisfies", lambda facts: _satisfies(facts) or (facts.op is None and more(facts))


def _down_if(more: Callable[[ServerFacts], bool]) -> Patch:
    return decide, "is_down", lambda facts: _is_down(facts) or (facts.op is None and more(facts))


def _one_is_enough(neighbours: Iterable[decide.Neighbour]) -> tuple[decide.Neighbour, ...]:
    every = tuple(neighbours)
    missing = tuple(one for one in every if not decide.satisfies(one.facts))
    return missing if len(missing) == len(every) else ()


def _asks_the_first(neighbours: Iterable[decide.Neighbour], *_: Any) -> tuple[decide.Neighbour, ...]:
    return tuple(one for one in list(neighbours)[:1] if not decide.is_down(one.facts))


def _ignores_force(facts: ServerFacts, *rest: Any, **more: Any) -> decide.Decision:
    if facts.forced is None:
        return _decide(facts, *rest, **more)
    state = OpState.OK if facts.supply is Supply.ON else OpState.OFF
    return _decide(replace(facts, forced=None, op_state=state), *rest, **more)


def _guard(name: str, new: Callable[..., tuple[decide.Neighbour, ...]]) -> tuple[Patch, ...]:
    return (decide, name, new), (guards, name, new)


# -- the switching

_guard_off, _read_once, _controls = Guards.off, OutletTemplate._read_once, DownWatch._controls
_put, _commit, _wait_until_down = Store.put, Store.commit, Switching._wait_until_down


async def _silence_is_off(self: OutletTemplate) -> bool | DeviceError:
    answer = await _read_once(self)
    return False if isinstance(answer, DeviceUnreachable) else answer


async def _silence_is_down(self: DownWatch) -> bool | None:
    answer = await _controls(self)
    return True if answer is None else answer


async def _nothing(*_: Any) -> None:
    return None


def _no_guard(*_: Any) -> None:
    return None


def _not_before_shutdown(self: Guards) -> None:
    self.sent = self.no_way_back = True


def _only_before_cut(self: Guards) -> None:
    if self._node.facts.phase is Phase.CUT:
        _guard_off(self)


def _only_before_shutdown(self: Guards) -> None:
    if self._node.facts.phase is not Phase.CUT:
        _guard_off(self)


async def _later(self: Store) -> None:
    loop = asyncio.get_running_loop()
    loop.call_later(0.2, lambda: loop.create_task(_commit(self)))


def _put_without(column: str) -> Patch:
    def put(self: Store, table: str, key: Any, **values: Any) -> None:
        if table == "servers" and column in values:
            values[column] = None
        _put(self, table, key, **values)

    return Store, "put", put


async def _trusts(_self: OutletTemplate, state: bool, *_: Any, **__: Any) -> bool:
    return state


async def _cuts_anyway(self: Switching) -> None:
    try:
        await _wait_until_down(self)
    except DeviceStateError:
        return


def _no_mates(*_: Any) -> tuple[()]:
    return ()


async def _another_boot(_node: ServerNode) -> list[str]:
    return ["another"]


NEVER = property(lambda _self: False, lambda _self, _value: None)
FORGETS = (ServerFacts, "shutdown_sent", NEVER)
ALL_GUARDS = ((Guards, "on", _no_guard), (Guards, "off", _no_guard), (Guards, "before_shutdown", _not_before_shutdown))
ENDLESS = (
    (ServerNode, "incrementStartAttempt", lambda _self: 1),
    (ServerNode, "incrementShutdownAttempt", lambda _self: 1),
    (endings, "back_off", lambda _attempts: 1.0),
)

MUTANTS = [
    Mutant("an outlet that does not answer is off", ((OutletTemplate, "_read_once", _silence_is_off),),
           rules={"silence_is_unknown": False}),
    Mutant("a machine that does not answer is down", ((DownWatch, "_controls", _silence_is_down),),
           rules={"booting_is_not_halted": False}),
    Mutant("the outlets go off before the shutdown", ((Switching, "_shut_down", _nothing),),
           rules={"controls_first": False}),
    Mutant("the cut does not wait for the shutdown", ((Switching, "_wait_until_down", _nothing),),
           rules={"wait_until_down": False}),
    Mutant("a shutdown that hangs is cut, whatever the policy", ((Switching, "_wait_until_down", _cuts_anyway),),
           rules={"keep_policy": False}),
    Mutant("nothing is durable", ((Store, "commit", _nothing),),
           rules={"journal_durable": False, "force_durable": False}),
    Mutant("the journal is written after the send", ((Store, "commit", _later),), rules={"journal_first": False}),
    Mutant("the disk does not know of the shutdown", (_put_without("shutdown_sent"),),
           rules={"journal_durable": False}),
    Mutant("the disk does not know of the force", (_put_without("forced"),), rules={"force_durable": False}),
    Mutant("guards are asked only at the beginning", ALL_GUARDS,
           rules={"recheck_on": False, "recheck_shutdown": False, "recheck_cut": False},
           network="chain, two supplies, running"),
    Mutant("no guard before outlets go on", ((Guards, "on", _no_guard),), rules={"recheck_on": False},
           network="chain, two supplies, running"),
    Mutant("no guard before the shutdown",
           ((Guards, "off", _only_before_cut), (Guards, "before_shutdown", _not_before_shutdown)),
           rules={"recheck_shutdown": False},
           network="chain, bold"),
    Mutant("no guard before the cut", ((Guards, "off", _only_before_shutdown),), rules={"recheck_cut": False},
           network="chain, bold"),
    Mutant("a shutdown that was sent is not remembered", (FORGETS,), rules={"remember_shutdown": False}),
    Mutant("a shutdown that was sent can be called off", (FORGETS,),
           rules={"point_of_no_return": False, "remember_shutdown": False}),
    Mutant("a machine that answers has booted anew", ((Rounds, "_boots_in_question", staticmethod(_another_boot)),),
           rules={"compare_boots": False}),
    Mutant("an acknowledgement is proof", ((OutletTemplate, "_read_back", _trusts),), rules={"verify": False}),
    Mutant("attempts are not limited", ENDLESS, limits={"max_attempts": 0}),
    Mutant("a force does not bind the automation",
           ((decide, "decide", _ignores_force), (explain, "decide", _ignores_force))),
    Mutant("who is asked to shut down still satisfies",
           ((decide, "satisfies", lambda facts: _satisfies(replace(facts, shutdown_sent=False))),),
           network="chain, two supplies, running"),
    Mutant("who has power satisfies", (_satisfied_if(lambda facts: facts.supply is Supply.ON),),
           network="chain, two supplies, running"),
    Mutant("who failed to start satisfies", (_satisfied_if(lambda facts: facts.op_state is OpState.failedToStart),),
           network="chain, two supplies, running"),
    Mutant("one satisfied dependency is enough", _guard("on_guard", _one_is_enough),
           network="join, started"),
    Mutant("one dependent is asked", _guard("off_guard", _asks_the_first),
           network="fork, running"),
    Mutant("who hangs on the same outlet is not known",
           ((guards, "cutting_guard", _no_mates), (guards, "feeding_guard", _no_mates), (guards, "running", _no_mates),
            (mates, "cutting_guard", _no_mates), (mates, "running", _no_mates))),
    Mutant("what is unknown is down", (_down_if(lambda facts: facts.supply is Supply.UNKNOWN),),
           network="chain, running"),
    Mutant("one supply off is down", (_down_if(lambda facts: facts.supply is Supply.MIXED),),
           network="chain, two supplies, running"),
    Mutant("who is not OK is down", (_down_if(lambda facts: facts.op_state is not OpState.OK),),
           network="chain, running"),
    Mutant("who gave up is tried again", ((decide, "PERMANENT", frozenset()),)),
    Mutant("who gave up starting begins anew when it is off",
           rows={(OpState.permanentlyFailedToStart, Trigger.SAW_OFF): OpState.OFF}),
    Mutant("who starts satisfies", ((decide, "satisfies", lambda facts: _satisfies(replace(facts, op=None))),),
           equivalent="a server that is being switched is never OK or forced on by the table; the check comes first "
                      "because it is the cheap one"),
    Mutant("who is being switched may be down",
           ((decide, "is_down", lambda facts: _is_down(replace(facts, op=None))),),
           equivalent="a start whose supplies are off has sent nothing yet, and its own guard, asked right before it "
                      "sends, sees what happens to its dependency; the check comes first because it is the cheap one"),
]  # fmt: skip
