"""Who names whom: the places in a site's files that refer to a server, a PDU, a controller, a tester or a circuit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from configobj import ConfigObj

from ..common.errors import ConfigError
from .files import parsed_once, read_text
from .known_options import editable, site_files
from .reader import MAIN_FILE
from .servers import PART_KINDS, SECTION
from .templates import GENERATOR_SECTION, PLAIN_SECTION
from .topology import CIRCUIT
from .types_lists import split_list

NOUNS = {
    "outlets": "PDU",
    "controllers": "controller",
    "testers": "tester",
    "circuits": "circuit",
    "boot": "boot profile",
    "schedules": "schedule",
    "ups": "UPS",
    "channels": "channel",
    "monitors": "monitor",
    "servers": "server",
}
"""Folder -> what an object in it is called."""


_SELECTING = {**{folder: PLAIN_SECTION[folder] for folder in ("schedules", "ups", "monitors")}, "channels": "channel"}


@dataclass(frozen=True, slots=True)
class Use:
    """One option that names an object; ``in_list``: among others."""

    file: str
    section: str
    key: str
    in_list: bool = False

    def __str__(self) -> str:
        folder, _, name = self.file.removesuffix(".ini").rpartition("/")
        return f"{NOUNS[folder]} {name}" if folder else self.file


Uses = dict[tuple[str, str], list[Use]]


def uses(etc: Path) -> Uses:
    """Return (folder, name) -> everywhere it is named. Files with errors count as naming nothing, the check tells them.

    Cost: reads all files.
    """
    found: Uses = defaultdict(list)
    for file in site_files(etc):
        try:
            ini = parsed_once(read_text(editable(etc, file), file), file)
            for named, use in _of_file(file, ini):
                found[named].append(use)
        except (ConfigError, ValueError):
            continue
    return found


def _of_file(file: str, ini: ConfigObj) -> Iterator[tuple[tuple[str, str], Use]]:
    folder = file.rpartition("/")[0]
    if file == MAIN_FILE:
        yield from _one("servers", file, ini, "main", "daemon_node")
    elif folder == "servers":
        yield from _listed(file, ini, SECTION, "dependencies")
        for section in ini.sections:
            if section != SECTION:
                for part in PART_KINDS:
                    yield from _one(part.kind, file, ini, section, part.key)
                if PART_KINDS[0].key in ini[section]:
                    yield from _one("circuits", file, ini, section, CIRCUIT)
    elif folder in _SELECTING:  # a name among its selectors; ranges and tags name nobody for good
        yield from _listed(file, ini, _SELECTING[folder], "servers")
    elif folder in GENERATOR_SECTION:
        section = GENERATOR_SECTION[folder]
        yield from _listed(file, ini, section, "via")
        if folder == "outlets":
            yield from _one("circuits", file, ini, section, CIRCUIT)


def _one(folder: str, file: str, ini: ConfigObj, section: str, key: str) -> Iterator[tuple[tuple[str, str], Use]]:
    name = ini.get(section, {}).get(key)
    if isinstance(name, str) and name:
        yield (folder, name), Use(file, section, key)


def _listed(file: str, ini: ConfigObj, section: str, key: str) -> Iterator[tuple[tuple[str, str], Use]]:
    for name in split_list(ini.get(section, {}).get(key, "")):
        yield ("servers", name), Use(file, section, key, in_list=True)


def users(etc: Path, deleted: Iterable[str]) -> list[str]:
    """Return a sentence for each of the files ``deleted`` that something in ``etc`` still names."""
    wanted = [(file.rpartition("/")[0], Path(file).stem) for file in deleted if file != MAIN_FILE]
    if not wanted:
        return []
    known = uses(etc)
    return [
        f"{folder}/{name}.ini is used by {_told(known[folder, name])}" for folder, name in wanted if known[folder, name]
    ]


def _told(found: list[Use]) -> str:
    """Return ``servers web1, web2, PDU pdu-a``."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for use in found:
        folder, _, name = use.file.removesuffix(".ini").rpartition("/")
        if name not in by_folder[folder]:
            by_folder[folder].append(name)
    parts = []
    for folder, names in sorted(by_folder.items(), key=lambda item: item[0] != "servers"):
        noun = NOUNS.get(folder, "")
        parts.append(f"{noun}{'' if len(names) == 1 else 's'} {', '.join(names)}" if noun else MAIN_FILE)
    return "; ".join(parts)
