"""Templates as plain data, for forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .templates import EXTERNAL, EXTERNAL_PLUGINS, Option, Template, load_template


def template_data(paths: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return templates merged in order as section -> option -> what there is to know about it.

    ``paths``  relative to src/config, such as ``conf_outlets/PoE.ini``; also of types from outside the package
    Each option has ``type``, ``default`` (as it would stand in an INI file; None: required), ``required``, ``allowed``
    (a phrase), ``args`` (the rest of its JSON list), ``doc``, and ``restart``: whether a new value needs one.
    Raises ConfigError for anything but a template.
    """
    merged = Template()
    for path in paths:
        merged = merged.merged(_template(path))
    return {
        section: {name: option_data(option) for name, option in options.items()}
        for section, options in merged.sections.items()
    }


def _template(path: str) -> Template:
    folder, _, name = path.removesuffix(".ini").rpartition("/")
    if folder == "plugins" and name in EXTERNAL_PLUGINS:
        return EXTERNAL_PLUGINS[name]
    return EXTERNAL.get((folder.removeprefix("conf_"), name)) or load_template(path)


def option_data(option: Option) -> dict[str, Any]:
    """Return what there is to know about one option."""
    return {
        "type": option.type,
        "default": None if option.required else option.kind.format(option.default),
        "required": option.required,
        "allowed": option.describe(),
        "args": list(option.args),
        "doc": option.doc,
        "restart": option.at_start,
    }
