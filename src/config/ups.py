"""UPSes: what etc/ups says, as objects; and what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .checking import Refuse, check_plugin, check_selectors, readable, refusing
from .model import PlainConfig
from .reader import SiteReader
from .references import Secret
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


def ups_of(config: PlainConfig, refuse: Refuse | None = None) -> Ups:
    """Return the UPS that a file means. Raises ValueError, unless ``refuse`` takes each fault."""
    settings = config.settings
    stages = readable(parse_stage, settings["shed"], "shed", refuse)
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
    site = reader.site
    for config in site.ups.values():
        refuse = refusing(reader, config.file, PLAIN_SECTION["ups"])
        ups = ups_of(config, refuse)
        check_selectors(reader, config.file, ups.servers, refuse)
        check_selectors(reader, config.file, (stage.selector for stage in ups.stages), refuse, "shed")
        if config.settings["restore_charge"] < config.settings["min_charge"]:
            site.warnings.append(
                f"{config.file}: restore_charge is less than min_charge: after a power-up the next mains failure finds "
                "the battery too low at once"
            )
    check_plugin(reader, "ups", len(site.ups), PLUGIN, "looks after them")
