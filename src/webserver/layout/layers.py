"""The column of each server."""

from __future__ import annotations

from collections.abc import Sequence


def layers(needs: Sequence[Sequence[int]], needed_by: Sequence[Sequence[int]]) -> list[int]:
    """Return the column of each server, from 0: right of all that it needs.

    The longest way to a server decides. Then whoever is needed by more servers than it needs moves right until it
    stands next to the first of them, which makes the lines shorter on the whole.

    Raises ValueError when servers need each other in a circle. Cost: O(servers + lines).
    """
    column = [0] * len(needs)
    waits = [len(needed) for needed in needs]
    ready = [server for server, count in enumerate(waits) if not count]
    for server in ready:  # grows while it is walked
        for user in needed_by[server]:
            column[user] = max(column[user], column[server] + 1)
            waits[user] -= 1
            if not waits[user]:
                ready.append(user)
    if len(ready) < len(needs):
        raise ValueError("the servers need each other in a circle")
    for server in reversed(ready):
        if len(needed_by[server]) > len(needs[server]):
            column[server] = min(column[user] for user in needed_by[server]) - 1
    least = min(column, default=0)
    return [number - least for number in column]
