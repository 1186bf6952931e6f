"""initramfs.ini, checked, and what of it the scripts on the board read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...common.errors import ConfigError
from ...config.faults import Fault
from ...config.files import read_ini
from ...config.templates import check_section, load_template

TEMPLATE, SECTION = "initramfs.ini", "initramfs"
_DEVICE = re.compile(r"/dev/(?:[A-Za-z0-9_:+-][A-Za-z0-9._:+-]*/?)+(?<!/)")
_FIELD = re.compile(r"(?:start|size|type|name|uuid|attrs)=[\w.:+-]+|bootable")
_LABEL = re.compile(r"[\w.-]{0,16}")


@dataclass(frozen=True, slots=True)
class InitramfsSettings:
    """The options of src/config/initramfs.ini, with the same names. ``token`` is the plain text of the secret."""

    devices: tuple[str, ...]
    table: str
    partitions: tuple[str, ...]
    root: int
    filesystem: str
    label: str
    master: str
    hello_port: int
    root_port: int
    token: str
    patience: float
    modules: tuple[str, ...]
    modules_folder: str
    programs: tuple[str, ...]

    @property
    def sfdisk_script(self) -> str:
        """Return the table as sfdisk reads it, "" for a disk without one."""
        if self.table == "none":
            return ""
        lines = [", ".join(partition.split()) for partition in self.partitions]
        return "\n".join([f"label: {self.table}", "unit: sectors", "", *lines]) + "\n"

    def shell(self, mkfs: str) -> str:
        """Return the assignments that the scripts read. ``mkfs``: the command that makes the root file system."""
        values = {
            "devices": " ".join(self.devices),
            "table": self.table,
            "root_number": "" if self.table == "none" else self.root,
            "filesystem": self.filesystem,
            "mkfs": f"{mkfs} -L {self.label}" if self.label else mkfs,
            "default_master": self.master,
            "hello_port": self.hello_port,
            "root_port": self.root_port,
            "token": self.token,
            "patience": int(self.patience),
        }
        return "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())


def load_settings(path: Path | None) -> InitramfsSettings:
    """Read the file; None: every option has its default. Raises ConfigError with every fault."""
    if path is None:
        return checked_settings({}, TEMPLATE, None)
    name = str(path)
    ini = read_ini(path, name=name)
    faults = [Fault(name, key=key, problem=f"belongs into [{SECTION}]") for key in ini.scalars]
    faults += [Fault(name, other, problem="unknown section") for other in ini.sections if other != SECTION]
    if faults:
        raise ConfigError(*map(str, faults))
    return checked_settings(ini.get(SECTION, {}), name, path.parent)


def checked_settings(raw: Mapping[str, Any], file: str, base: Path | None) -> InitramfsSettings:
    """Return the settings that texts of an INI file mean. ``base``: where relative paths start. Raises ConfigError."""
    checked = check_section(load_template(TEMPLATE), SECTION, raw, file=file, etc=base)
    faults = [str(fault) for fault in checked.faults]
    if not faults:
        faults = [str(Fault(file, SECTION, key, value, problem)) for key, value, problem in _wrong(checked.settings)]
    if faults:
        raise ConfigError(*faults)
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in checked.settings.items()
    }
    plain["token"] = checked.settings["token"].reveal()
    return InitramfsSettings(**plain)


def _wrong(settings: Mapping[str, Any]) -> list[tuple[str, object, str]]:
    """Return key, value and problem of what the types of the options cannot see."""
    found: list[tuple[str, object, str]] = []
    if not settings["devices"]:
        found.append(("devices", "", "names no disk: nothing could be installed"))
    for device in settings["devices"]:
        if not _DEVICE.fullmatch(device):
            found.append(("devices", device, "is no path below /dev"))
    if settings["table"] != "none":
        for partition in settings["partitions"]:
            if not all(_FIELD.fullmatch(one) for one in partition.split()):
                found.append(
                    ("partitions", partition, "is not understood: start=…, size=…, type=…, with spaces between")
                )
        if settings["root"] > len(settings["partitions"]):
            found.append(("root", settings["root"], f"there are {len(settings['partitions'])} partitions"))
    if not _LABEL.fullmatch(settings["label"]):
        found.append(("label", settings["label"], "is not made of at most 16 letters, digits, dots and dashes"))
    if re.search(r"[^!-~]", settings["token"].reveal()):
        found.append(("token", "", "has a space or another character that cannot be sent"))
    if settings["modules"] and not settings["modules_folder"]:
        found.append(("modules_folder", "", "is needed to find the modules"))
    return found
