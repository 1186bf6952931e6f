"""Reads the files of a site one by one and collects what is wrong in them."""

from __future__ import annotations

from collections.abc import Iterator

from configobj import ConfigObj

from ..common.errors import ConfigError
from .faults import Fault, suggestion
from .files import confine, parsed_once, read_text
from .model import ObjectConfig, PlainConfig, Site
from .names import name_problem
from .templates import (
    GENERATOR_SECTION,
    PLAIN_SECTION,
    Checked,
    Template,
    check_section,
    driver_template,
    load_template,
    plugin_template,
    type_names,
)

MAIN_FILE = "config.ini"
SECTIONS = ("main", "users", "web")
"""Of config.ini, beside the plugins'; a Site has what each of them says under its name."""


class SiteReader:
    """Fills a site file by file."""

    def __init__(self, site: Site, check_secrets: bool) -> None:
        self.site = site
        self.known: dict[str, list[str]] = {}
        """kind or "servers" -> names of all its files, also of those with faults: they do exist."""
        self._check_secrets = check_secrets

    def fault(
        self, file: str, section: str = "", key: str = "", value: object = None, *, problem: str, remedy: str = ""
    ) -> None:
        self.site.faults.append(Fault(file, section, key, value, problem, remedy))

    def check(self, template: Template, section: str, ini: ConfigObj, file: str, *, shown_as: str = "") -> Checked:
        """Check one section of a file and collect what is wrong in it; a missing section counts as an empty one."""
        name = shown_as or section
        found = ini.get(name, {})
        raw = {key: value for key, value in found.items() if not isinstance(value, dict)}
        for inner in found.keys() - raw.keys():
            self.fault(file, name, problem=f"unknown section [[{inner}]] inside", remedy="sections are not nested")
        checked = check_section(
            template, section, raw, file=file, shown_as=shown_as, etc=self.site.etc, check_secrets=self._check_secrets
        )
        self.site.faults += checked.faults
        self.site.warnings += checked.warnings
        return checked

    def read(self, file: str) -> ConfigObj | None:
        """Return the file, None (and its faults) if it cannot be read."""
        try:
            ini = parsed_once(read_text(confine(self.site.etc, file), file), file)
        except ConfigError as error:
            self.site.faults += [as_fault(line, file) for line in error.faults]
            return None
        for key in ini.scalars:
            self.fault(file, key=key, problem="stands before any section", remedy="move it below its [section]")
        return ini

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's INI files, sorted; a bad name or two that differ only by case are faults."""
        try:
            files = sorted(path.name for path in (self.site.etc / folder).iterdir())
        except FileNotFoundError:
            files = []
        except OSError as error:
            self.fault(folder, problem=f"cannot be read: {error.strerror or error}")
            files = []
        names: list[str] = []
        folded: dict[str, str] = {}
        for file in files:
            name = file.removesuffix(".ini")
            if name == file or file.startswith("."):
                continue
            if problem := name_problem(name):
                self.fault(f"{folder}/{file}", problem=f"its name cannot be used: {problem}", remedy="rename the file")
            elif (twin := folded.setdefault(name.casefold(), name)) != name:
                problem = f"differs only by upper and lower case from {twin}.ini"
                self.fault(f"{folder}/{file}", problem=problem, remedy="rename one of them")
            else:
                names.append(name)
        self.known[folder] = names
        return names

    def files(self, folder: str, section: str, *, remedy: str) -> Iterator[tuple[str, str, ConfigObj]]:
        """Yield name, path below etc, and content of a folder's files that have ``section``; any other one is a fault.

        ``remedy``  for a file that does not have it
        """
        for name in self.names(folder):
            file = f"{folder}/{name}.ini"
            ini = self.read(file)
            if ini is None:
                continue
            for other in ini.sections:
                if other != section:
                    self.fault(file, other, problem="unknown section", remedy=f"options belong to [{section}]")
            if section in ini.sections:
                yield name, file, ini
            else:
                self.fault(file, section, problem="this section is missing", remedy=remedy)

    def load_main(self) -> None:
        """Read config.ini; without one, all defaults hold."""
        site = self.site
        ini: ConfigObj | None
        if (site.etc / MAIN_FILE).exists():
            ini = self.read(MAIN_FILE)
        else:
            ini = ConfigObj(interpolation=False)
            site.warnings.append(f"there is no {MAIN_FILE}: every option has its default")
        template = load_template(MAIN_FILE)
        if ini is None:
            for section in SECTIONS:
                setattr(site, section, template.defaults(section))
            return
        for section in SECTIONS:
            setattr(site, section, self.check(template, section, ini, MAIN_FILE).settings)
        listed = self.check(template, "plugins", ini, MAIN_FILE).settings["plugins"]
        available = type_names("plugins")
        for name in listed:
            if name in site.plugins:
                self.fault(MAIN_FILE, "plugins", "plugins", name, problem="listed twice", remedy="list it once")
            elif name not in available:
                remedy = suggestion(name, available)
                self.fault(MAIN_FILE, "plugins", "plugins", name, problem="unknown plugin", remedy=remedy)
            else:
                site.plugins.append(name)
        sections = {
            section.removeprefix("plugins."): section for section in ini.sections if section.startswith("plugins.")
        }
        for name in dict.fromkeys([*sections, *site.plugins]):
            section = f"plugins.{name}"
            if name in available:
                site.plugin_settings[name] = self.check(plugin_template(name), section, ini, MAIN_FILE).settings
            else:
                self.fault(MAIN_FILE, section, problem="unknown plugin", remedy=suggestion(name, available))
        for section in ini.sections:
            if section not in (*SECTIONS, "plugins") and not section.startswith("plugins."):
                known = [*SECTIONS, "plugins", *(f"plugins.{name}" for name in available)]
                self.fault(MAIN_FILE, section, problem="unknown section", remedy=suggestion(section, known))

    def load_plain(self, folder: str) -> None:
        """Read a folder of objects without a type."""
        section, objects = PLAIN_SECTION[folder], self.site.plain(folder)
        for name, file, ini in self.files(folder, section, remedy=f"write [{section}]"):
            checked = self.check(load_template(f"{folder}.ini"), section, ini, file)
            objects[name] = PlainConfig(name, checked.settings, file)

    def load_generators(self, kind: str) -> None:
        """Read a folder of objects with a type: the PDUs, controllers, testers or channels."""
        section, objects = GENERATOR_SECTION[kind], self.site.generators(kind)
        for name, file, ini in self.files(kind, section, remedy=f"write [{section}] and a type"):
            type_name = ini[section].get("type")
            if type_name not in type_names(kind):
                self._type_fault(file, section, type_name, kind)
                continue
            checked = self.check(driver_template(kind, type_name), section, ini, file)
            # also with faults: nothing starts from such a site, and its servers' files can be judged all the same
            objects[name] = ObjectConfig(name, type_name, checked.settings, file)

    def _type_fault(self, file: str, section: str, type_name: object, kind: str) -> None:
        """Say that the type is missing or unknown. Other options are then not judged: it depends on the type."""
        if type_name in (None, ""):
            remedy = f"write one of {', '.join(type_names(kind))}"
            self.fault(file, section, "type", problem="missing, and it has no default", remedy=remedy)
        else:
            remedy = suggestion(str(type_name), type_names(kind))
            self.fault(file, section, "type", type_name, problem="unknown type", remedy=remedy)


def as_fault(line: str, file: str) -> Fault:
    """Return the fault that a line of a ConfigError stands for, without naming the file twice."""
    return Fault(file, problem=line.removeprefix(f"{file}: "))
