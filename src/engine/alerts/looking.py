"""Asks everybody who knows of problems, in one go. On the device loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...common.logs import redact
from ...common.problems import Problem, ProblemSource, Severity
from ..engine import Engine
from .causes import Edges
from .device_problems import pdu_problems, suspect_problems
from .server_problems import server_problems
from .site_problems import circuit_problems, daemon_problems, emergency_problems
from .ties import Ties

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """``passes``: see ``causes.find_roots``."""

    problems: tuple[Problem, ...]
    passes: Edges


def without_secrets(problem: Problem) -> Problem:
    """Return the problem as everybody may read it: what a device says may hold what it was asked with."""
    text = redact(problem.text)
    return problem if text == problem.text else replace(problem, text=text)


class Looker:
    """Asks the engine's own sources, and ``engine.problem_sources``; one that has a bug is left out, and told once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._broken: set[str] = set()

    def look(self) -> Seen:
        """Return all problems there are now. Cost: O(servers + outlets), a few milliseconds for thousands."""
        engine = self._engine
        ties = Ties(engine.network, self._fed())
        own: list[tuple[str, Callable[[], Iterable[Problem]]]] = [
            ("servers", partial(server_problems, engine, ties)),
            ("PDUs", partial(pdu_problems, engine.network, ties)),
            ("testers", partial(suspect_problems, engine.network)),
            ("circuits", partial(circuit_problems, engine)),
            ("daemon", partial(daemon_problems, engine)),
            ("emergency", partial(emergency_problems, engine)),
        ]
        found: dict[str, Problem] = {}
        for name, source in (*own, *((_name(source), source) for source in list(engine.problem_sources))):
            found |= {problem.key: without_secrets(problem) for problem in self._ask(name, source)}
        problems = tuple(found.values())
        return Seen(problems, ties.passes(problems))

    def _fed(self) -> dict[str, tuple[str, ...]]:
        """Return what feeds the PDUs of each server, as far as somebody knows."""
        found: dict[str, tuple[str, ...]] = {}
        for feeder in list(self._engine.feeders):
            for server, subjects in feeder().items():
                found[server] = (*found.get(server, ()), *subjects)
        return found

    def _ask(self, name: str, source: ProblemSource) -> list[Problem]:
        try:
            problems = [_checked(problem) for problem in source()]
        except Exception:  # foreign code: who has a bug must not keep all the others from being heard
            if name not in self._broken:
                log.exception("the problems of %s cannot be looked at", name)
            self._broken.add(name)
            return []
        self._broken.discard(name)
        return problems


def _checked(problem: Any) -> Problem:
    """Return it. Raises TypeError for what is none: one wrong field would end the whole look."""
    texts = (problem.key, problem.kind, problem.subject, problem.text, problem.server, *problem.hangs_on)
    if not isinstance(problem.severity, Severity) or not isinstance(problem.hangs_on, tuple):
        raise TypeError(f"{problem!r}: severity has to be a Severity, hangs_on a tuple")
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"{problem!r}: everything but the severity has to be text")
    found: Problem = problem
    return found


def _name(source: ProblemSource) -> str:
    return f"{getattr(source, '__module__', '')}.{getattr(source, '__qualname__', repr(source))}"
