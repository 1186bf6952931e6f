"""Finds the types of outlets, controls, tests, channels and plugins: in the package, and by entry points outside of it.

Nothing is imported but what is asked for: a driver's library is loaded only where a site uses it.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from ..common.errors import ConfigError
from ..config.templates import Template, parse_template, register_template

FOLDERS = ("outlets", "controllers", "testers", "channels", "plugins")
_ROOT = __package__.rpartition(".")[0]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


@cache
def _modules(folder: str) -> dict[str, str]:
    package = importlib.import_module(f"{_ROOT}.{folder}")
    return {_plain(found.name): f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)}


@cache
def _external(folder: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"ockle.{folder}")}


def load_class(folder: str, type_name: str) -> type[Any]:
    """Return the class ``type_name`` of ``folder`` (one of FOLDERS); a package's own type wins over an entry point.

    Raises ConfigError when there is none, or when what it needs cannot be imported.
    """
    module_name = _modules(folder).get(_plain(type_name))
    try:
        if module_name is not None:
            found = getattr(importlib.import_module(module_name), type_name, None)
        else:
            point = _external(folder).get(type_name)
            found = point.load() if point is not None else None
    except ImportError as error:
        raise ConfigError(f"{folder}: the type {type_name} needs something that is not installed: {error}") from error
    if not isinstance(found, type):
        raise ConfigError(f"{folder}: there is no type {type_name}")
    return found


def register_external_templates() -> list[str]:
    """Load the entry points of other packages and register the INI template each brings as the text ``TEMPLATE``.

    Returns one line for each that cannot be used; it harms nobody else.
    """
    faults = []
    for folder in FOLDERS:
        for name, point in _external(folder).items():
            try:
                register_template(folder, name, _template_of(point))
            except Exception as error:  # noqa: BLE001 - foreign code: whatever it does at import is its own fault
                faults.append(f"{folder}: entry point {name} ({point.value}) cannot be loaded: {error}")
    return faults


def _template_of(point: EntryPoint) -> Template:
    found = point.load()
    holder: ModuleType | type[Any] = found
    text = getattr(holder, "TEMPLATE", None)
    if not isinstance(text, str):
        raise ConfigError(f"{point.value} has no INI template: give the class a text TEMPLATE")
    return parse_template(text, point.name)
