"""INI templates: which options exist, their types, defaults and documentation, and the check of settings against them.

A template is an INI file whose values are JSON lists, ``port = ["int", 161, 1, 65535]``; the comment above an option is
its documentation, the comment at the head that of the whole file. ``null`` as the default makes an option required.
"""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from configobj import ConfigObj, ConfigObjError

from ..common.errors import ConfigError
from .faults import Fault, suggestion
from .references import ReferenceProblem, Secret, expand, has_reference
from .types import TYPES, OptionType

log = logging.getLogger(__name__)

KINDS = ("outlets", "controllers", "testers")
"""What makes the parts of servers."""
TYPED = (*KINDS, "channels")
"""Folders of objects that have a type; the template of one is FOLDER.ini and conf_FOLDER/TYPE.ini together."""
GENERATOR_SECTION = {"outlets": "pdu", "controllers": "controller", "testers": "tester", "channels": "channel"}
PLAIN_SECTION = {"circuits": "circuit", "boot": "boot", "schedules": "schedule", "ups": "ups", "monitors": "monitor"}
"""Folder of objects that have no types -> the one section of their files; its template is FOLDER.ini."""
PARAMS_SECTION = {"outlets": "outletParams", "controllers": "controllerParams", "testers": "testerParams"}

AT_START = "Takes effect at the next start of the daemon."
"""How the documentation of an option ends that a reload does not apply."""

_FREE_FORM = ("string", "text", "path", "list", "command")

EXTERNAL: dict[tuple[str, str], Template] = {}
"""(kind, type name) -> template of a driver that lives outside the package; filled by ``register_template``."""
EXTERNAL_PLUGINS: dict[str, Template] = {}
"""Plugin name -> template of a plugin that lives outside the package."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option: ``name = ["type", default, *args]``; ``default`` is typed already, None when it is required."""

    section: str
    name: str
    type: str
    default: Any
    doc: str
    args: tuple[Any, ...]

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def kind(self) -> OptionType:
        """The object that parses, formats and describes values of this option."""
        return TYPES[self.type]

    @property
    def at_start(self) -> bool:
        """Whether a new value needs a restart of the daemon."""
        return self.doc.endswith(AT_START)

    def describe(self) -> str:
        """Return what is allowed, e.g. "an integer from 1 to 8"."""
        return self.kind.describe(self)


@dataclass(frozen=True, slots=True)
class Template:
    """Sections and options in the order of the file."""

    sections: dict[str, dict[str, Option]] = field(default_factory=dict)
    doc: str = ""

    def defaults(self, section: str) -> dict[str, Any]:
        """Return fresh typed defaults; a required option is missing in it."""
        options = self.sections.get(section, {}).values()
        return {option.name: copy.copy(option.default) for option in options if not option.required}

    def merged(self, other: Template) -> Template:
        """Return both; ``other`` wins, its documentation comes first if it has one."""
        sections = {name: dict(options) for name, options in self.sections.items()}
        for name, options in other.sections.items():
            sections.setdefault(name, {}).update(options)
        return Template(sections, other.doc or self.doc)


def _prose(comments: list[str]) -> str:
    """Return the text of comment lines: lines of a paragraph joined by spaces, paragraphs by an empty line."""
    lines = [line.strip().lstrip("#").strip() for line in comments]
    paragraphs = re.split(r"\n{2,}", "\n".join(lines).strip())
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


def parse_template(text: str, name: str) -> Template:
    """Return the template that ``text`` holds. Raises ConfigError with all its faults; ``name`` stands in them."""
    try:
        ini = ConfigObj(text.splitlines(), interpolation=False, _inspec=True)
    except ConfigObjError as error:
        raise ConfigError(f"{name}: {error}") from error
    sections: dict[str, dict[str, Option]] = {}
    faults = [f"{name}: {key} stands before any section" for key in ini.scalars]
    for section in ini.sections:
        sections[section] = {}
        for key in ini[section].scalars:
            try:
                option = _option(section, key, ini[section][key], _prose(ini[section].comments[key]))
            except ValueError as error:
                faults.append(f"{name} [{section}] {key}: {error}")
            else:
                sections[section][key] = option
    if faults:
        raise ConfigError(*faults)
    return Template(sections, _prose(ini.initial_comment or ini.final_comment))


