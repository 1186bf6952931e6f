"""Fields of a form, made from what the daemon says of an object's options (``configForm``)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..views.multiChoiceGenerators import Choice, _makeMultichoice, _makeSelectMulitChoice

WIDGETS = {
    "string": "text",
    "text": "text",
    "secret": "secret",
    "host": "text",
    "mac": "text",
    "path": "text",
    "topic": "text",
    "url": "text",
    "command": "text",
    "list": "text",
    "duration": "text",
    "int": "number",
    "intrange": "number",
    "port": "number",
    "float": "number",
    "bool": "select",
    "choice": "select",
    "select": "select",
    "multilist": "multilist",
}
"""Type of an option -> macro of parts/fields.jinja2 that shows it. A type from outside the package is a text."""

_HIDDEN = frozenset({"type"})
"""What is chosen before there is a form."""

_PROMINENT = frozenset({"comment", "dependencies", "plugins", "interface", "boards", "image"})

Place = tuple[str, str]
Texts = Mapping[Place, Any]
"""Section and option -> what stands in the field: a text, or the list of what is checked."""


@dataclass(slots=True)
class Field:
    """One option.

    ``value``     the text in the field; of a multilist the checked names
    ``default``   as it would be written; None: required
    ``set``       whether the file has the option
    ``state``     of a secret: unset, hidden (set, and never told) or reference
    ``choices``   of a select or multilist: name -> how it is shown
    ``emptiable`` whether nothing at all is something else than the default
    """

    section: str
    name: str
    type: str
    widget: str
    value: Any
    default: str | None
    set: bool
    doc: str
    allowed: str
    restart: bool = False
    state: str = ""
    choices: dict[str, Choice] = field(default_factory=dict)
    ordered: bool = False
    emptiable: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def prominent(self) -> bool:
        """Whether it is shown at first; what has its default is not, but for what people always look for."""
        return self.required or self.set or bool(self.errors) or self.name in _PROMINENT

    @property
    def input(self) -> str:
        """Name of the field in the form; neither sections nor options can have a comma."""
        return f"o,{self.section},{self.name}"

    @property
    def id(self) -> str:
        return "o-" + "".join(
            letter if letter.isalnum() and letter.isascii() else f"_{ord(letter):x}_"
            for letter in f"{self.section}-{self.name}"
        )

    @property
    def label(self) -> str:
        """The option's name in words."""
        return self.name.replace("_", " ").capitalize()

    @property
    def mode(self) -> str:
        """Which keys a phone shows."""
        return {"float": "decimal", "host": "url", "url": "url"}.get(
            self.type, "numeric" if self.widget == "number" else "text"
        )


@dataclass(slots=True)
class FormSection:
    """A section with its fields. ``errors`` are those that belong to no field."""

    name: str
    kind: str
    title: str
    doc: str
    generator: str
    type: str
    place: int | None
    fields: list[Field]
    unknown: list[dict[str, Any]]
    errors: list[str] = field(default_factory=list)


def make_section(
    data: Mapping[str, Any],
    posted: Texts | None = None,
    faults: Iterable[Mapping[str, Any]] = (),
    links: Mapping[str, str] | None = None,
) -> FormSection:
    """Return a section of ``configForm`` with its fields.

    ``posted``  what somebody has written into them, if it could not be taken
    ``faults``  of this section: key, problem, remedy
    ``links``   pattern of the INI template -> where it leads in this GUI
    """
    name = str(data["name"])
    fields = [_field(name, option, posted, links or {}) for option in data["options"] if option["name"] not in _HIDDEN]
    section = FormSection(
        name,
        str(data["kind"]),
        str(data["title"]),
        str(data["doc"]),
        str(data["generator"]),
        str(data["type"]),
        data["place"],
        fields,
        list(data["unknown"]),
    )
    by_name = {one.name: one for one in fields}
    for fault in faults:
        text = _sentence(fault)
        (by_name[fault["key"]].errors if fault["key"] in by_name else section.errors).append(text)
    return section


def _sentence(fault: Mapping[str, Any]) -> str:
    problem, remedy = str(fault["problem"]), str(fault.get("remedy") or "")
    return f"{problem}; {remedy}" if remedy else problem


def _field(section: str, option: Mapping[str, Any], posted: Texts | None, links: Mapping[str, str]) -> Field:
    name, kind = str(option["name"]), str(option["type"])
    widget = WIDGETS.get(kind, "text")
    if widget == "text" and option["choices"] is not None:
        widget = "select"
    value: Any = shown(option)
    if posted is not None and (section, name) in posted and kind != "secret":
        value = posted[section, name]
    if widget == "text" and "\n" in str(value):
        widget = "area"
    made = Field(
        section,
        name,
        kind,
        widget,
        value,
        option["default"],
        bool(option["set"]),
        str(option["doc"]),
        str(option["allowed"]),
        bool(option["restart"]),
        str(option.get("secret", "")),
        emptiable=widget == "text" and kind not in ("host", "duration", "topic") and bool(option["default"]),
    )
    if widget == "select":
        made.choices = _select_choices(section, name, str(value), _offers(option))
    elif widget == "multilist":
        ordered, in_order, pattern = (*option["args"], None, None, None)[:3]
        made.ordered = bool(ordered)
        made.choices = _makeMultichoice(
            section,
            name,
            lambda: _offers(option),
            {section: {name: value}},
            sorted=bool(in_order),
            urlPattern=links.get(str(pattern), ""),
        )[section][name]
    return made


def _select_choices(section: str, name: str, value: str, offers: Mapping[str, Any]) -> dict[str, Choice]:
    return _makeSelectMulitChoice(value, section, name, offers)[section][name]


def _offers(option: Mapping[str, Any]) -> dict[str, Any]:
    if option["type"] == "bool":
        return {"true": "", "false": ""}
    return {one["name"]: one for one in option["choices"] or ()}


def shown(option: Mapping[str, Any]) -> Any:
    """Return what stands in a field before anybody writes into it: a text, of a multilist the list; "" if not set."""
    value, kind = option["value"], option["type"]
    if kind == "multilist":
        return _names(value if option["set"] else option["default"])
    if value is None:
        return ""
    if kind == "secret":
        return value if option.get("secret") == "reference" else ""
    if isinstance(value, list):
        return shlex.join(value) if kind == "command" else ", ".join(map(_quoted, value))
    if kind == "choice":
        return next((one for one in _offers(option) if one.casefold() == value.strip().casefold()), value)
    if kind == "bool":
        return {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}.get(
            value.strip().lower(), value.strip().lower()
        )
    return str(value).replace("\r\n", "\n")


def _names(value: Any) -> list[str]:
    """Return the names of a list, each once: what is listed twice has one box."""
    items = value if isinstance(value, list) else str(value or "").split(",")
    return list(dict.fromkeys(str(one).strip() for one in items if str(one).strip()))


def _quoted(item: str) -> str:
    return f'"{item}"' if "," in item else item


def baseline(sections: Iterable[Mapping[str, Any]]) -> str:
    """Return what all fields show at first, as JSON for a hidden field: what differs from it the user has changed."""
    return json.dumps(
        [
            [section["name"], option["name"], shown(option)]
            for section in sections
            for option in section["options"]
            if option["name"] not in _HIDDEN and option["type"] != "secret"
        ],
        ensure_ascii=True,
        separators=(",", ":"),
    )
