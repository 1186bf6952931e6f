"""Random dependencies in layers, the same for the same seed."""

from __future__ import annotations

import random

Needs = dict[str, tuple[str, ...]]
"""server -> the servers that it needs; whoever is needed stands before."""


def layered(servers: int, layers: int, seed: int) -> Needs:
    """Return ``servers`` servers in exactly ``layers`` layers of about the same size.

    A server of layer n needs one of layer n-1 and up to two of any earlier layer.
    """
    dice = random.Random(seed)
    rows: list[list[str]] = [[] for _ in range(layers)]
    needs: Needs = {}
    earlier: list[str] = []
    for layer in range(layers):
        for number in range(layer, servers, layers):
            name = f"srv{number:05}"
            rows[layer].append(name)
            wanted = dict.fromkeys(dice.sample(earlier, dice.randint(0, min(2, len(earlier)))))
            if layer:
                wanted[dice.choice(rows[layer - 1])] = None
            needs[name] = tuple(wanted)
        earlier += rows[layer]
    return needs


def critical_path(needs: Needs, seconds: dict[str, float]) -> float:
    """Return the sum of ``seconds`` along the chain where it is the greatest: no order is faster."""
    ends: dict[str, float] = {}
    for name, wanted in needs.items():
        ends[name] = seconds[name] + max((ends[one] for one in wanted), default=0.0)
    return max(ends.values())
