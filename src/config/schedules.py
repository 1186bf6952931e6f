"""Schedules: what etc/schedules says, as objects that know when they are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..common.timetable import (
    HORIZON_YEARS,
    Timetable,
    TimetableError,
    checked_cron,
    cron_of_time,
    parse_span,
    time_texts,
    zone_of,
)
from .model import PlainConfig
from .reader import SiteReader
from .selectors import nobody, unreadable
from .templates import PLAIN_SECTION

PLUGIN = "Schedules"
T = TypeVar("T")
Refuse = Callable[[str, str], None]
"""(option, what is wrong with it)"""


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
    settings, crons = config.settings, list[str]()

    def read(option: str, text: str, how: Callable[[str], T]) -> Iterator[T]:
        try:
            yield how(text)
        except TimetableError as error:
            if refuse is None:
                raise
            refuse(option, str(error))

    times = time_texts(settings["times"])
    for text in times:
        crons += read("times", text, cron_of_time)
    if settings["cron"].strip():
        crons += [cron for cron in read("cron", settings["cron"], checked_cron) if cron is not None]
    zone = next(read("time_zone", settings["time_zone"], zone_of), zone_of("UTC"))
    exceptions = [span for text in settings["exceptions"] for span in read("exceptions", text, parse_span)]
    return Schedule(
        name=config.name,
        comment=settings["comment"],
        enabled=settings["enabled"],
        action=settings["action"],
        servers=tuple(settings.get("servers", ())),
        timetable=Timetable(crons, zone, exceptions),
        when="; ".join([*times, *([f"cron {settings['cron'].strip()}"] if settings["cron"].strip() else [])]),
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

        def refuse(option: str, problem: str, file: str = config.file) -> None:
            reader.fault(file, PLAIN_SECTION["schedules"], option, problem=problem)

        before = len(site.faults)
        schedule = schedule_of(config, refuse)
        if len(site.faults) == before and (reason := never(schedule, now)):
            site.warnings.append(f"{config.file}: it never comes: {reason}")
        for one in schedule.servers:
            if problem := unreadable(one):
                refuse("servers", problem)
        if missing := nobody(site, schedule.servers):
            site.warnings.append(f"{config.file}: servers: nobody is called {', '.join(missing)}")
    if site.schedules and PLUGIN not in site.plugins:
        site.warnings.append(
            f"etc/schedules has {len(site.schedules)}, and nothing carries them out: add {PLUGIN} to [plugins] plugins"
        )


def never(schedule: Schedule, now: float) -> str:
    """Return why a schedule never comes, "" if it does."""
    if not schedule.when:
        return "neither times nor cron says when"
    if schedule.timetable.next(now) is not None:
        return ""
    if schedule.timetable.crons and Timetable(schedule.timetable.crons, schedule.timetable.zone).next(now) is not None:
        return "the exceptions leave out all its days"
    return f"{schedule.when} is no day of the next {HORIZON_YEARS} years"
