"""Which changes of the configuration wait for a restart of the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import Site
from .reader import MAIN_FILE
from .templates import Option, load_template, plugin_template, type_names

Started = Mapping[str, Mapping[str, Any]]
"""Section of config.ini -> typed settings with which what reads them at its start was started."""


def waiting(started: Started, site: Site) -> list[dict[str, str]]:
    """Return file, section, key of each option whose present value in ``site`` is not the one that is at work."""
    return [
        {"file": MAIN_FILE, "section": section, "key": key}
        for section, settings in started.items()
        for key, option in _options(section).items()
        if option.at_start and _of(site, section).get(key) != settings.get(key)
    ]


def _options(section: str) -> Mapping[str, Option]:
    name = section.removeprefix("plugins.")
    if name == section:
        return load_template(MAIN_FILE).sections[section]
    return plugin_template(name).sections.get(section, {}) if name in type_names("plugins") else {}


def _of(site: Site, section: str) -> Mapping[str, Any]:
    if section == "main":
        return site.main
    name = section.removeprefix("plugins.")
    settings: Mapping[str, Any] = site.plugin_settings.get(name, plugin_template(name).defaults(section))
    return settings
