"""Plans: what a command would do, in which order, how long it takes and what it costs others. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..common.common import FAILED_START, PERMANENT, OpState
from ..common.errors import CommandError
from .decide import is_down, may_be_fed
from .facts import Desired, Supply
from .ServerNetwork import ServerNetwork
from .ServerNode import ServerNode

ACTIONS = ("on", "off", "restart", "cut")
MANY = 10
"""More servers than these at once need the strongest confirmation."""


class Expected(NamedTuple):
    """How long a switching will take, in seconds: usually, and at most in 19 of 20 cases; ``learned``: from others."""

    seconds: float
    p95: float
    learned: bool = False


Durations = Callable[[str, str], Expected]
"""(server, "on" or "off") -> what to expect."""

CUT = Expected(5.0, 5.0)


@dataclass(slots=True)
class Step:
    """One switching of one server. Times in seconds from the start of the run.

    ``needs``    servers of this plan whose step has to end before
    ``because``  why the server is part of the plan
    ``eta_s``    how long it takes, ``p95_s`` in a bad case; ``learned``: from former times, else guessed from limits
    """

    n: int
    server: str
    action: str
    needs: list[str]
    because: str
    start_s: float
    eta_s: float
    p95_s: float
    learned: bool
    critical: bool = False


@dataclass(slots=True)
class Plan:
    """What would happen.

    ``rev``        changes when the steps do
    ``already``    targets that are as wanted
    ``untouched``  server -> why it is left alone, or cannot get there
    ``tier``       0-3, how much confirmation it needs; ``confirm`` is the text to type at 3
    """

    action: str
    targets: list[str]
    steps: list[Step]
    already: list[str]
    untouched: dict[str, str]
    total_s: float
    critical: list[str]
    tier: int
    confirm: str
    warnings: list[str] = field(default_factory=list)

    @property
    def rev(self) -> str:
        text = "\n".join(f"{step.action} {step.server}" for step in self.steps)
        return hashlib.sha256(f"{self.action}\n{text}".encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "rev": self.rev}


def make_plan(
    network: ServerNetwork,
    action: str,
    targets: Iterable[str],
    durations: Durations,
    coming_back: Collection[str] = (),
    exclude: Collection[str] = (),
) -> Plan:
    """Return the plan for ``action`` on ``targets``.

    ``coming_back``  servers that are off now but that a running restart is going to switch on again
    ``exclude``      servers that stay as they are, and with them whatever cannot be switched without them

    on       the targets and everything they need
    off      everything running that needs the targets, then the targets; graceful
    Servers that share an outlet with one that is switched are switched with it.
    restart  off as above, then on again what was on, and the targets
    cut      as off, but without shutdowns
    Raises CommandError for an unknown action or server. Cost: O(what is switched and what it concerns).
    """
    if action not in ACTIONS:
        raise CommandError(f"action is {action!r}: use one of {', '.join(ACTIONS)}")
    wanted = list(dict.fromkeys(targets))
    for name in (*wanted, *exclude):
        if name not in network:
            raise CommandError(f"there is no server {name}", "not_found")
    if not wanted:
        raise CommandError("no server named: name servers, or 'all'")
    excluded = frozenset(exclude)
    untouched: dict[str, str] = {}
    stages: list[tuple[str, set[str]]] = []
    if action in ("off", "restart", "cut"):
        down = _to_switch_off(network, wanted, untouched, coming_back, excluded)
        stages.append(("cut" if action == "cut" else "off", down))
    if action in ("on", "restart"):
        up = _to_switch_on(network, wanted, untouched, stages[0][1] if stages else frozenset(), excluded)
        stages.append(("on", up))
    steps = _schedule(network, stages, set(wanted), durations)
    critical = _mark_critical(steps)
    switched = {step.server for step in steps}
    already = [name for name in wanted if name not in switched and name not in untouched]
    tier, confirm = _tier(network, action, wanted, switched)
    total = max((step.start_s + step.eta_s for step in steps), default=0.0)
    return Plan(action, wanted, steps, already, untouched, total, critical, tier, confirm, _warnings(network, steps))


def _to_switch_off(
    network: ServerNetwork,
    targets: Sequence[str],
    untouched: dict[str, str],
    coming_back: Collection[str],
    excluded: Collection[str],
) -> set[str]:
    free = []
    for name in targets:
        reason = _stays_on(network.getServernode(name), excluded)
        if reason:
            untouched[name] = reason
        else:
            free.append(name)
    free = sorted(network.with_groups(free))
    chosen: set[str] = set()
    kept: set[str] = set()  # servers that stay as they are and may be running
    for name in {*free, *network.all_dependents(free)}:
        node = network.getServernode(name)
        if is_down(node.facts):
            if node.facts.desired is Desired.ON or name in coming_back or node.facts.op_state in FAILED_START:
                chosen.add(name)  # else it would be started again, or go on as failed
        elif reason := _stays_on(node, excluded):
            untouched[name] = reason
            kept.add(name)
        else:
            chosen.add(name)
    kept_groups = network.with_groups(kept)
    for name in kept_groups & chosen:
        untouched[name] = _shares_with(network, name, {one: untouched[one] for one in kept})
    for name in network.all_dependencies(kept_groups) & chosen - kept_groups:
        users = sorted((network.all_dependents([name]) & kept_groups) - {name})
        untouched[name] = "needed by " + ", ".join(
            f"{user} ({untouched.get(user, 'on the same outlet')})" for user in users
        )
    # Nobody goes down for a target that stays as it is.
    going = network.with_groups(name for name in targets if name not in untouched)
    return (chosen - untouched.keys()) & {*going, *network.all_dependents(going)}


def _shares_with(network: ServerNetwork, name: str, reasons: Mapping[str, str]) -> str:
    """Return why ``name`` cannot be switched: ``reasons`` says why those of its group are not."""
    others = [one for one in network.group(name) if one in reasons]
    mates = network.mates(name)
    return ", ".join(
        (f"its outlet {mates[one]} also feeds {one}" if one in mates else f"gets its power with {one}")
        + f" ({reasons[one]})"
        for one in others
    )


def _to_switch_on(
    network: ServerNetwork,
    targets: Sequence[str],
    untouched: dict[str, str],
    stopped: Collection[str],
    excluded: Collection[str],
) -> set[str]:
    goal = {*targets, *(name for name in stopped if network.getServernode(name).facts.op_state is not OpState.OFF)}
    goal = network.with_groups(goal)
    chosen = set()
    blocked = set(untouched)
    for name in {*goal, *network.all_dependencies(goal)}:
        node = network.getServernode(name)
        if node.facts.op_state is OpState.OK and node.facts.desired is not Desired.OFF and name not in stopped:
            continue  # one that was to be switched off, and still is on, is ordered anew
        reason = _hands_off(node, excluded)
        if not reason:
            chosen.add(name)
        elif node.facts.forced is not Desired.ON:
            untouched[name] = reason
            blocked.add(name)
    for name in sorted(chosen):  # whom nobody may touch must not get power either
        others = {
            one.name: _hands_off(network.getServernode(one.name), excluded)
            for one in network.sharers(network.getServernode(name), True)
            if one.name in blocked and not may_be_fed(one.facts)
        }
        if others:
            untouched[name] = _shares_with(network, name, others)
            blocked.add(name)
    for name in network.all_dependents(blocked) & chosen - blocked:
        untouched[name] = "needs " + ", ".join(sorted(network.all_dependencies(network.group(name)) & blocked))
    return chosen - untouched.keys()


def _stays_on(node: ServerNode, excluded: Collection[str]) -> str:
    return _hands_off(node, excluded) or node.facts.policy.carries_daemon


def _hands_off(node: ServerNode, excluded: Collection[str]) -> str:
    if node.name in excluded:
        return "excluded"
    facts = node.facts
    if facts.forced is not None:
        return f"forced {facts.forced}"
    if facts.held:
        return f"held: {facts.held}"
    return ""


def _schedule(
    network: ServerNetwork,
    stages: Sequence[tuple[str, set[str]]],
    targets: set[str],
    durations: Durations,
) -> list[Step]:
    steps: list[Step] = []
    offset = 0.0
    for action, members in stages:
        ends: dict[str, float] = {}
        goes_up = action == "on"
        order = network.in_order(members)
        for name in order if goes_up else reversed(order):
            before = network.dependencies(name) if goes_up else network.dependents(name)
            needs = [other.name for other in before if other.name in ends]
            start = max((ends[other] for other in needs), default=offset)
            expected = CUT if action == "cut" else durations(name, action)
            ends[name] = start + expected.seconds
            because = _because(network, name, action, targets, stages)
            steps.append(Step(len(steps) + 1, name, action, needs, because, start, *expected))
        offset = max(ends.values(), default=offset)
    return steps


def _because(
    network: ServerNetwork, name: str, action: str, targets: set[str], stages: Sequence[tuple[str, set[str]]]
) -> str:
    if name in targets:
        return "asked for"
    stage = stages[-1][1] if action == "on" else stages[0][1]
    others = network.getDependent(name) if action == "on" else network.getDependencies(name)
    found = [other for other in others if other in stage]
    if found and action == "on":
        return "needed by " + ", ".join(other + _implied(network, other, name) for other in found)
    if found:
        return "needs " + ", ".join(other + _implied(network, name, other) for other in found)
    mates = [f"its outlet {outlet} also feeds {mate}" for mate, outlet in network.mates(name).items() if mate in stage]
    return ", ".join(mates) or "was on before"


def _implied(network: ServerNetwork, server: str, needed: str) -> str:
    text = network.implied(server, needed)
    return f" ({text})" if text else ""


def _mark_critical(steps: list[Step]) -> list[str]:
    """Mark the chain of steps that determines the total time; return its servers in order."""
    path: list[str] = []
    current = max(steps, key=lambda step: step.start_s + step.eta_s, default=None)
    while current is not None:
        current.critical = True
        path.append(current.server)
        start = current.start_s
        current = next(
            (
                step
                for step in steps
                if start > 0 and not step.critical and abs(step.start_s + step.eta_s - start) < 1e-6
            ),
            None,
        )
    return list(dict.fromkeys(reversed(path)))


def _tier(network: ServerNetwork, action: str, targets: Sequence[str], switched: set[str]) -> tuple[int, str]:
    confirm = targets[0] if len(targets) == 1 else str(len(switched))
    if action == "on" or not switched:
        return (2 if len(targets) > 1 else 1), ""
    protected = any(network.getServernode(name).facts.policy.protected for name in switched)
    whole = len(network) > 1 and len(targets) == len(network)
    if action == "cut" or protected or whole or len(switched) > MANY:
        return 3, confirm
    return (2 if len(switched) > 1 or len(targets) > 1 else 1), ""


def _warnings(network: ServerNetwork, steps: Iterable[Step]) -> list[str]:
    found = []
    for step in steps:
        node = network.getServernode(step.server)
        facts = node.facts
        if node.outlets and (facts.supply is Supply.UNKNOWN if step.action == "on" else facts.unread):
            unread = facts.unread or "an outlet cannot be read"
            goes = step.action == "on" and facts.feedable
            found.append(f"{step.server}: {unread}; it {'starts on the others' if goes else 'waits for that device'}")
        found += [
            f"{step.server}: commands were refused: {outlet.refusal}" for outlet in node.outlets if outlet.refusal
        ]
        if step.action == "off" and not node.controls and not all(outlet.asks_first for outlet in node.outlets):
            found.append(f"{step.server}: has no control, so its power is cut without a shutdown")
        if step.action == "cut":
            found.append(f"{step.server}: its power is cut without a shutdown; a disk in mid-write may suffer")
        if facts.op_state in PERMANENT:
            found.append(f"{step.server}: {facts.op_state.value} before; it is tried anew")
    return found


def expected_seconds(node: ServerNode, action: str) -> Expected:
    """Return a first guess for a server that was never switched: only its limits are known."""
    policy = node.facts.policy
    if action == "on":
        limit = policy.boot_timeout if node.outlets or node.tests else 0.0
        return Expected(min(limit, 60.0), limit)
    if not node.controls:
        return Expected(1.0, 1.0)
    return Expected(min(policy.shutdown_timeout, 30.0) + policy.halt_grace, policy.shutdown_timeout + policy.halt_grace)