def _option(section: str, name: str, text: str, doc: str) -> Option:
    """Return one option from its JSON list. Raises ValueError (json's own error is one)."""
    value = json.loads(text)
    if not isinstance(value, list) or not value or value[0] not in TYPES:
        raise ValueError(f'{text} is not a list such as ["int", 1]; types: {", ".join(TYPES)}')
    kind = TYPES[value[0]]
    at = kind.default_at
    args = tuple(value[1:] if at is None else value[1:at] + value[at + 1 :])
    raw = kind.fallback if at is None or len(value) <= at else value[at]
    option = Option(section, name, value[0], raw, doc, args)
    option.describe()  # a wrong range or an empty choice shows here
    return option if raw is None else replace(option, default=kind.parse(raw, option))


@cache
def _packaged(path: str) -> Template:
    """Return one template file of the package. Raises ConfigError for an unknown or an unsafe name."""
    parts = path.split("/")
    # The name may come over the socket: plain names only, so nothing outside src/config can be read.
    if len(parts) > 2 or not parts[-1].endswith(".ini") or not all(re.fullmatch(r"\w[\w.-]*", part) for part in parts):
        raise ConfigError(f"{path!r} is not the name of a template, such as conf_outlets/PoE.ini")
    file = resources.files(__package__).joinpath(*parts)
    if not file.is_file():
        raise ConfigError(f"there is no template {path}")
    return parse_template(file.read_text("utf-8"), path)


@cache
def load_template(*paths: str) -> Template:
    """Return template files merged in order; paths are relative to ``src/config``. Raises ConfigError."""
    template = Template()
    for path in paths:
        template = template.merged(_packaged(path))
    return template


def available_types(kind: str) -> dict[str, str]:
    """Return type name -> first sentence of its template, of the package only. ``kind`` may also be "plugins"."""
    return dict(_packaged_types("plugins" if kind == "plugins" else f"conf_{kind}"))


@cache
def _packaged_types(folder: str) -> dict[str, str]:
    files = resources.files(__package__).joinpath(folder).iterdir()
    names = sorted(file.name.removesuffix(".ini") for file in files if file.name.endswith(".ini"))
    return {name: first_sentence(load_template(f"{folder}/{name}.ini").doc) for name in names}


def first_sentence(text: str) -> str:
    """Return the text up to the first full stop that ends a sentence."""
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def type_names(kind: str) -> list[str]:
    """Return every type name (or plugin name, for "plugins") that a configuration may use now."""
    return sorted({*available_types(kind), *_external(kind)})


def described_types(kind: str) -> dict[str, str]:
    """Return what ``type_names`` does, sorted, with the first sentence of each template."""
    external = {name: first_sentence(template.doc) for name, template in _external(kind).items()}
    return dict(sorted({**external, **available_types(kind)}.items()))


def _external(kind: str) -> dict[str, Template]:
    if kind == "plugins":
        return EXTERNAL_PLUGINS
    return {name: template for (external_kind, name), template in EXTERNAL.items() if external_kind == kind}


def own_template(kind: str, type_name: str) -> Template:
    """Return only what the type itself adds to the common options. Raises ConfigError if it is unknown."""
    if kind not in TYPED:
        raise ConfigError(f"{kind!r} is not one of {', '.join(TYPED)}")
    if (kind, type_name) in EXTERNAL:
        return EXTERNAL[kind, type_name]
    if type_name not in available_types(kind):
        raise ConfigError(f"{kind}: unknown type {type_name!r}; {suggestion(type_name, type_names(kind))}")
    return load_template(f"conf_{kind}/{type_name}.ini")


def driver_template(kind: str, type_name: str) -> Template:
    """Return common and own options of a type of a folder of ``TYPED``. Raises ConfigError if it is unknown."""
    return load_template(f"{kind}.ini").merged(own_template(kind, type_name))


def identity_options(type_name: str) -> tuple[str, ...]:
    """Return the outlet options of a PDU type that say which outlet it is (port, group), not how it is treated."""
    options = own_template("outlets", type_name).sections.get("outletParams", {}).values()
    return tuple(option.name for option in options if option.kind.addresses)


def plugin_template(name: str) -> Template:
    """Return the options of a plugin, all in section ``plugins.NAME``. Raises ConfigError if it is unknown."""
    if name in EXTERNAL_PLUGINS:
        return EXTERNAL_PLUGINS[name]
    if name not in available_types("plugins"):
        raise ConfigError(f"unknown plugin {name!r}; {suggestion(name, type_names('plugins'))}")
    return load_template(f"plugins/{name}.ini")


