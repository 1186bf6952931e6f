"""Which PDUs, controllers and testers seem to be what is wrong, rather than the servers on them. On the device loop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...common.problems import Problem, Severity
from ...drivers.driver import Driver
from ...networkTree.facts import Desired, Supply
from ...networkTree.ServerNetwork import ServerNetwork
from ...networkTree.ServerNode import ServerNode
from ...testers.TemplateTester import TesterOpState
from .ties import Ties, generator_subject, label, via

PDUS, TESTERS = "pdus", "testers"
"""Subjects of what several devices have in common."""
SUSPECT = 3
"""If so many servers that do not need each other fail one tester at once, and all do, it is not each by itself."""


@dataclass(slots=True)
class _Users:
    """What is seen through one device: how much in all, and what of it fails."""

    part: Driver
    count: int = 0
    servers: set[str] = field(default_factory=set)
    bad: list[Driver] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)


def pdus_of_circuits(network: ServerNetwork) -> dict[str, set[str]]:
    """Return the PDUs behind each circuit: name -> subjects."""
    found: dict[str, set[str]] = {}
    for node in network:
        for outlet in node.outlets:
            if outlet.circuit is not None:
                found.setdefault(outlet.circuit.name, set()).add(generator_subject(outlet))
    return found


def pdu_problems(network: ServerNetwork, ties: Ties) -> list[Problem]:
    """Return one problem for each PDU that does not answer, or not for all of its outlets; if none does, one for all.

    One that shares a circuit with others may be dead with that. One that has it for itself is rather dead by itself.
    """
    wide = {name: pdus for name, pdus in pdus_of_circuits(network).items() if len(pdus) > 1}
    found: dict[str, _Users] = {}
    for node in network:
        for outlet in node.outlets:
            users = found.setdefault(generator_subject(outlet), _Users(outlet))
            users.count += 1
            users.servers.add(node.name)
            if outlet.last_error and node.facts.op is None:
                users.bad.append(outlet)
    problems: list[Problem] = []
    for subject, users in found.items():
        if not users.bad:
            continue
        whole = len(users.bad) == users.count
        what = "does not answer" if whole else f"{len(users.bad)} of {users.count} outlets cannot be read"
        text = f"{label(subject)}{' ' if whole else ': '}{what}: {users.bad[0].last_error}"
        severity = Severity.CRITICAL if whole else Severity.WARNING
        fed = ties.feeds_all(users.servers) if whole else ()
        circuits = tuple(f"circuit/{name}" for name, pdus in wide.items() if subject in pdus)
        hangs_on = (*via(users.part), *circuits, *fed)
        problems.append(Problem(subject, "device", severity, subject, text, "", hangs_on))
    if len(problems) == len(found) and all(problem.severity is Severity.CRITICAL for problem in problems):
        why = "Ockle is cut off from them, or they have no power"
        return with_common(problems, PDUS, f"none of {len(problems)} PDUs answers: {why}")
    return problems


def with_common(problems: list[Problem], subject: str, text: str) -> list[Problem]:
    """Return problems of devices that have come together as what they have in common, and themselves as part of that.

    What explains all of them explains that, too.
    """
    if len(problems) < 2:
        return problems
    common = set.intersection(*(set(problem.hangs_on) for problem in problems))
    whole = Problem(subject, "device", Severity.CRITICAL, subject, text, "", tuple(sorted(common)))
    return [whole, *(replace(problem, hangs_on=(*problem.hangs_on, subject)) for problem in problems)]


def suspect_problems(network: ServerNetwork) -> list[Problem]:
    """Return testers and controllers of which no server passes: what is common to these is not named in any file."""
    found: dict[str, _Users] = {}
    for node in network:
        if not _should_serve(node):
            continue
        for part, is_bad in _parts(node):
            users = found.setdefault(generator_subject(part), _Users(part))
            users.count += 1
            if is_bad:
                users.bad.append(part)
                users.failing.append(node.name)
    problems: list[Problem] = []
    for subject, users in found.items():
        if len(users.bad) < max(SUSPECT, users.count) or _independent(network, users.failing) < SUSPECT:
            continue
        text = f"{label(subject)}: none of {users.count} servers passes, {users.failing[0]}: {users.bad[0].last_error}"
        problems.append(Problem(subject, "device", Severity.CRITICAL, subject, text, "", (*via(users.part), PDUS)))
    names = ", ".join(label(problem.subject) for problem in problems)
    return with_common(problems, TESTERS, f"no server passes its tests, whatever asks: {names}")


def _should_serve(node: ServerNode) -> bool:
    facts = node.facts
    return facts.op is None and facts.desired is not Desired.OFF and facts.supply in (Supply.ON, Supply.NONE)


def _parts(node: ServerNode) -> Iterator[tuple[Driver, bool]]:
    """Yield what tells whether a server serves, and whether it says no."""
    for test in node.tests:
        yield test, node.facts.serving is False and test.opState is TesterOpState.FAILED
    for control in () if node.tests else node.controls:
        yield control, node.facts.serving is False and bool(control.last_error)


def _independent(network: ServerNetwork, failing: list[str]) -> int:
    """Return how many of them do not need another of them."""
    names = set(failing)
    return sum(not any(one.name in names for one in network.dependencies(name)) for name in failing)
