"""What is sent to people about an alert, whatever the channel makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .problems import Severity

MESSAGE_KINDS = ("problem", "recovery", "reminder", "notice", "test", "digest")


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One message.

    ``id``       unique, and the same at each try: a receiver can drop what it has already
    ``kind``     one of MESSAGE_KINDS; a notice tells of what happened once and needs no recovery
    ``title``    one line
    ``lines``    what else there is to say, a thing each
    ``at``       when it came to be, seconds since 1970
    ``alert``    number of the alert, 0 = it is about none
    ``subject``  as in ``Problem``
    ``servers``  the servers that it is about
    ``site``     name of the installation
    ``url``      the page of the alert, "" = not known
    ``about``    the kind of its problem, one of PROBLEM_KINDS, "" = it is about none
    """

    id: str
    kind: str
    severity: Severity
    title: str
    lines: tuple[str, ...] = ()
    at: float = 0.0
    alert: int = 0
    subject: str = ""
    servers: tuple[str, ...] = ()
    site: str = ""
    url: str = ""
    about: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> AlertMessage:
        """Return what ``as_dict`` gave, also after JSON. Raises TypeError, ValueError, KeyError for anything else."""
        return cls(
            **{
                **data,
                "severity": Severity(data["severity"]),
                "lines": tuple(data["lines"]),
                "servers": tuple(data["servers"]),
            }
        )
