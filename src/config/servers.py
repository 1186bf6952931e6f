"""The server files of a site, and the faults that show only when several files are seen together."""

from __future__ import annotations

from dataclasses import dataclass

from configobj import ConfigObj

from .faults import suggestion
from .model import PartConfig, ServerConfig
from .outlet_address import OutletAddress, outlet_address
from .reader import SiteReader
from .templates import GENERATOR_SECTION, PARAMS_SECTION, driver_template, load_template

SECTION = "server"


@dataclass(frozen=True, slots=True)
class PartKind:
    """How one kind of part is written: its list in [server], and the option that names its generator."""

    name: str
    listed: str
    kind: str

    @property
    def key(self) -> str:
        return GENERATOR_SECTION[self.kind]


PART_KINDS = (
    PartKind("outlet", "outlets", "outlets"),
    PartKind("control", "controls", "controllers"),
    PartKind("test", "tests", "testers"),
)


def load_servers(reader: SiteReader) -> None:
    """Read etc/servers after everything that servers refer to."""
    names = reader.names("servers")
    users: dict[OutletAddress, list[PartConfig]] = {}
    for name in names:
        file = f"servers/{name}.ini"
        ini = reader.read(file)
        if ini is None:
            continue
        server = _server(reader, name, file, ini)
        if server is not None:
            reader.site.servers[name] = server
            for outlet in server.outlets:
                _claim(reader, outlet, users)


def _server(reader: SiteReader, name: str, file: str, ini: ConfigObj) -> ServerConfig | None:
    if SECTION not in ini.sections:
        reader.fault(
            file, SECTION, problem="this section is missing", remedy="write [server]; all its options may be left out"
        )
        return None
    settings = reader.check(load_template("serverNodes.ini"), SECTION, ini, file).settings
    dependencies = _dependencies(reader, name, file, settings.pop("dependencies"))
    owner: dict[str, str] = {}
    parts: dict[str, list[PartConfig]] = {}
    for part_kind in PART_KINDS:
        listed = _distinct(reader, file, part_kind.listed, settings.pop(part_kind.listed), owner)
        found = [_part(reader, part_kind, part, file, ini) for part in listed]
        parts[part_kind.listed] = [part for part in found if part is not None]
        if part_kind.name == "outlet" and settings["min_supplies"] > len(listed):
            reader.fault(
                file,
                SECTION,
                "min_supplies",
                settings["min_supplies"],
                problem=f"it has only {len(listed)} outlets",
                remedy="write a smaller number, or 0 for all",
            )
    for section in ini.sections:
        if section != SECTION and section not in owner:
            reader.fault(file, section, problem="no list of [server] names this section", remedy=_where(ini, section))
    return ServerConfig(name, settings, dependencies, parts["outlets"], parts["controls"], parts["tests"], file)


def _dependencies(reader: SiteReader, name: str, file: str, listed: list[str]) -> list[str]:
    known = reader.known["servers"]
    good: list[str] = []
    for dependency in listed:
        problem, remedy = "", ""
        if dependency == name:
            problem, remedy = "a server cannot depend on itself", "take it out"
        elif dependency in good:
            problem, remedy = "listed twice", "list it once"
        elif dependency not in known:
            problem, remedy = "unknown server", suggestion(dependency, [other for other in known if other != name])
        else:
            good.append(dependency)
        if problem:
            reader.fault(file, SECTION, "dependencies", dependency, problem=problem, remedy=remedy)
    return good


def _distinct(reader: SiteReader, file: str, key: str, listed: list[str], owner: dict[str, str]) -> list[str]:
    """Return the listed names without those that are taken; ``owner`` (name -> the list it stands in) grows."""
    good = []
    for part in listed:
        if part == SECTION:
            reader.fault(file, SECTION, key, part, problem="this name is taken by [server] itself", remedy="rename it")
        elif part in owner:
            where = "twice" if owner[part] == key else f"in {owner[part]}, too"
            reader.fault(file, SECTION, key, part, problem=f"listed {where}", remedy="give each part its own section")
        else:
            owner[part] = key
            good.append(part)
    return good


def _part(reader: SiteReader, part_kind: PartKind, name: str, file: str, ini: ConfigObj) -> PartConfig | None:
    key, kind = part_kind.key, part_kind.kind
    if name not in ini.sections:
        remedy = f"write [{name}] with {key} and its other options, or take it out of {part_kind.listed}"
        reader.fault(file, SECTION, part_kind.listed, name, problem="there is no section of this name", remedy=remedy)
        return None
    generator = ini[name].get(key)
    known = reader.known[kind]
    if generator in (None, ""):
        remedy = suggestion("", known, none=f"write etc/{kind}/NAME.ini first")
        reader.fault(file, name, key, problem="missing, and it has no default", remedy=remedy)
        return None
    if generator not in known:
        remedy = suggestion(str(generator), known, none=f"write etc/{kind}/{generator}.ini")
        noun = "PDU" if key == "pdu" else key
        reader.fault(file, name, key, generator, problem=f"unknown {noun}", remedy=remedy)
        return None
    made_by = reader.site.generators(kind).get(generator)
    if made_by is None:  # its type is not known, and with it the options that there are
        return None
    template = driver_template(kind, made_by.type)
    checked = reader.check(template, PARAMS_SECTION[kind], ini, file, shown_as=name)
    return None if checked.faults else PartConfig(name, part_kind.name, generator, checked.settings, file)


def _where(ini: ConfigObj, section: str) -> str:
    """Return the remedy for an orphaned section, guessed from the option that names its generator."""
    for part_kind in PART_KINDS:
        if part_kind.key in ini[section]:
            return f"add it to {part_kind.listed}, or take it out"
    return "add it to outlets, controls or tests, or take it out"


def _claim(reader: SiteReader, outlet: PartConfig, users: dict[OutletAddress, list[PartConfig]]) -> None:
    """Note who uses a physical outlet; a second user is a fault unless all users call it shared."""
    address = outlet_address(reader.site.pdus[outlet.generator], outlet)
    if address is None:
        return
    others = users.setdefault(address, [])
    which = str(address)
    if any(other.file == outlet.file for other in others):
        reader.fault(
            outlet.file,
            outlet.name,
            problem=f"this server already uses the outlet {which}",
            remedy="take one of them out",
        )
    elif others and not all(user.params["shared"] for user in (*others, outlet)):
        reader.fault(
            outlet.file,
            outlet.name,
            problem=f"the outlet {which} also feeds {others[0].file} [{others[0].name}]",
            remedy="choose another outlet, or write shared = true in both",
        )
    others.append(outlet)
