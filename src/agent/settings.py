"""agent.ini, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.errors import ConfigError
from ..common.esphome import PlugSettings
from ..common.esphome_errors import is_key
from ..common.logs import register_secret
from ..config.faults import Fault
from ..config.files import read_ini
from ..config.templates import check_section, load_template

FILE = "agent.ini"


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The options of src/config/agent.ini, with the same names. ``log``: of its section [log]."""

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
    log_level: str
    log_folder: Path | None
    log_keep: int


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
    if faults:
        raise ConfigError(*map(str, faults))
    return _typed(name, found["plug"], found["agent"], found["log"])


def _typed(name: str, plug: dict[str, Any], agent: dict[str, Any], log: dict[str, Any]) -> AgentSettings:
    key = "" if plug["encryption"] == "plaintext" else plug["key"].reveal().strip()
    if key:
        register_secret(key)
    if not is_key(key) and plug["encryption"] != "plaintext":
        problem = "is not 32 bytes in base64" if key else "missing"
        remedy = (
            "write the one of the plug's firmware (api: encryption: key:), or encryption = plaintext if it has none"
        )
        raise ConfigError(str(Fault(name, "plug", "key", problem=problem, remedy=remedy)))
    return AgentSettings(
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
        log_level=log["level"],
        log_folder=Path(log["folder"]) if log["folder"] else None,
        log_keep=log["keep"],
    )
