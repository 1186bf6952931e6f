"""Plays that lead straight to where a guard matters; random ones find the same, later."""

from __future__ import annotations

from properties.happenings import Needs

from .play import Event, Scenario

ALARM = {"retry_cycle": "if-down", "shutdown_policy": "fail", "drift": "alarm", "on_failure": "alarm"}
ONE: Needs = {"a": []}
PAIR: Needs = {"a": [], "b": []}
CHAIN: Needs = {"a": [], "b": ["a"]}
FORK: Needs = {"a": [], "b": ["a"], "c": ["a"]}
JOIN: Needs = {"a": [], "b": [], "c": ["a", "b"]}


def _play(needs: Needs, *events: tuple[str, str, float], supplies: int = 1, shared: tuple[str, ...] = ()) -> Scenario:
    names = list(needs)
    told: list[Event] = [(what, names.index(name), pause) for what, name, pause in events]
    return Scenario(needs, supplies, ALARM, told, shared)


DIRECTED = [
    _play(ONE, ("on", "a", 40.0), ("off", "a", 40.0)),
    _play(ONE, ("on", "a", 2.0), ("off", "a", 40.0)),  # it boots, and does not hear
    _play(ONE, ("on", "a", 40.0), ("hang shutdown", "a", 0.0), ("off", "a", 40.0)),
    _play(ONE, ("on", "a", 40.0), ("stuck", "a", 0.0), ("off", "a", 40.0)),
    _play(ONE, ("auto on", "a", 0.0), ("stuck", "a", 0.0), ("on", "a", 40.0)),
    _play(ONE, ("on", "a", 40.0), ("force off", "a", 40.0), ("auto on", "a", 40.0)),
    _play(ONE, ("on", "a", 40.0), ("force off", "a", 40.0), ("kill", "a", 0.0), ("auto on", "a", 40.0)),
    _play(CHAIN, ("on", "b", 40.0), ("silent", "b", 40.0), ("off", "a", 40.0)),
    _play(CHAIN, ("on", "b", 40.0), ("wedge", "b", 40.0), ("off", "a", 40.0)),
    _play(CHAIN, ("on", "b", 40.0), ("press one", "b", 40.0), ("off", "a", 40.0), supplies=2),
    _play(CHAIN, ("fail boot", "a", 0.0), ("on", "b", 40.0)),
    _play(CHAIN, ("on", "a", 40.0), ("shut down", "a", 0.0), ("on", "b", 40.0)),
    _play(CHAIN, ("on", "b", 40.0), ("off", "b", 40.0), ("off", "a", 2.0), ("kill", "a", 0.0), ("on", "b", 40.0)),
    # b has to stay off for its time; meanwhile an operator takes a away
    _play(CHAIN, ("on", "b", 40.0), ("off", "b", 11.0), ("on", "b", 0.3), ("force off", "a", 11.0)),
    # a is about to go; meanwhile an operator forces b on
    _play(CHAIN, ("on", "a", 40.0), ("off", "a", 2.0), ("force on", "b", 40.0)),
    _play(CHAIN, ("on", "a", 2.0), ("off", "a", 0.3), ("force on", "b", 40.0)),
    _play(PAIR, ("on", "a", 40.0), ("hang shutdown", "b", 0.0), ("off", "a", 40.0), shared=("a", "b")),
    _play(JOIN, ("fail boot", "b", 0.0), ("on", "c", 40.0)),
    _play(FORK, ("on", "b", 40.0), ("on", "c", 40.0), ("hang shutdown", "c", 0.0), ("off", "a", 40.0)),
]
