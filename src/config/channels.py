"""Channels: what the common options of etc/channels say, as objects; and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ..common.problems import PROBLEM_KINDS, Severity
from ..common.quiet_hours import QuietHours, parse_window
from ..common.timetable import TimetableError, time_texts, zone_of
from .faults import suggestion
from .model import ObjectConfig
from .reader import SiteReader
from .selectors import nobody, unreadable
from .templates import GENERATOR_SECTION

PLUGIN = "Alerts"
T = TypeVar("T")
Refuse = Callable[[str, str], None]
"""(option, what is wrong with it)"""


@dataclass(frozen=True)
class Rules:
    """Which messages a channel is for, and when they are sent.

    ``servers``, ``kinds``  empty: of all
    ``through_quiet``       None: nothing
    ``rate``                messages an hour; ``keep_for``: seconds
    """

    enabled: bool
    severity: Severity
    servers: tuple[str, ...]
    kinds: frozenset[str]
    recovery: bool
    quiet: QuietHours
    through_quiet: Severity | None
    rate: int
    keep_for: float


def rules_of(config: ObjectConfig, refuse: Refuse | None = None) -> Rules:
    """Return the rules that a file means. Raises TimetableError, unless ``refuse`` takes each fault."""
    settings = config.settings

    def read(option: str, text: str, how: Callable[[str], T]) -> Iterator[T]:
        try:
            yield how(text)
        except TimetableError as error:
            if refuse is None:
                raise
            refuse(option, str(error))

    windows = [window for text in time_texts(settings["quiet"]) for window in read("quiet", text, parse_window)]
    zone = next(read("time_zone", settings["time_zone"], zone_of), zone_of("UTC"))
    through = settings["through_quiet"]
    return Rules(
        enabled=settings["enabled"],
        severity=Severity(settings["severity"]),
        servers=tuple(settings["servers"]),
        kinds=frozenset(settings["kinds"]),
        recovery=settings["recovery"],
        quiet=QuietHours(windows, zone),
        through_quiet=None if through == "nothing" else Severity(through),
        rate=settings["rate"],
        keep_for=settings["keep_for"],
    )


def check_channels(reader: SiteReader) -> None:
    """Collect the faults of the files in etc/channels; one that nothing can reach is worth a warning."""
    site, section = reader.site, GENERATOR_SECTION["channels"]
    for config in site.channels.values():

        def refuse(option: str, problem: str, file: str = config.file) -> None:
            reader.fault(file, section, option, problem=problem)

        rules = rules_of(config, refuse)
        for one in rules.servers:
            if problem := unreadable(one):
                refuse("servers", problem)
            elif one.startswith("state:"):
                refuse("servers", f"{one!r}: the state of a server changes; name servers, @tag or all")
        for kind in sorted(rules.kinds.difference(PROBLEM_KINDS)):
            refuse("kinds", f"{kind!r} is no kind of problem; {suggestion(kind, PROBLEM_KINDS)}")
        site.warnings += [f"{config.file}: {warning}" for warning in _warnings(reader, rules)]
    if site.channels and PLUGIN not in site.plugins:
        site.warnings.append(
            f"etc/channels has {len(site.channels)}, and nothing is sent to them: add {PLUGIN} to [plugins] plugins"
        )


def _warnings(reader: SiteReader, rules: Rules) -> Iterator[str]:
    missing = nobody(reader.site, rules.servers)
    if missing and len(missing) == len(rules.servers):
        yield f"servers: nobody is called {', '.join(missing)}, so nothing is ever sent"
    elif missing:
        yield f"servers: nobody is called {', '.join(missing)}"
    if rules.quiet.endless and rules.through_quiet is None:
        yield "it is always quiet, and nothing comes through, so nothing is ever sent"
