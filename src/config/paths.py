"""Where the configuration lies when nobody says so. Imports nothing heavy: the command line asks, too."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM_ETC, SYSTEM_STATE = Path("/etc/ockle"), Path("/var/lib/ockle")


def find_etc(given: str | Path | None = None) -> Path:
    """Return the folder of the configuration, which need not exist.

    In this order: ``given``, $OCKLE_ETC, $CONFIGURATION_DIRECTORY (systemd's), ``etc`` beside ``src`` in a checkout,
    /etc/ockle.
    """
    if given:
        return Path(given)
    # systemd separates several directories by colons
    for found in (os.environ.get("OCKLE_ETC", ""), os.environ.get("CONFIGURATION_DIRECTORY", "").partition(":")[0]):
        if found:
            return Path(found)
    source = Path(__file__).resolve().parents[1]
    beside = source.parent / "etc"
    return beside if source.name == "src" and (beside / "config.ini").is_file() else SYSTEM_ETC


def find_state(etc: Path, configured: str = "") -> Path:
    """Return the folder of what the daemon must remember, which need not exist.

    In this order: ``configured``, $STATE_DIRECTORY (systemd's), /var/lib/ockle for the configuration in /etc/ockle,
    ``var`` beside the configuration.
    """
    given = configured or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    return SYSTEM_STATE if etc.resolve() == SYSTEM_ETC and SYSTEM_STATE.is_dir() else etc.resolve().parent / "var"
