"""Changes of a site's files, worked out and not written: from what is in a folder to the whole new texts of files.

The folder may be etc itself or a draft's copy of it. Comments and order stay; a secret written as ``***`` keeps its
value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from configobj import ConfigObj

from ..common.errors import CommandError, ConfigError
from .faults import Fault
from .files import MAX_BYTES, parse_ini, read_text
from .known_options import FOLDERS, Visibility, editable
from .masking import HIDDEN, shown_value
from .names import name_problem
from .reader import as_fault
from .refusals import ConfigFaults
from .servers import PART_KINDS, SECTION
from .types_lists import split_list
from .uses import uses
from .written import checked, rendered

Files = Mapping[str, str | None]
"""File relative to etc -> its whole new text; None: the file is to go."""

Values = Mapping[str, Mapping[str, object]]
"""Section -> option -> value as ``written.checked`` takes it, None to take the option out."""

_DECIDING = ("type", *(part.key for part in PART_KINDS))


class Edits:
    """Each method returns the files as they would be. All raise ConfigError with the faults at options, or CommandError
    ("not_found", "refused") for what cannot be done at all.
    """

    def __init__(self, etc: Path) -> None:
        self.etc = etc

    # -- what is there

    def text(self, file: str) -> str | None:
        """Return the text of a file, None if there is none."""
        path = editable(self.etc, file)
        try:
            exists = path.exists()
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from error
        return read_text(path, file) if exists else None

    def existing(self, file: str) -> str:
        """Return the text of a file that has to be there."""
        text = self.text(file)
        if text is None:
            raise CommandError(f"{file}: no such file", "not_found")
        return text

    def parsed(self, file: str) -> ConfigObj:
        """Return the file, an empty one if there is none."""
        ini = parse_ini(self.text(file) or "", file)
        if ini.scalars:
            raise ConfigError(str(Fault(file, key=ini.scalars[0], problem="stands before any section")))
        return ini

    # -- whole texts

    def readable(self, file: str, text: str) -> str:
        """Return ``text`` if the file may hold it. Raises ConfigFaults for what is no INI file, or is too large."""
        editable(self.etc, file)
        if len(text.encode("utf-8")) > MAX_BYTES:
            raise ConfigFaults([Fault(file, problem=f"larger than {MAX_BYTES // 1024} KiB")])
        try:
            parse_ini(text, file)
        except ConfigError as error:
            raise ConfigFaults([as_fault(line, file) for line in error.faults]) from None
        return text

    # -- options and sections

    def change(self, file: str, values: Values) -> Files:
        """Set the options that are named, and leave all others as they are; a file or section is made if missing."""
        ini = self.parsed(file)
        faults: list[Fault] = []
        for section, options in values.items():
            faults += self._put_all(ini, file, section, options)
        if faults:
            raise ConfigFaults(faults)
        return {file: rendered(ini, file)}

    def replace(self, file: str, values: Values) -> Files:
        """Make a file hold exactly ``values``."""
        ini = self.parsed(file)
        for section in [name for name in ini.sections if name not in values]:
            del ini[section]
        faults: list[Fault] = []
        for section, options in values.items():
            inside = ini.setdefault(section, {})
            for key in [name for name in inside if options.get(name) is None]:
                del inside[key]
            faults += self._put_all(ini, file, section, options)
        if faults:
            raise ConfigFaults(faults)
        return {file: rendered(ini, file)}

    def delete_section(self, file: str, section: str) -> Files:
        """Take a section out, of a server's file also out of the list in [server]."""
        self.existing(file)
        ini = self.parsed(file)
        if section not in ini.sections:
            raise CommandError(f"{file}: no section [{section}]", "not_found")
        del ini[section]
        self._relist(ini, file, section, None)
        return {file: rendered(ini, file)}

    def rename_section(self, file: str, section: str, name: str) -> Files:
        """Give an outlet, a control or a test of a server another name; its place in the list stays."""
        self.existing(file)
        ini = self.parsed(file)
        if section not in ini.sections or section == SECTION or not file.startswith("servers/"):
            raise CommandError(f"{file}: no part [{section}]", "not_found")
        if problem := name_problem(name) or ("there is a section of this name" if name in ini.sections else ""):
            raise ConfigFaults([Fault(file, section, "name", name, problem, "choose another name")])
        ini.rename(section, name)
        self._relist(ini, file, section, name)
        return {file: rendered(ini, file)}

    def _relist(self, ini: ConfigObj, file: str, section: str, name: str | None) -> None:
        """Put ``name`` in the place of ``section`` in the lists of [server]; None takes it out."""
        own = ini.get(SECTION, {}) if file.startswith("servers/") else {}
        for part in PART_KINDS:
            listed = split_list(own.get(part.listed, ""))
            if section in listed:
                renamed = [name if one == section else one for one in listed]
                rest = [one for one in renamed if one is not None]
                own[part.listed] = checked(self.etc, file, SECTION, part.listed, rest, ini)

    # -- whole objects

    def delete(self, file: str) -> Files:
        """Delete a file. What needs it is for ``uses.sentences`` to say."""
        self.existing(file)
        return {file: None}

    def copy(self, file: str, name: str) -> Files:
        """Make an object ``name`` like the one in ``file``, comments and secrets included.

        A server's outlets are left out: what feeds the one cannot feed the other.
        """
        folder = _folder(file)
        self.refuse_name(folder, name)
        text = self.existing(file)
        if folder == "servers":
            ini = self.parsed(file)
            own, outlets = ini.get(SECTION, {}), PART_KINDS[0].listed
            for section in [name for name in split_list(own.get(outlets, "")) if name in ini.sections]:
                del ini[section]
            for key in (outlets, "min_supplies"):
                own.pop(key, None)
            text = rendered(ini, file)
        return {f"{folder}/{name}.ini": text}

    def rename(self, file: str, name: str) -> Files:
        """Give an object another name, here and wherever it is named."""
        folder = _folder(file)
        text = self.existing(file)
        old = Path(file).stem
        if name == old:
            return {}
        self.refuse_name(folder, name, renamed=old)
        new_file = f"{folder}/{name}.ini"
        touched: dict[str, ConfigObj] = {}
        for use in uses(self.etc).get((folder, old), ()):
            ini = touched.setdefault(use.file, self.parsed(use.file))
            value = ini[use.section][use.key]
            if use.in_list:
                listed = [name if one == old else one for one in split_list(value)]
                ini[use.section][use.key] = listed if len(listed) > 1 else listed[0]
            else:
                ini[use.section][use.key] = name
        files: dict[str, str | None] = {one: rendered(ini, one) for one, ini in touched.items()}
        return {**files, new_file: files.get(file) or text, file: None}

    def refuse_name(self, folder: str, name: str, renamed: str = "") -> None:
        """Raise if an object cannot be called ``name``; ``renamed`` is the name that it gives up."""
        file = f"{folder}/{name}.ini"
        problem = name_problem(name)
        if not problem:
            taken = {path.stem.casefold(): path.stem for path in (self.etc / folder).glob("*.ini")}
            taken.pop(renamed.casefold(), None)
            twin = taken.get(name.casefold())
            problem = f"there is {twin!r} already" if twin else ""
        if problem:
            raise ConfigFaults([Fault(file, "", "name", name, problem, "choose another name")])

    # -- how

    def _put_all(self, ini: ConfigObj, file: str, section: str, options: Mapping[str, object]) -> list[Fault]:
        faults: list[Fault] = []
        # First what decides which other options there are.
        for key in sorted(options, key=lambda name: name not in _DECIDING):
            value = options[key]
            if value is None:
                if key in ini.get(section, {}):
                    del ini[section][key]
                continue
            try:
                self.put(ini, file, section, key, value)
            except ConfigFaults as error:
                faults += error.details
        if not options:
            ini.setdefault(section, {})
        return faults

    def put(self, ini: ConfigObj, file: str, section: str, key: str, value: object) -> None:
        """Set an option in the parsed file, unless ``value`` is what was shown of its present value."""
        now = ini.get(section, {}).get(key)
        shown = None if now is None else shown_value(Visibility(file), section, key, now)
        if now is not None and shown != now and value == shown:
            return
        if (value == HIDDEN and not Visibility(file).shows(section, key)) or f":{HIDDEN}@" in str(value):
            problem = f"has {HIDDEN} in it, and there is no former value to keep"
            raise ConfigFaults([Fault(file, section, key, problem=problem, remedy="write the value itself")])
        written = checked(self.etc, file, section, key, value, ini)
        if now != written:
            ini.setdefault(section, {})[key] = written


def _folder(file: str) -> str:
    folder = file.rpartition("/")[0]
    if folder not in FOLDERS:
        raise CommandError(f"{file} is no object that can have another name", "refused")
    return folder
