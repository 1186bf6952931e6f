"""Schedules: what etc/schedules says, as objects that know when they are due."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..common.timetable import (
    HORIZON_YEARS,
    Timetable,
    checked_cron,
    cron_of_time,
    parse_span,
    time_texts,
    zone_of,
)
from .checking import Refuse, check_plugin, check_selectors, readable, refusing
from .model import PlainConfig
from .reader import SiteReader
from .templates import PLAIN_SECTION

PLUGIN = "Schedules"


@dataclass(frozen=True)
class Schedule:
    """``servers``: selectors. ``when``: its times as they are written, for people. ``grace``: seconds.

    ``rule``  all that says when it is due; another one is another schedule, which has missed nothing yet
    """

    name: str
    comment: str
    enabled: bool
    action: str
    servers: tuple[str, ...]
    timetable: Timetable
    when: str
    zone: str
    catch_up: bool
    grace: float
    protected: bool
    rule: str


def schedule_of(config: PlainConfig, refuse: Refuse | None = None) -> Schedule:
    """Return the schedule that a file means. Raises TimetableError, unless ``refuse`` takes each fault."""
    settings = config.settings
    times, cron = time_texts(settings["times"]), settings["cron"].strip()
    crons = readable(cron_of_time, times, "times", refuse)
    crons += [one for one in readable(checked_cron, [cron] if cron else [], "cron", refuse) if one is not None]
    zone = next(iter(readable(zone_of, [settings["time_zone"]], "time_zone", refuse)), zone_of("UTC"))
    exceptions = readable(parse_span, settings["exceptions"], "exceptions", refuse)
    return Schedule(
        name=config.name,
        comment=settings["comment"],
        enabled=settings["enabled"],
        action=settings["action"],
        servers=tuple(settings.get("servers", ())),
        timetable=Timetable(crons, zone, exceptions),
        when="; ".join([*times, *([f"cron {cron}"] if cron else [])]),
        zone=settings["time_zone"],
        catch_up=settings["missed"] == "run",
        grace=settings["grace"],
        protected=settings["protected"],
        rule=_rule(settings),
    )


def _rule(settings: Mapping[str, Any]) -> str:
    return repr([settings.get(key) for key in ("enabled", "action", "times", "cron", "time_zone", "exceptions")])


def check_schedules(reader: SiteReader) -> None:
    """Collect the faults of the files in etc/schedules; one that never comes, or is for nobody, is worth a warning."""
    site, now = reader.site, time.time()
    for config in site.schedules.values():
        refuse = refusing(reader, config.file, PLAIN_SECTION["schedules"])
        before = len(site.faults)
        schedule = schedule_of(config, refuse)
        if len(site.faults) == before and (reason := never(schedule, now)):
            site.warnings.append(f"{config.file}: it never comes: {reason}")
        check_selectors(reader, config.file, schedule.servers, refuse)
    check_plugin(reader, "schedules", len(site.schedules), PLUGIN, "carries them out")


def never(schedule: Schedule, now: float) -> str:
    """Return why a schedule never comes, "" if it does."""
    if not schedule.when:
        return "neither times nor cron says when"
    if schedule.timetable.next(now) is not None:
        return ""
    if schedule.timetable.crons and Timetable(schedule.timetable.crons, schedule.timetable.zone).next(now) is not None:
        return "the exceptions leave out all its days"
    return f"{schedule.when} is no day of the next {HORIZON_YEARS} years"
