"""What is decided from what is known: the guards and the table of states, case by case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.common import FORCED, PERMANENT, OpState
from ockle.networkTree.budget import Lack, Load
from ockle.networkTree.decide import Move, decide, is_down, satisfies
from ockle.networkTree.facts import Desired, Policy, ServerFacts, Supply
from ockle.networkTree.states import TRANSITIONS, Trigger, transition
from ockle.outlets.circuit import Circuit


@dataclass
class Server:
    name: str = "other"
    facts: ServerFacts = field(default_factory=ServerFacts)


def facts(**values: Any) -> ServerFacts:
    return ServerFacts(**{"supply": Supply.OFF, "op_state": OpState.OFF, **values})


LACK = Lack(Load(Circuit("a")), "circuit a is full", "another start ends")
ON = {"supply": Supply.ON, "op_state": OpState.OK, "serving": True}


@pytest.mark.parametrize(
    ("known", "move", "reason"),
    [
        (facts(), Move.NOTHING, ""),
        (facts(desired=Desired.ON), Move.START, ""),
        (facts(desired=Desired.ON, **ON), Move.NOTHING, ""),
        (facts(desired=Desired.OFF, **ON), Move.STOP, ""),
        (facts(desired=Desired.OFF), Move.NOTHING, ""),
        (facts(desired=Desired.ON, supply=Supply.UNKNOWN, error="no answer"), Move.WAIT, "no answer"),
        (facts(desired=Desired.OFF, supply=Supply.UNKNOWN, op_state=OpState.OK), Move.WAIT, "not been read"),
        (facts(desired=Desired.ON, retry_at=130.0), Move.WAIT, "next attempt in 30 s"),
        (facts(desired=Desired.ON, held="new fan"), Move.NOTHING, "held: new fan"),
        (facts(desired=Desired.ON, forced=Desired.OFF), Move.NOTHING, "forced off"),
        (facts(desired=Desired.ON, drifted=True), Move.NOTHING, "somebody else"),
        (facts(desired=Desired.ON, op_state=OpState.permanentlyFailedToStart), Move.NOTHING, "gave up"),
        (facts(desired=Desired.OFF, op_state=OpState.permanentlyFailedToStart), Move.STOP, ""),
        (facts(desired=Desired.OFF, **{**ON, "op_state": OpState.permanentlyFailedToStop}), Move.NOTHING, "gave up"),
        (facts(desired=Desired.ON, **{**ON, "op_state": OpState.failedToStart}, degraded=True), Move.NOTHING, "fails"),
        (facts(desired=Desired.ON, **ON, shutdown_sent=True), Move.STOP, ""),
        (facts(desired=Desired.ON, op=Desired.ON), Move.NOTHING, ""),
    ],
)
def test_one_server_alone(known: ServerFacts, move: Move, reason: str) -> None:
    decision = decide(known, (), (), 100.0)
    assert decision.move is move
    assert reason in decision.reason


@pytest.mark.parametrize("state", OpState)
def test_a_dependency_lets_start_only_when_it_serves(state: OpState) -> None:
    other = Server(facts=facts(op_state=state, supply=Supply.ON))
    decision = decide(facts(desired=Desired.ON), [other], (), 0.0)
    assert (decision.move is Move.START) is (state is OpState.OK)
    if state is not OpState.OK:
        assert decision.blockers == ("other",)
        assert decision.frees


@pytest.mark.parametrize("supply", Supply)
def test_a_dependent_lets_stop_only_when_it_is_proven_down(supply: Supply) -> None:
    other = Server(facts=facts(op_state=OpState.OK, supply=supply))
    decision = decide(facts(desired=Desired.OFF, **ON), (), [other], 0.0)
    assert (decision.move is Move.STOP) is (supply is Supply.OFF)


def test_the_limit_of_starts_is_told_apart_from_other_waiting() -> None:
    assert decide(facts(desired=Desired.ON), (), (), 0.0, LACK).starved
    assert decide(facts(desired=Desired.ON), (), (), 0.0, None).move is Move.START


FACTS = st.builds(
    ServerFacts,
    desired=st.sampled_from([None, *Desired]),
    held=st.sampled_from(["", "why"]),
    forced=st.sampled_from([None, *Desired]),
    retry_at=st.sampled_from([0.0, 1000.0]),
    shutdown_sent=st.booleans(),
    op_state=st.sampled_from(list(OpState)),
    op=st.sampled_from([None, *Desired]),
    supply=st.sampled_from(list(Supply)),
    serving=st.sampled_from([None, True, False]),
    degraded=st.booleans(),
    drifted=st.booleans(),
    policy=st.builds(Policy, on_failure=st.sampled_from(["alarm", "recover"])),
)
SERVERS = st.lists(st.builds(Server, facts=FACTS), max_size=3)


@given(FACTS, SERVERS, SERVERS, st.sampled_from([None, LACK]))
def test_the_laws_of_every_decision(
    known: ServerFacts, dependencies: list[Server], dependents: list[Server], lack: Lack | None
) -> None:
    decision = decide(known, dependencies, dependents, 100.0, lack)
    moves = decision.move in (Move.START, Move.STOP)
    if decision.move is Move.START:
        assert all(satisfies(one.facts) for one in dependencies)
        assert known.desired is Desired.ON
        assert not known.shutdown_sent
        assert lack is None
    if decision.move is Move.STOP:
        assert all(is_down(one.facts) for one in dependents)
        assert known.desired is Desired.OFF or known.shutdown_sent
    if moves:
        assert known.op is None
        assert known.forced is None
        assert not known.held
        assert known.supply is not Supply.UNKNOWN
        assert known.retry_at <= 100.0
    if decision.move is Move.WAIT:
        assert decision.reason
        assert decision.frees


@given(FACTS)
def test_unknown_satisfies_nobody(known: ServerFacts) -> None:
    if known.op_state in (OpState.INIT, OpState.UNKNOWN):
        assert not satisfies(known)
    if known.supply is Supply.UNKNOWN:
        assert not is_down(known)


# -- the table


def test_only_a_person_ends_giving_up() -> None:
    for (state, trigger), target in TRANSITIONS.items():
        if state in PERMANENT and target not in (state, *FORCED):
            by_a_person = trigger in (Trigger.RESET, Trigger.STOP)
            assert by_a_person or (trigger, target) == (Trigger.SAW_OFF, OpState.OFF), (state, trigger, target)


def test_ok_and_off_come_from_evidence_only() -> None:
    evidence = {Trigger.SAW_ON, Trigger.SAW_OFF, Trigger.STARTED, Trigger.STOPPED}
    for (state, trigger), target in TRANSITIONS.items():
        if target in (OpState.OK, OpState.OFF) and target is not state:
            assert trigger in evidence


def test_whatever_is_being_switched_can_end_in_every_way_an_attempt_can() -> None:
    for trigger in (Trigger.STARTED, Trigger.START_FAILED, Trigger.START_GAVE_UP):
        assert (OpState.SwitchingOn, trigger) in TRANSITIONS
    for trigger in (Trigger.STOPPED, Trigger.STOP_FAILED, Trigger.STOP_GAVE_UP):
        assert (OpState.SwitchingOff, trigger) in TRANSITIONS


def test_an_event_without_a_row_is_a_bug_and_raises() -> None:
    with pytest.raises(ValueError, match="no transition from OFF by STARTED"):
        transition(OpState.OFF, Trigger.STARTED)


@given(st.lists(st.sampled_from(list(Trigger)), max_size=20))
def test_no_state_is_a_dead_end(triggers: list[Trigger]) -> None:
    """From wherever events lead, a person can have the server off again."""
    state = OpState.INIT
    for trigger in triggers:
        state = TRANSITIONS.get((state, trigger), state)
    for trigger in (Trigger.UNFORCE, Trigger.RESET, Trigger.START_FAILED, Trigger.STOP, Trigger.STOPPED):
        state = TRANSITIONS.get((state, trigger), state)
    assert state is OpState.OFF