def register_template(kind: str, type_name: str, template: Template) -> None:
    """Make a driver's (or with kind "plugins", a plugin's) template known that lives outside the package."""
    if kind == "plugins":
        EXTERNAL_PLUGINS[type_name] = template
    else:
        EXTERNAL[kind, type_name] = template


@dataclass(slots=True)
class Checked:
    """The outcome of a check: ``settings`` holds every option that is fine or has a default."""

    settings: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_section(
    template: Template,
    section: str,
    raw: Mapping[str, object],
    *,
    file: str = "",
    shown_as: str = "",
    etc: Path | None = None,
    check_secrets: bool = True,
) -> Checked:
    """Check one section and collect every fault in the order of ``raw``, missing options last.

    ``shown_as``       the section's name in the file where it differs from the template's (``psu1`` for outletParams)
    ``etc``            where relative paths and ``${file:…}`` start; None leaves relative paths as they are
    ``check_secrets``  False: a reference that cannot be resolved here is no fault, its text stays as it is
    """
    options = template.sections.get(section, {})
    name = shown_as or section
    checked = Checked({key: _based(options[key], value, etc) for key, value in template.defaults(section).items()})
    for key, value in raw.items():
        option = options.get(key)
        if option is None:
            # The value is not shown: a misspelt option may be a password.
            remedy = suggestion(key, options, none="this section has no options")
            checked.faults.append(Fault(file, name, key, None, "unknown option", remedy))
            continue
        try:
            checked.settings[key] = _value(option, value, etc, check_secrets, checked, f"{file} [{name}] {key}")
        except ValueError as error:
            visible = None if option.type == "secret" else value
            checked.faults.append(Fault(file, name, key, visible, str(error), f"write {option.describe()}"))
    for option in options.values():
        if option.required and option.name not in raw:
            problem, remedy = "missing, and it has no default", f"write {option.describe()}"
            checked.faults.append(Fault(file, name, option.name, None, problem, remedy))
    return checked


def _value(option: Option, raw: object, etc: Path | None, strict: bool, checked: Checked, place: str) -> Any:
    """Return the typed value with its references resolved. Raises ValueError."""

    def warn(text: str) -> None:
        checked.warnings.append(f"{place}: {text}")

    def resolved(text: object) -> object:
        return expand(text, etc, warn) if isinstance(text, str) and has_reference(text) else text

    if option.required and isinstance(raw, str) and not raw.strip():
        raise ValueError("is empty, and it has no default")
    if option.type == "secret":
        secret: Secret = _based(option, option.kind.parse(raw, option), etc)
        if strict:
            secret.check(warn)
        return secret
    try:
        if option.type == "command":  # split first: what a reference brings in stays one argument
            return [resolved(argument) for argument in option.kind.parse(raw, option)]
        if option.kind.textual:
            raw = [resolved(item) for item in raw] if isinstance(raw, (list, tuple)) else resolved(raw)
    except ReferenceProblem:
        if strict:
            raise
        # The unresolved text stays; what has a form of its own (host, MAC, URL) cannot be judged by it.
        return option.kind.parse(raw, option) if option.type in _FREE_FORM else raw
    return _based(option, option.kind.parse(raw, option), etc)


def _based(option: Option, value: Any, etc: Path | None) -> Any:
    """Return the value; a path made absolute, a secret that knows where its relative files start."""
    if etc is None:  # not known here: a value that was checked before keeps what it knows
        return value
    if option.type == "path" and value:
        return str((etc / Path(value).expanduser()).absolute())
    if option.type == "secret":
        return value.based(etc)
    return value


def check_settings(
    template: Template,
    section: str,
    raw: Mapping[str, object],
    *,
    where: str = "",
    etc: Path | None = None,
) -> dict[str, Any]:
    """Return typed settings with defaults filled in; ``raw`` may hold texts and lists of an INI file or typed values.

    ``where``  stands before the section in every fault, e.g. ``outlets/pdu-a.ini``
    Raises     one ConfigError with all faults
    """
    checked = check_section(template, section, raw, file=where, etc=etc)
    for warning in checked.warnings:
        log.warning("%s", warning)
    if checked.faults:
        raise ConfigError(*map(str, checked.faults))
    return checked.settings
