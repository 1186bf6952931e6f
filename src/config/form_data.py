"""An object of the site as plain data for a form: sections, options, what is set, what is on offer. No secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from configobj import ConfigObj

from ..common.errors import CommandError, ConfigError
from .files import parse_ini, parsed_once
from .known_options import FOLDERS, Visibility
from .look import Look
from .masking import HIDDEN, shown_value
from .model import Site
from .reader import MAIN_FILE
from .servers import PART_KINDS, SECTION, PartKind
from .template_data import option_data
from .templates import (
    GENERATOR_SECTION,
    PARAMS_SECTION,
    PLAIN_SECTION,
    TYPED,
    Option,
    Template,
    described_types,
    driver_template,
    load_template,
    plugin_template,
    type_names,
)
from .topology import CIRCUIT
from .types_lists import split_list
from .uses import NOUNS

Refused = Mapping[str, str]
"""Server -> why it cannot be needed."""


_TITLES = {"main": "The daemon", "plugins": "Plugins", "web": "The web GUI"}


@dataclass(slots=True)
class Wanted:
    """What the form is for.

    ``type``  of an object that is not there yet, or another one for an object that is
    ``part``  a part that a server is to get: its kind ("outlets", "controllers", "testers") and its generator
    """

    file: str
    type: str = ""
    part: tuple[str, str] | None = None


@dataclass(slots=True)
class FormSection:
    """``kind``: main (of config.ini), plugins, plugin, pdu, controller, tester, channel, circuit, boot (a profile),
    schedule, ups, monitor, server, outlet, control, test, or orphan, which belongs to nothing.

    ``place``  in the list of its kind, from 0; None for what is in no list
    """

    name: str
    kind: str
    title: str
    doc: str
    options: list[dict[str, Any]]
    unknown: list[dict[str, Any]] = field(default_factory=list)
    generator: str = ""
    type: str = ""
    place: int | None = None


def form_data(look: Look, wanted: Wanted, refused: Refused) -> dict[str, Any]:
    """Return ``file``, ``folder``, ``name``, ``noun``, ``exists``, ``type``, ``types``, ``uses`` and ``sections``.

    Raises CommandError for an unknown file or type, ConfigError for a file that cannot be parsed
    """
    form = _Form(look, wanted, refused)
    folder, _, name = wanted.file.removesuffix(".ini").rpartition("/")
    if wanted.file != MAIN_FILE and folder not in FOLDERS:
        raise CommandError(f"{wanted.file} is no file of the configuration", "not_found")
    return {
        "file": wanted.file,
        "folder": folder,
        "name": name,
        "noun": NOUNS.get(folder, ""),
        "exists": wanted.file in look.texts,
        "type": form.type_name(folder),
        "types": described_types(folder) if folder in GENERATOR_SECTION else {},
        "uses": [{"place": str(use), **asdict(use)} for use in look.uses.get((folder, name), ())],
        "sections": [asdict(section) for section in form.sections(folder)],
    }


class _Form:
    def __init__(self, look: Look, wanted: Wanted, refused: Refused) -> None:
        self._site = look.site
        self._wanted = wanted
        self._refused = refused
        self._ini: ConfigObj = parse_ini(look.texts.get(wanted.file, ""), wanted.file)
        self._visibility = Visibility(wanted.file)
        self._look = look

    def type_name(self, folder: str) -> str:
        if folder not in GENERATOR_SECTION:
            return ""
        return self._wanted.type or str(self._ini.get(GENERATOR_SECTION[folder], {}).get("type", ""))

    def sections(self, folder: str) -> Iterator[FormSection]:
        if not folder:
            yield from self._main()
        elif folder in PLAIN_SECTION:
            section = PLAIN_SECTION[folder]
            yield self._section(section, section, NOUNS[folder].capitalize(), load_template(f"{folder}.ini"), section)
        elif folder == "servers":
            yield from self._server()
        else:
            yield from self._generator(folder)

    def _main(self) -> Iterator[FormSection]:
        template = load_template(MAIN_FILE)
        for section in template.sections:
            kind = "plugins" if section == "plugins" else "main"
            yield self._section(section, kind, _TITLES.get(section, section.capitalize()), template, section)
        for name in type_names("plugins"):
            section = f"plugins.{name}"
            yield self._section(section, "plugin", name, plugin_template(name), section)
        known = {*template.sections, *(f"plugins.{name}" for name in type_names("plugins"))}
        for section in self._ini.sections:
            if section not in known:
                yield self._section(section, "orphan", section, Template(), section)

    def _generator(self, folder: str) -> Iterator[FormSection]:
        type_name, section = self.type_name(folder), GENERATOR_SECTION[folder]
        known = type_name in type_names(folder)
        if self._wanted.type and not known:
            raise CommandError(f"there is no type {type_name} of {NOUNS[folder]}s", "not_found")
        template = driver_template(folder, type_name) if known else load_template(f"{folder}.ini")
        yield self._section(section, section, NOUNS[folder], template, section)

    def _server(self) -> Iterator[FormSection]:
        yield self._section(SECTION, "server", "Server", load_template("serverNodes.ini"), SECTION)
        listed: dict[str, tuple[PartKind, int]] = {}
        own = self._ini.get(SECTION, {})
        for part in PART_KINDS:
            for place, name in enumerate(_names(own.get(part.listed, ""))):
                listed.setdefault(name, (part, place))
        for name in sorted((one for one in listed if one in self._ini.sections), key=lambda one: listed[one][1]):
            yield self._part(name, *listed[name], str(self._ini[name].get(listed[name][0].key, "")))
        for name in self._ini.sections:
            if name != SECTION and name not in listed:
                yield self._section(name, "orphan", name, Template(), name)
        if self._wanted.part is not None:
            kind, generator = self._wanted.part
            new = next((one for one in PART_KINDS if one.kind == kind), None)
            if new is None or generator not in self._site.generators(kind):
                raise CommandError(f"there is no {NOUNS.get(kind, 'device')} {generator}", "not_found")
            yield self._part("", new, None, generator)

    def _part(self, name: str, part: PartKind, place: int | None, generator: str) -> FormSection:
        made_by = self._site.generators(part.kind).get(generator)
        template = driver_template(part.kind, made_by.type) if made_by else load_template(f"{part.kind}.ini")
        section = self._section(name, part.name, name, template, PARAMS_SECTION[part.kind])
        section.generator, section.place = generator, place
        section.type = made_by.type if made_by else ""
        if not name:
            key = next(option for option in section.options if option["name"] == part.key)
            key["value"], key["set"] = generator, True
        return section

    def _section(self, name: str, kind: str, title: str, template: Template, there: str) -> FormSection:
        raw = self._ini.get(name, {})
        options = template.sections.get(there, {})
        found = [self._option(option, name, raw) for option in sorted(options.values(), key=_rank)]
        unknown = [
            {"name": key, "value": shown_value(self._visibility, name, key, raw[key])}
            for key in raw
            if key not in options and not isinstance(raw[key], dict)
        ]
        return FormSection(name, kind, title, template.doc, found, unknown)

    def _option(self, option: Option, section: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        data = option_data(option)
        value = raw.get(option.name)
        shown = None if value is None else shown_value(self._visibility, section, option.name, value)
        data |= {"name": option.name, "set": value is not None, "value": shown, "choices": self._choices(option)}
        if option.type == "secret":
            data["secret"] = "unset" if not value else "hidden" if shown == HIDDEN else "reference"
        if option.name == "type" and self._wanted.type:
            data |= {"value": self._wanted.type, "set": True}
        return data

    def _choices(self, option: Option) -> list[dict[str, str]] | None:
        """Return what is on offer (name, doc, refused), None where anything may be written."""
        site = self._site
        generators = {part.key: part.kind for part in PART_KINDS}
        if option.type == "choice":
            return [_offer(choice) for choice in option.args[0]]
        if option.name in generators and option.type == "select":
            found = site.generators(generators[option.name])
            return [_offer(name, one.settings.get("comment") or one.type) for name, one in sorted(found.items())]
        if option.name == "type" and option.type == "select":
            folder = next(kind for kind, section in GENERATOR_SECTION.items() if section == option.section)
            return [_offer(name, doc) for name, doc in described_types(folder).items()]
        if option.name == "plugins":
            return [_offer(name, doc) for name, doc in described_types("plugins").items()]
        if option.name == CIRCUIT and option.type == "string":
            return [_offer("", "none"), *(_offer(name, one.settings["comment"]) for name, one in site.circuits.items())]
        if option.name in ("outlets", "controls", "tests") and option.type == "multilist":
            return [_offer(name) for name in _names(self._ini.get(SECTION, {}).get(option.name, ""))]
        if option.name == "daemon_node":
            return [_offer("", "none of them"), *self._servers(site, {})]
        if option.type == "multilist":  # dependencies, via
            own = Path(self._wanted.file).stem if self._wanted.file.startswith("servers/") else ""
            return [one for one in self._servers(site, self._refused) if one["name"] != own]
        return None

    @staticmethod
    def _servers(site: Site, refused: Refused) -> list[dict[str, str]]:
        return [
            _offer(name, str(server.settings.get("comment", "")), refused.get(name, ""))
            for name, server in sorted(site.servers.items())
        ]


def _rank(option: Option) -> int:
    """Sort first what says what an object is, then what its type adds, then what all of its kind have."""
    if option.name in ("type", "comment", *(part.key for part in PART_KINDS)):
        return 0
    common = {name for kind in TYPED for name in load_template(f"{kind}.ini").sections.get(option.section, {})}
    return 2 if option.name in common else 1


def _offer(name: str, doc: str = "", refused: str = "") -> dict[str, str]:
    return {"name": str(name), "doc": doc, "refused": refused}


def _names(value: Any) -> list[str]:
    try:
        return split_list(value)
    except ValueError:
        return []


def objects(look: Look, folder: str) -> list[dict[str, Any]]:
    """Return the objects of a folder, by name: name, file, type, comment, ``uses`` (texts), ``fault`` ("" = none)."""
    faults: dict[str, str] = {}
    for fault in look.site.faults:
        faults.setdefault(fault.file, str(fault))
    found = []
    for file, text in sorted(look.texts.items()):
        where, _, stem = file.removesuffix(".ini").rpartition("/")
        if where != folder:
            continue
        try:
            ini = parsed_once(text, file)
        except ConfigError:
            ini = ConfigObj()
        section = ini.get(GENERATOR_SECTION.get(folder, PLAIN_SECTION.get(folder, SECTION)), {})
        entry: dict[str, Any] = {
            "name": stem,
            "file": file,
            "type": str(section.get("type", "")),
            "comment": _comment(section),
            "uses": list(dict.fromkeys(str(use) for use in look.uses.get((folder, stem), ()))),
            "fault": faults.get(file, ""),
        }
        if folder == "servers":
            entry |= {key: _names(section.get(key, "")) for key in ("dependencies", *(p.listed for p in PART_KINDS))}
        found.append(entry)
    return found


def _comment(section: Mapping[str, Any]) -> str:
    value = section.get("comment", "")
    return ", ".join(value) if isinstance(value, list) else str(value)
