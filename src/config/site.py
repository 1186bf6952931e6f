"""The whole configuration: every file below etc, read, checked, and with all its faults at once."""

from __future__ import annotations

from pathlib import Path

from .boot import check_boot
from .channels import check_channels
from .faults import Fault
from .model import ObjectConfig, PartConfig, ServerConfig, Site
from .monitors import check_monitors
from .reader import SiteReader
from .schedules import check_schedules
from .servers import load_servers
from .templates import PLAIN_SECTION, TYPED
from .topology import check_topology
from .ups import check_ups

__all__ = ["Fault", "ObjectConfig", "PartConfig", "ServerConfig", "Site", "load_site"]


def load_site(etc: Path, *, check_secrets: bool = True) -> Site:
    """Read every INI file below ``etc``; faults in files are collected in file order, never raised.

    ``check_secrets``  False: references that cannot be resolved on this machine are no faults
    """
    reader = SiteReader(Site(etc), check_secrets)
    if not etc.is_dir():
        reader.fault("", problem=f"the configuration folder {etc} does not exist", remedy="make it, or name another")
        return reader.site
    reader.load_main()
    for kind in TYPED:
        reader.load_generators(kind)
    for folder in PLAIN_SECTION:
        reader.load_plain(folder)
    load_servers(reader)
    check_topology(reader)
    check_boot(reader)
    check_schedules(reader)
    check_ups(reader)
    check_channels(reader)
    check_monitors(reader)
    return reader.site
