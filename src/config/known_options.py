"""Which option of which template stands at a place of a site, and which places may be shown to people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..common.errors import ConfigError
from .faults import one_line
from .files import confine, read_ini
from .reader import MAIN_FILE
from .servers import PART_KINDS, SECTION
from .templates import (
    GENERATOR_SECTION,
    KINDS,
    PARAMS_SECTION,
    PLAIN_SECTION,
    TYPED,
    Option,
    Template,
    driver_template,
    load_template,
    plugin_template,
    type_names,
)

FOLDERS = (*TYPED, "servers", *PLAIN_SECTION)

_SUSPICIOUS = re.compile(r"pass|secret|token|communit|credential|private", re.IGNORECASE)


def editable(etc: Path, file: object) -> Path:
    """Return the path of a file of the site: config.ini, or FOLDER/NAME.ini. Raises ConfigError for all others.

    Only these: other INI files below etc may be what a ``${file:…}`` refers to, and no template knows their secrets.
    """
    if not isinstance(file, str) or (file != MAIN_FILE and file.rpartition("/")[0] not in FOLDERS):
        allowed = ", ".join(f"{folder}/NAME.ini" for folder in FOLDERS)
        raise ConfigError(f"{one_line(str(file)[:200])!r} is not a file of the configuration: {MAIN_FILE}, {allowed}")
    return confine(etc, file)


def site_files(etc: Path) -> list[str]:
    """Return the existing files of the site, relative to ``etc``, config.ini first."""
    found = [MAIN_FILE] if (etc / MAIN_FILE).is_file() else []
    for folder in FOLDERS:
        for path in sorted((etc / folder).glob("*.ini")):
            file = f"{folder}/{path.name}"
            try:
                editable(etc, file)
            except ConfigError:  # a name the check complains about, or a link that leads out
                continue
            found.append(file)
    return found


class Visibility:
    """Tells which options of one file may be shown.

    Careful where it cannot know: an option that no template has (a misspelt password?) is hidden, and so is one that
    is secret in any type of the file's kind, whatever the type is just now.
    """

    def __init__(self, file: str) -> None:
        self._folder = file.rpartition("/")[0]
        self._sections: dict[str, dict[str, bool]] = {}
        self._secret_names = {option.name for option in _all_options() if option.type == "secret"}

    def shows(self, section: str, key: str) -> bool:
        """Return whether the value of an option may be shown."""
        if section not in self._sections:
            visible: dict[str, bool] = {}
            for option in _possible(self._folder, section):
                visible[option.name] = visible.get(option.name, True) and option.type != "secret"
            self._sections[section] = visible
        return self._sections[section].get(key, False)

    def sounds_secret(self, key: str) -> bool:
        """Return whether a commented-out ``key = value`` looks like a secret; prose with a ``=`` in it does not."""
        return key in self._secret_names or _SUSPICIOUS.search(key) is not None


def _all_options() -> Iterator[Option]:
    templates = [load_template(MAIN_FILE), load_template("serverNodes.ini")]
    templates += [load_template(f"{folder}.ini") for folder in PLAIN_SECTION]
    templates += [plugin_template(name) for name in type_names("plugins")]
    templates += [driver_template(kind, name) for kind in TYPED for name in type_names(kind)]
    for template in templates:
        for options in template.sections.values():
            yield from options.values()


def _possible(folder: str, section: str) -> Iterator[Option]:
    """Yield every option that could stand in a section, of whatever type its object is."""
    if folder == "":
        name = section.removeprefix("plugins.")
        known = name != section and name in type_names("plugins")
        template = plugin_template(name) if known else load_template(MAIN_FILE)
        yield from template.sections.get(section, {}).values()
    elif folder in PLAIN_SECTION:
        yield from load_template(f"{folder}.ini").sections.get(section, {}).values()
    elif folder == "servers" and section == SECTION:
        yield from load_template("serverNodes.ini").sections[SECTION].values()
    else:
        for kind in KINDS if folder == "servers" else (folder,):
            wanted = PARAMS_SECTION[kind] if folder == "servers" else GENERATOR_SECTION[kind]
            if folder == "servers" or section == wanted:
                for name in type_names(kind):
                    yield from driver_template(kind, name).sections.get(wanted, {}).values()


def place(
    etc: Path, file: str, section: str, key: str, found: Mapping[str, Mapping[str, Any]]
) -> tuple[Template, str] | None:
    """Return the template that decides about an option, and its section there; None when that cannot be known (yet).

    ``found``  the file as it is: the type of a PDU, the generator of a part stand in it
    """
    folder, _, _name = file.rpartition("/")
    inside = found.get(section, {})
    if folder == "":
        name = section.removeprefix("plugins.")
        if name != section:
            return (plugin_template(name), section) if name in type_names("plugins") else None
        return load_template(MAIN_FILE), section
    if folder in PLAIN_SECTION:
        return load_template(f"{folder}.ini"), section
    if folder != "servers":
        return _typed(folder, inside.get("type"), GENERATOR_SECTION[folder], key)
    if section == SECTION:
        return load_template("serverNodes.ini"), SECTION
    for part in PART_KINDS:
        if key == part.key:
            return load_template(f"{part.kind}.ini"), PARAMS_SECTION[part.kind]
        if part.key in inside:
            type_name = _type_of(etc, part.kind, inside[part.key])
            return _typed(part.kind, type_name, PARAMS_SECTION[part.kind], key)
    return None


def _typed(kind: str, type_name: object, section: str, key: str) -> tuple[Template, str] | None:
    if isinstance(type_name, str) and type_name in type_names(kind):
        return driver_template(kind, type_name), section
    common = load_template(f"{kind}.ini")
    return (common, section) if key in common.sections[section] else None


def _type_of(etc: Path, kind: str, generator: object) -> object:
    file = f"{kind}/{generator}.ini"
    try:
        return read_ini(editable(etc, file), name=file).get(GENERATOR_SECTION[kind], {}).get("type")
    except ConfigError:
        return None
