"""RPiMP's config.json as agent.ini."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ..common.errors import ConfigError

LOG_FOLDER: Final = "/var/log/ockle-agent"
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR"}
_TEXTS = {
    "Hostname": "host",
    "EncryptionKey": "key",
    "DelaySwitchName": "delay_switch",
    "RealDelaySwitchName": "real_delay_switch",
    "HeartbeatSwitchName": "heartbeat_switch",
}
"""Key of config.json -> option of [plug]."""
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|,(?=\s*[}\]])')


def migrate(text: str, name: str) -> tuple[str, list[str]]:
    """Return agent.ini and what a person has to know about it. ``name``: of the file, for errors.

    Comments from // on, as RPiMP's documentation has them, are left out. Raises ConfigError.
    """
    found = _parsed(text, name)
    notes = []
    lines = [
        "# Made from RPiMP's config.json. All options: docs/reference/ini.md",
        "# What this machine measures of itself is told on port 3000; `serve = no` under [metrics] ends that.",
        "[plug]",
    ]
    for key, option in _TEXTS.items():
        value = found.pop(key, None)
        if value is None and key == "HeartbeatSwitchName":
            lines.append("heartbeat_switch =")
            notes.append("there is no HeartbeatSwitchName: no heartbeat is set")
        elif not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{name}: {key} is missing, or no text")
        else:
            lines.append(f"{option} = {_quoted(value.strip(), name, key)}")
    if found.pop("Password", None):
        notes.append("Password is left out: ESPHome has given passwords up, the key protects the connection")
    level = str(found.pop("LogLevel", "info")).lower()
    lines += ["", "[log]", f"level = {_LEVELS.get(level, 'INFO')}"]
    if level not in _LEVELS:
        notes.append(f"LogLevel {level!r} is not known: INFO it is")
    if found.pop("LogFile", False) is True:
        lines.append(f"folder = {LOG_FOLDER}")
    notes += [f"{key} is not known, and left out" for key in found]
    return "\n".join(lines) + "\n", notes


def _parsed(text: str, name: str) -> dict[str, Any]:
    plain = _TOKEN.sub(lambda token: token[0] if token[0].startswith('"') else "", text)
    try:
        found = json.loads(plain)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}: line {error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name}: not a config.json of RPiMP: {{…}} is missing")
    return dict(found)


def _quoted(value: str, name: str, key: str) -> str:
    """Return the value as it stands in an INI file."""
    if "\n" in value or ('"' in value and "'" in value):
        raise ConfigError(f"{name}: {key} has a line break, or both kinds of quotes")
    text = value.replace("${", "$${")
    quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}" if re.search(r"[#,'\"]", text) else text
