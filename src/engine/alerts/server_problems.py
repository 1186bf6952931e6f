"""Which servers are not what they shall be. What somebody wanted, or what is just being switched, is no problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...common.common import FAILED_START, PERMANENT, SWITCHING, UNOBSERVED, OpState
from ...common.problems import Problem, Severity
from ...networkTree.facts import Desired, Supply
from ...networkTree.ServerNode import ServerNode
from ..engine import Engine
from .ties import Ties, server_subject

FAILED_STOP = frozenset({OpState.failedToStop, OpState.permanentlyFailedToStop})


@dataclass(frozen=True, slots=True)
class Fault:
    """``dark``: it may be for want of power; ``needy``: it may be for want of a server that it needs."""

    severity: Severity
    text: str
    dark: bool = True
    needy: bool = True


def server_problems(engine: Engine, ties: Ties) -> Iterator[Problem]:
    """Yield at most one problem of each server's state, and those of its supplies. On the device loop."""
    wrong: list[str] = []
    for node in engine.network:
        fault = fault_of(node, engine)
        if fault is not None:
            wrong.append(node.name)
            yield _problem(node, fault, ties)
        if node.facts.missing and node.facts.op is None and node.facts.desired is not Desired.OFF:
            text = f"{node.name} is degraded: {node.facts.missing}"
            yield Problem(
                f"supply/{node.name}",
                "supply",
                Severity.WARNING,
                server_subject(node.name),
                text,
                node.name,
                (server_subject(node.name), *ties.feeds(node)),
            )
        for outlet in node.outlets:
            if outlet.doubt:
                yield Problem(
                    f"relay/{outlet.name}/{node.name}",
                    "supply",
                    Severity.CRITICAL,
                    server_subject(node.name),
                    f"{node.name}: outlet {outlet.name}: {outlet.doubt}",
                    node.name,
                )
    for node in _waiting(engine, wrong):
        why = node.why or "for a server that it needs"
        text = f"{node.name} is off and should be on: {why}"
        yield _problem(node, Fault(Severity.WARNING, text), ties)


def _problem(node: ServerNode, fault: Fault, ties: Ties) -> Problem:
    name = node.name
    hangs_on = (*(ties.needs(node) if fault.needy else ()), *(ties.feeds(node) if fault.dark else ()), *ties.asks(node))
    return Problem(f"server/{name}", "server", fault.severity, server_subject(name), fault.text, name, hangs_on)


def fault_of(node: ServerNode, engine: Engine) -> Fault | None:
    """Return what is wrong with a server, None while nothing is that a person should see to."""
    facts, name = node.facts, node.name
    state, error = facts.op_state, facts.error or node.why
    if facts.forced is not None:
        return _forced(node)
    if state in PERMANENT:
        return _failed(node, "gave up", error, Severity.CRITICAL)
    attempts = facts.start_attempts + facts.stop_attempts
    if attempts and (state in SWITCHING or state in FAILED_START or state in FAILED_STOP):
        return _failed(node, "failed", error, Severity.WARNING, attempts)
    if facts.op is not None or engine.runs.of_server(name) is not None:
        return None
    if state in FAILED_STOP:
        return _failed(node, "failed", error, Severity.CRITICAL)
    if state in FAILED_START:
        if facts.desired is Desired.OFF:
            return Fault(Severity.WARNING, f"{name} should be off, has power, and does not serve: {error}", needy=False)
        severe = facts.degraded or facts.desired is Desired.ON
        text = f"{name} does not serve any more" if facts.degraded else f"{name} has power, but does not serve"
        return Fault(Severity.CRITICAL if severe else Severity.WARNING, f"{text}: {error}")
    if state in UNOBSERVED:
        return _unknown(node, error)
    return _not_as_ordered(node, engine)


def _forced(node: ServerNode) -> Fault | None:
    facts = node.facts
    if facts.op is not None:
        return None
    if facts.forced is Desired.ON and (facts.supply is Supply.OFF or facts.serving is False):
        what = "is off" if facts.supply is Supply.OFF else "does not serve"
        return Fault(Severity.CRITICAL, f"{node.name} is forced on, but {what}: {facts.error or 'nobody knows why'}")
    if facts.forced is Desired.OFF and facts.serving is True:
        return Fault(Severity.WARNING, f"{node.name} is forced off, but it serves")
    return _unknown(node, facts.error) if facts.supply is Supply.UNKNOWN else None


def _failed(node: ServerNode, verb: str, error: str, severity: Severity, attempt: int = 0) -> Fault:
    stops = node.facts.op_state in FAILED_STOP or node.facts.op_state is OpState.SwitchingOff
    goal = "shutting down" if stops and verb == "gave up" else "starting" if verb == "gave up" else ""
    goal = goal or ("to shut down" if stops else "to start")
    tried = f" (attempt {attempt})" if attempt else ""
    return Fault(severity, f"{node.name} {verb} {goal}{tried}: {error}", needy=not stops)


def _unknown(node: ServerNode, error: str) -> Fault | None:
    facts = node.facts
    if facts.supply is Supply.UNKNOWN:
        if not any(outlet.last_error or outlet.doubt for outlet in node.outlets):
            return None  # it has not been read yet
        return Fault(Severity.WARNING, f"{node.name} is unknown: {facts.unread or error}", needy=False)
    if facts.op_state is OpState.UNKNOWN and facts.desired is Desired.ON and not facts.shutdown_sent:
        return Fault(Severity.WARNING, f"{node.name} is unknown: {error or 'its tests have not run'}")
    return None


def _not_as_ordered(node: ServerNode, engine: Engine) -> Fault | None:
    facts = node.facts
    if facts.held or not (facts.drifted or not engine.auto):
        return None
    if facts.op_state is OpState.OFF and facts.desired is Desired.ON:
        cause = next((outlet.cause for outlet in node.outlets if outlet.cause), "")
        why = cause or ("somebody else switched it off" if facts.drifted else node.why)
        severity = Severity.CRITICAL if facts.drifted else Severity.WARNING
        return Fault(severity, f"{node.name} is off and should be on: {why}")
    if facts.op_state is OpState.OK and facts.desired is Desired.OFF:
        why = "somebody else switched it on" if facts.drifted else node.why
        return Fault(Severity.WARNING, f"{node.name} is on and should be off: {why}", dark=False, needy=False)
    return None


def _waiting(engine: Engine, wrong: Iterable[str]) -> Iterator[ServerNode]:
    """Yield the servers that shall be on, and stay off because a server that they need is wrong."""
    todo, seen = list(wrong), set(wrong)
    while todo:
        for node in engine.network.dependents(todo.pop()):
            facts = node.facts
            waits = facts.op_state is OpState.OFF and facts.desired is Desired.ON and facts.op is None
            if node.name not in seen and waits and not facts.held and facts.forced is None:
                seen.add(node.name)
                todo.append(node.name)
                yield node
