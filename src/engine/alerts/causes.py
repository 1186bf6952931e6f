"""Finds what is behind problems: a dead switch explains the thirty servers that are reached through it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nsmallest

from ...common.problems import Problem

EXPLAINS = frozenset({"server", "device", "node", "ups", "circuit"})
"""Kinds that take others along. A supply that is missing while enough are left explains nothing, nor does a limit."""

MOST_ROOTS = 8
"""So many causes are named of one problem; any one of them keeps it from being told by itself."""

Edges = Mapping[str, tuple[str, ...]]

NOTHING: tuple[str, ...] = ()


def find_roots(problems: Iterable[Problem], passes: Edges) -> dict[str, tuple[str, ...]]:
    """Return the keys of what explains each problem, () for one that nothing explains: a root.

    ``passes``  subjects without a problem of their own that are not known to be fine -> what they hang on; a subject
                that is neither here nor has a problem ends the way

    What explains is always a root itself. Of problems that hang on each other in a circle one is the root, the most
    severe. Cost: O(problems + edges).
    """
    known = list(problems)
    mains = _mains(known)
    edges = _edges(known, mains, passes)
    above = _roots_of_subjects(edges, mains)
    found: dict[str, tuple[str, ...]] = {}
    for problem in known:
        if problem.subject in mains and problem.kind in EXPLAINS:
            roots = above[problem.subject]
            found[problem.key] = NOTHING if roots == (mains[problem.subject].key,) else roots
        else:
            ways = (above[subject] for subject in problem.hangs_on if subject in above)
            found[problem.key] = _merged(ways)
    return found


def _mains(problems: Iterable[Problem]) -> dict[str, Problem]:
    """Return for each subject the problem that explains others: its most severe."""
    found: dict[str, Problem] = {}
    for problem in problems:
        if problem.kind in EXPLAINS:
            other = found.get(problem.subject)
            if other is None or _order(problem) < _order(other):
                found[problem.subject] = problem
    return found


def _order(problem: Problem) -> tuple[int, str]:
    return -problem.severity.rank, problem.key


def _edges(problems: Iterable[Problem], mains: Mapping[str, Problem], passes: Edges) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {subject: onward for subject, onward in passes.items() if subject not in mains}
    for problem in problems:
        if problem.kind in EXPLAINS:
            found[problem.subject] = found.get(problem.subject, NOTHING) + problem.hangs_on
    return found


def _roots_of_subjects(edges: Edges, mains: Mapping[str, Problem]) -> dict[str, tuple[str, ...]]:
    """Return the roots that are reached from each subject; those of a root are itself."""
    found: dict[str, tuple[str, ...]] = {}
    for circle in _circles(edges):
        inside = set(circle)
        beyond = _merged(
            found[onward] for subject in circle for onward in edges[subject] if onward in edges and onward not in inside
        )
        if not beyond:
            own = [mains[subject] for subject in circle if subject in mains]
            beyond = (min(own, key=_order).key,) if own else NOTHING
        for subject in circle:
            found[subject] = beyond
    return found


def _merged(ways: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what one or several ways lead to, sorted."""
    different = {roots for roots in ways if roots}
    if len(different) == 1:
        return different.pop()
    return tuple(nsmallest(MOST_ROOTS, {root for roots in different for root in roots}))


def _circles(edges: Edges) -> Iterator[list[str]]:
    """Yield the strongly connected parts of the graph, what a part leads to before itself (Tarjan, without recursion).

    Most have one member.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for start in edges:
        if start in number:
            continue
        work = [(start, iter(edges[start]))]
        number[start] = low[start] = len(number)
        stack.append(start)
        on_stack.add(start)
        while work:
            subject, ways = work[-1]
            for onward in ways:
                if onward not in edges:
                    continue
                if onward not in number:
                    number[onward] = low[onward] = len(number)
                    stack.append(onward)
                    on_stack.add(onward)
                    work.append((onward, iter(edges[onward])))
                    break
                if onward in on_stack:
                    low[subject] = min(low[subject], number[onward])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[subject])
                if low[subject] == number[subject]:
                    part: list[str] = []
                    while not part or part[-1] != subject:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    yield part
