"""Values from people and programs on their way into an INI file."""

from __future__ import annotations

from pathlib import Path

from configobj import ConfigObj

from .faults import Fault
from .files import parse_ini, render_ini
from .known_options import place
from .refusals import ConfigFaults
from .templates import Option, check_section
from .types_lists import TextList, split_list

Written = str | list[str]


def checked(etc: Path, file: str, section: str, key: str, value: object, ini: ConfigObj) -> Written:
    """Return ``value`` as it goes into the file. Raises ConfigError with one fault if the template does not allow it.

    ``value``  a text as one would type it, a list of texts, a number, or a truth value
    """
    found = place(etc, file, section, key, ini)
    option = None
    if found is not None:
        template, there = found
        outcome = check_section(template, there, {key: value}, file=file, shown_as=section, etc=etc)
        for fault in outcome.faults:
            if fault.key == key:  # not the ones about other options, which this section may well have
                raise ConfigFaults([fault])
        option = template.sections.get(there, {}).get(key)
    try:
        return _written(value, option)
    except ValueError as error:
        raise ConfigFaults([Fault(file, section, key, problem=str(error))]) from None


def _written(value: object, option: Option | None) -> Written:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str) and not (option and isinstance(option.kind, TextList)):
        return value
    items = split_list(value)
    if option is None or (option.type != "command" and not isinstance(option.kind, TextList)):
        return items
    if option.type == "command":
        return str(option.kind.format(items))
    # Without the comma that ConfigObj writes behind the only item of a list.
    plain = len(items) == 1 and not any(letter in ",\"'#" for letter in items[0])
    return items[0] if plain else items or ""


def rendered(ini: ConfigObj, file: str) -> str:
    """Return the file's text. Raises ConfigError when it does not say what ``ini`` holds.

    A key with a ``=`` or a value with a line end that INI cannot express would otherwise smuggle in other options.
    """
    text = render_ini(ini)
    if parse_ini(text, file).dict() != ini.dict():
        raise ConfigFaults([Fault(file, problem="a name or value cannot be written into an INI file")])
    return text
