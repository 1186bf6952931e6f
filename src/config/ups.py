"""UPSes: what etc/ups says, as objects; and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .model import PlainConfig
from .reader import SiteReader
from .references import Secret
from .selectors import nobody, unreadable
from .templates import PLAIN_SECTION
from .types_numbers import parse_duration

PLUGIN = "UPS"


@dataclass(frozen=True)
class Stage:
    """Servers that go down early: ``after`` seconds on battery, below ``charge`` percent or ``runtime`` seconds."""

    text: str
    selector: str
    after: float | None = None
    charge: float | None = None
    runtime: float | None = None


@dataclass(frozen=True)
class Ups:
    """Times in seconds, charge in percent; 0 means that there is no such limit."""

    name: str
    comment: str
    host: str
    port: int
    ups: str
    user: str
    password: Secret
    servers: tuple[str, ...]
    stages: tuple[Stage, ...]
    after: float
    min_charge: float
    min_runtime: float
    margin: float
    within: float
    restore: bool
    back_for: float
    restore_charge: float
    lost: str
    lost_after: float


_STAGE = re.compile(
    r"(?P<selector>\S+)\s+(?:after\s+(?P<after>\S+)|below\s+(?:(?P<charge>\d{1,3})\s*%|(?P<runtime>\S+)))"
)


def parse_stage(text: str) -> Stage:
    """Return what ``@lab after 30s``, ``@web below 60%`` or ``db2 below 15m`` means. Raises ValueError."""
    match = _STAGE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not of the form @lab after 30s, @web below 60% or db2 below 15m")
    try:
        after, runtime = (parse_duration(one) if (one := match[key]) else None for key in ("after", "runtime"))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error} such as 90s or 5m") from None
    charge = float(match["charge"]) if match["charge"] else None
    if charge is not None and charge > 100:
        raise ValueError(f"{text!r}: more than 100 %")
    return Stage(text.strip(), match["selector"], after, charge, runtime)


def ups_of(config: PlainConfig, refuse: Callable[[str], None] | None = None) -> Ups:
    """Return the UPS that a file means. Raises ValueError, unless ``refuse`` takes each fault of ``shed``."""
    settings, stages = config.settings, list[Stage]()
    for text in settings["shed"]:
        try:
            stages.append(parse_stage(text))
        except ValueError as error:
            if refuse is None:
                raise
            refuse(str(error))
    same = ("comment", "host", "port", "ups", "user", "password", "after", "min_runtime", "margin", "within")
    more = ("restore", "back_for", "lost", "lost_after")
    return Ups(
        name=config.name,
        servers=tuple(settings.get("servers", ())),
        stages=tuple(stages),
        min_charge=float(settings["min_charge"]),
        restore_charge=float(settings["restore_charge"]),
        **{key: settings[key] for key in (*same, *more)},
    )


def check_ups(reader: SiteReader) -> None:
    """Collect the faults of the files in etc/ups; servers that nobody is called are worth a warning."""
    site, section = reader.site, PLAIN_SECTION["ups"]
    for config in site.ups.values():

        def refuse(problem: str, file: str = config.file) -> None:
            reader.fault(file, section, "shed", problem=problem)

        ups = ups_of(config, refuse)
        for key, selectors in (("servers", ups.servers), ("shed", tuple(stage.selector for stage in ups.stages))):
            for one in selectors:
                if problem := unreadable(one):
                    reader.fault(config.file, section, key, problem=problem)
            if missing := nobody(site, selectors):
                site.warnings.append(f"{config.file}: {key}: nobody is called {', '.join(missing)}")
        if config.settings["restore_charge"] < config.settings["min_charge"]:
            site.warnings.append(
                f"{config.file}: restore_charge is less than min_charge: after a power-up the next mains failure finds "
                "the battery too low at once"
            )
    if site.ups and PLUGIN not in site.plugins:
        site.warnings.append(
            f"etc/ups has {len(site.ups)}, and nothing looks after them: add {PLUGIN} to [plugins] plugins"
        )
