"""What a boot server is told by the configuration folder."""

from __future__ import annotations

from pathlib import Path

from ..common.errors import ConfigError
from ..config.model import Site
from ..config.paths import find_state
from ..config.reader import MAIN_FILE
from ..config.site import load_site
from ..config.templates import plugin_template
from .boot_server import BootConfig
from .profiles import Profiles

PLUGIN = "NetBoot"


def read_config(etc: Path) -> BootConfig:
    """Read the folder for a boot server of its own. Raises ConfigError for faults of config.ini and etc/boot only."""
    site = load_site(etc, check_secrets=False)
    faults = [fault for fault in site.faults if fault.file in ("", MAIN_FILE) or fault.file.startswith("boot/")]
    if faults:
        raise ConfigError(*map(str, faults))
    return boot_config(site)


def boot_config(site: Site) -> BootConfig:
    """Return what the site says of its boot server; defaults where it says nothing."""
    settings = site.plugin_settings.get(PLUGIN)
    if settings is None:
        settings = plugin_template(PLUGIN).defaults(f"plugins.{PLUGIN}")
    etc = site.etc.resolve()
    return BootConfig(etc, find_state(etc, site.main["state_dir"]), settings, Profiles(site.boot.values()))
