"""Problems over time: since when each is there, for how long in all, and what is behind it. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from ...common.problems import Problem
from .causes import Edges, find_roots
from .rules import Moment


@dataclass(slots=True)
class Track:
    """A problem as long as it is there, and a little longer.

    ``since``   when it came, in seconds since 1970
    ``back``    moment of the clock when it came, or came back, last
    ``lasted``  for how long it has been there, gaps left out
    ``gone``    since when it is not there, None while it is
    """

    problem: Problem
    since: float
    back: float
    lasted: float = 0.0
    gone: float | None = None
    roots: tuple[str, ...] = ()


class Tracks(dict[str, Track]):
    """By the problems' keys."""

    def __init__(self) -> None:
        super().__init__()
        self._looked: float | None = None

    def look(self, problems: Iterable[Problem], passes: Edges, at: Moment, settle: float, kept: Container[str]) -> None:
        """Take in all problems there are now, and find out what is behind which.

        What is gone still counts, as a cause, too, for ``settle`` seconds, and as long as its key is in ``kept``.
        """
        passed = at.now - self._looked if self._looked is not None else 0.0
        self._looked = at.now
        present = {problem.key: problem for problem in problems}
        for key, problem in present.items():
            self._see(key, problem, passed, at)
        for key, track in list(self.items()):
            if key in present:
                continue
            if track.gone is None:
                track.gone = at.now
            if key not in kept and at.now - track.gone >= settle:
                del self[key]
        for key, roots in find_roots((track.problem for track in self.values()), passes).items():
            self[key].roots = roots

    def _see(self, key: str, problem: Problem, passed: float, at: Moment) -> None:
        track = self.get(key)
        if track is None:
            self[key] = Track(problem, at.wall, at.now)
            return
        if track.gone is None:
            track.lasted += passed
        else:
            track.back = at.now
        track.problem, track.gone = problem, None
