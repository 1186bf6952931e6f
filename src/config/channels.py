"""Channels: what the common options of etc/channels say, as objects; and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..common.problems import PROBLEM_KINDS, Severity
from ..common.quiet_hours import QuietHours, parse_window
from ..common.timetable import time_texts, zone_of
from .checking import Refuse, check_plugin, readable, refusing
from .faults import suggestion
from .model import ObjectConfig
from .reader import SiteReader
from .selectors import nobody, unreadable
from .templates import GENERATOR_SECTION

PLUGIN = "Alerts"


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
    """Return the rules that a file means. Raises unless ``refuse`` takes each fault."""
    settings = config.settings

    windows = readable(parse_window, time_texts(settings["quiet"]), "quiet", refuse)
    zone = next(iter(readable(zone_of, [settings["time_zone"]], "time_zone", refuse)), zone_of("UTC"))
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
        refuse = refusing(reader, config.file, section)
        rules = rules_of(config, refuse)
        for one in rules.servers:
            if problem := unreadable(one):
                refuse("servers", problem)
            elif one.startswith("state:"):
                refuse("servers", f"{one!r}: the state of a server changes; name servers, @tag or all")
        for kind in sorted(rules.kinds.difference(PROBLEM_KINDS)):
            refuse("kinds", f"{kind!r} is no kind of problem; {suggestion(kind, PROBLEM_KINDS)}")
        site.warnings += [f"{config.file}: {warning}" for warning in _warnings(reader, rules)]
    check_plugin(reader, "channels", len(site.channels), PLUGIN, "is sent to them")


def _warnings(reader: SiteReader, rules: Rules) -> Iterator[str]:
    missing = nobody(reader.site, rules.servers)
    if missing and len(missing) == len(rules.servers):
        yield f"servers: nobody is called {', '.join(missing)}, so nothing is ever sent"
    elif missing:
        yield f"servers: nobody is called {', '.join(missing)}"
    if rules.quiet.endless and rules.through_quiet is None:
        yield "it is always quiet, and nothing comes through, so nothing is ever sent"
