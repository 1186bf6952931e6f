"""Which servers a server could be made to need, and why not the others. Pure functions."""

from __future__ import annotations

from .ServerNetwork import ServerNetwork


def refused_dependencies(network: ServerNetwork, server: str) -> dict[str, str]:
    """Return the servers that ``server`` cannot be made to need: name -> "would make a cycle: a -> b -> a".

    Cost: O(servers x what hangs on ``server``)
    """
    if server not in network:
        return {}
    found = {}
    for node in network:
        cycle = network.cycle_with(server, node.name)
        if cycle and node.name != server:
            found[node.name] = f"would make a cycle: {' -> '.join(cycle)}"
    return found
