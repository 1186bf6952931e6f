"""Answers "why is it not as I want it?" for any server. Pure functions."""

from __future__ import annotations

from typing import Any

from ..common.common import OpState
from .budget import Lack
from .decide import Decision, Move, decide
from .facts import Desired
from .ServerNetwork import ServerNetwork
from .ServerNode import ServerNode

_WORDS = {
    OpState.INIT: "not started",
    OpState.UNKNOWN: "unknown",
    OpState.OK: "on",
    OpState.OFF: "off",
    OpState.SwitchingOn: "switching on",
    OpState.SwitchingOff: "switching off",
    OpState.failedToStart: "failed to start",
    OpState.failedToStop: "failed to stop",
    OpState.permanentlyFailedToStart: "gave up starting",
    OpState.permanentlyFailedToStop: "gave up stopping",
    OpState.forcedOn: "forced on",
    OpState.forcedOff: "forced off",
}


def word(state: OpState) -> str:
    """Return the word for ``state`` that the command line, the GUI and the docs use."""
    return _WORDS[state]


def short_word(state: OpState) -> str:
    """Return the word under which ``state`` is counted and listed."""
    return {"failed to start": "failed", "failed to stop": "failed"}.get(_WORDS[state]) or (
        "gave up" if _WORDS[state].startswith("gave up") else _WORDS[state]
    )


def next_move(
    network: ServerNetwork, node: ServerNode, now: float, lack: Lack | None = None, *, unguarded: bool = False
) -> Decision:
    """Return what ``node`` does next, and why; ``unguarded``: whatever its neighbours do.

    What hangs on the same outlets is no neighbour: it is not cut with a server that does not care for others.
    """
    facts = node.facts
    goes_on = facts.desired is Desired.ON and not facts.shutdown_sent
    if unguarded:
        return decide(facts, (), (), now, lack, () if goes_on else network.sharers(node, False))
    name = node.name
    sharers = network.sharers(node, goes_on)
    return decide(facts, network.dependencies(name), network.dependents(name), now, lack, sharers)


def reason(text: str, since: float | None = None, frees: str = "", guard: str = "") -> dict[str, Any]:
    """Return one reason, see ``explain``."""
    return {"text": text, "since": since, "frees": frees, "guard": guard}


def explain(network: ServerNetwork, name: str, now: float, decision: Decision | None = None) -> dict[str, Any]:
    """Return why ``name`` is as it is.

    ``decision``  what is to happen with it next; default: as the network is, without any limit
    ``reasons``  dicts with ``text``, ``since`` (moment of the clock, None = unknown), ``frees``, what would end it, and
                 ``guard``, the rule that holds it
    ``chain``    the servers it waits for, and those they wait for, nearest first
    """
    node = network.getServernode(name)
    decision = decision or next_move(network, node, now)
    reasons = []
    text = decision.reason or (node.why if decision.move is not Move.NOTHING else "")
    if text:
        since = node.why_since if node.why else node.facts.since
        reasons.append(reason(text, since, decision.frees, decision.guard))
    reasons += [reason(text) for text in _implied(network, name, decision)]
    if node.facts.error and node.facts.error not in text:
        reasons.append(reason(f"last error: {node.facts.error}"))
    if not reasons:
        wanted = node.facts.desired
        text = f"it is {word(node.facts.op_state)}, " + ("as ordered" if wanted else "and nothing is ordered for it")
        reasons.append(reason(text, node.facts.since))
    return {
        "server": name,
        "state": node.facts.op_state.value,
        "word": word(node.facts.op_state),
        "reasons": reasons,
        "chain": _chain(network, decision, now),
    }


def _implied(network: ServerNetwork, name: str, decision: Decision) -> list[str]:
    """Return why ``name`` waits for servers that no file says it has to do with."""
    found = []
    for other in decision.blockers:
        for server, needed in ((name, other), (other, name)):
            text = network.implied(server, needed)
            if text:
                found.append(f"{server} needs {needed}: {text}")
    return found


def _chain(network: ServerNetwork, decision: Decision, now: float) -> list[dict[str, Any]]:
    chain: list[dict[str, Any]] = []
    seen: set[str] = set()
    todo = list(decision.blockers)
    while todo:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        node = network.getServernode(name)
        inner = next_move(network, node, now)
        chain.append(
            {"server": name, "state": node.facts.op_state.value, "word": word(node.facts.op_state), "why": inner.reason}
        )
        todo.extend(inner.blockers)
    return chain
