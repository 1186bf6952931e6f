"""agent.ini, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from ..common.errors import ConfigError
from ..common.esphome import PlugSettings
from ..common.esphome_errors import is_key
from ..common.logs import register_secret
from ..config.faults import Fault
from ..config.files import read_ini
from ..config.templates import check_section, load_template

FILE = "agent.ini"


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """The options of the sections [plug] and [agent], with the same names."""

    plug: PlugSettings
    delay_switch: str
    real_delay_switch: str
    heartbeat_switch: str
    shutdown_command: tuple[str, ...]
    shutdown_timeout: float
    dry_run: bool
    heartbeat_every: float
    confirm: float
    off_at_start: bool
    restart_after: float


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """The options of [metrics]. ``address`` "": all of this machine; ``token`` "": none is asked for."""

    address: str
    port: int
    disks: tuple[str, ...]
    threads: int
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class LogSettings:
    level: str
    folder: Path | None
    keep: int


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """``watch``: None = there is no plug; ``metrics``: None = they are not served."""

    watch: WatchSettings | None
    metrics: MetricsSettings | None
    log: LogSettings


def read_settings(path: Path) -> AgentSettings:
    """Raises ConfigError with every fault of the file."""
    name = str(path)
    ini = read_ini(path, name=name)
    template = load_template(FILE)
    faults = [Fault(name, key=key, problem="stands before the first section") for key in ini.scalars]
    faults += [
        Fault(name, other, problem="unknown section", remedy=f"allowed are {', '.join(template.sections)}")
        for other in ini.sections
        if other not in template.sections
    ]
    found: dict[str, dict[str, Any]] = {}
    for section in template.sections:
        checked = check_section(template, section, ini.get(section, {}), file=name, etc=path.parent.absolute())
        faults += checked.faults
        found[section] = checked.settings
    if _without_host(ini):
        faults.append(Fault(name, "plug", "host", problem="missing", remedy="write the plug's, or leave [plug] out"))
    elif ini.get("agent") and not ini.get("plug"):
        faults.append(Fault(name, "agent", problem="it is about a plug", remedy="write [plug] with its host"))
    if faults:
        raise ConfigError(*map(str, faults))
    return _typed(name, found)


def _without_host(ini: ConfigObj) -> bool:
    """Tell whether there is something about a plug, and not which one."""
    return bool(ini.get("plug")) and not ini["plug"].get("host")


def _typed(name: str, found: dict[str, dict[str, Any]]) -> AgentSettings:
    log = found["log"]
    settings = AgentSettings(
        watch=_watch(name, found["plug"], found["agent"]) if found["plug"].get("host") else None,
        metrics=_metrics(name, found["metrics"]) if found["metrics"]["serve"] else None,
        log=LogSettings(log["level"], Path(log["folder"]) if log["folder"] else None, log["keep"]),
    )
    if settings.watch is None and settings.metrics is None:
        problem = "nothing is to be done: there is no [plug], and [metrics] says serve = no"
        raise ConfigError(str(Fault(name, problem=problem)))
    return settings


def _watch(name: str, plug: dict[str, Any], agent: dict[str, Any]) -> WatchSettings:
    key = "" if plug["encryption"] == "plaintext" else plug["key"].reveal().strip()
    if key:
        register_secret(key)
    if not is_key(key) and plug["encryption"] != "plaintext":
        problem = "is not 32 bytes in base64" if key else "missing"
        remedy = (
            "write the one of the plug's firmware (api: encryption: key:), or encryption = plaintext if it has none"
        )
        raise ConfigError(str(Fault(name, "plug", "key", problem=problem, remedy=remedy)))
    return WatchSettings(
        plug=PlugSettings(plug["host"], plug["port"], key, plug["pin_mac"], plug["timeout"]),
        delay_switch=plug["delay_switch"],
        real_delay_switch=plug["real_delay_switch"],
        heartbeat_switch=plug["heartbeat_switch"],
        shutdown_command=tuple(agent["shutdown_command"]),
        shutdown_timeout=agent["shutdown_timeout"],
        dry_run=agent["dry_run"],
        heartbeat_every=agent["heartbeat_every"],
        confirm=agent["confirm"],
        off_at_start=agent["off_at_start"],
        restart_after=agent["restart_after"],
    )


def _metrics(name: str, found: dict[str, Any]) -> MetricsSettings:
    token = found["token"].reveal().strip()
    if token:
        register_secret(token)
    if re.fullmatch(r"[!-~]*", token) is None:
        raise ConfigError(str(Fault(name, "metrics", "token", problem="has characters that HTTP cannot carry")))
    return MetricsSettings(found["address"], found["port"], tuple(found["disks"]), found["threads"], token)
