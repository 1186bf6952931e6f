"""The networks that are explored, and how much may happen to each: all of it together takes about 90 s on two cores."""

from __future__ import annotations

from dataclasses import replace

from .state import Configuration

ONE: dict[str, tuple[str, ...]] = {"a": ()}
CHAIN = {"a": (), "b": ("a",)}
LONG = {"a": (), "b": ("a",), "c": ("b",)}
FORK = {"a": (), "b": ("a",), "c": ("a",)}
JOIN = {"a": (), "b": (), "c": ("a", "b")}


def bold(configuration: Configuration) -> Configuration:
    """Return the same with every policy that does more by itself."""
    return replace(
        configuration,
        name=f"{configuration.name}, bold",
        shutdown_policy="cut",
        retry_cycle="always",
        drift="enforce",
        on_failure="recover",
    )


CONFIGURATIONS = [
    Configuration("one", ONE, faults=2, kills=1, commands=2),
    Configuration("one, two kills", ONE, faults=1, kills=2, commands=2),
    Configuration("one, three commands", ONE, faults=1, kills=0, commands=3),
    bold(Configuration("one", ONE, faults=2, kills=1, commands=1)),
    Configuration("one, two supplies", ONE, {"a": 2}, faults=1, kills=1, commands=1),
    Configuration("chain", CHAIN, faults=1, kills=1, commands=1),
    bold(Configuration("chain", CHAIN, faults=1, kills=0, commands=1)),
    Configuration("chain, started, two faults", CHAIN, begin=("dark",), faults=2, kills=0, commands=0),
    Configuration("chain, two commands", CHAIN, faults=0, kills=1, commands=2),
    Configuration("chain, drift adopted", CHAIN, faults=1, kills=0, commands=1, drift="adopt"),
    Configuration("chain of three", LONG, faults=0, kills=1, commands=1),
    Configuration("fork", FORK, faults=0, kills=1, commands=1),
    Configuration("fork, running, a fault", FORK, begin=("running",), faults=1, kills=0, commands=0),
    Configuration("join", JOIN, faults=0, kills=1, commands=1),
    Configuration("join, started, a fault", JOIN, begin=("dark",), faults=1, kills=0, commands=0),
]

QUICK = [
    Configuration("one", ONE, faults=1, kills=1, commands=1),
    bold(Configuration("one", ONE, faults=1, kills=1, commands=1)),
    Configuration("one, two supplies", ONE, {"a": 2}, faults=1, kills=0, commands=1),
    Configuration("chain", CHAIN, faults=0, kills=1, commands=1),
    Configuration("chain, running, a fault", CHAIN, begin=("running",), faults=1, kills=0, commands=1),
    Configuration("join", JOIN, begin=("running",), faults=0, kills=0, commands=1),
]
"""The same in a few seconds, for ``make test``."""
