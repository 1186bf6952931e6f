"""What is wrong now. Problems are levels and not events: who asks again learns what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a problem matters. ``info``: good to know; ``warning``: see to it; ``critical``: see to it now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Severity).index(self)


PROBLEM_KINDS = (
    *("server", "device", "supply", "node", "limit", "ups", "circuit", "schedule", "plugin", "store", "daemon"),
    *("emergency", "boot", "channel"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, as long as it is.

    ``key``       the same while it is the same problem: ``server/web1``, ``limit/web1/cpu_percent``
    ``kind``      one of PROBLEM_KINDS
    ``subject``   what has it: ``server/web1``, ``outlets/pdu-a``, ``node/web1``, ``ups/rack``, ``daemon``
    ``text``      one sentence that names the subject; its figures may change while the key stays
    ``server``    the server that it is about, "" for none
    ``hangs_on``  subjects which, when they have a problem themselves, explain this one; only the direct ones
    """

    key: str
    kind: str
    severity: Severity
    subject: str
    text: str
    server: str = ""
    hangs_on: tuple[str, ...] = ()


ProblemSource = Callable[[], Iterable[Problem]]
"""Returns all problems of its kind that there are now; cheap, and never waiting."""
