"""The types that an option of an INI template can have: text of an INI file ⇄ typed value.

A type is one small class, registered under the name that templates use. ``args`` of an option are what follows the
default in its JSON list, e.g. ``["intrange", 1, "1-8"]`` has the args ``("1-8",)``.
"""

from __future__ import annotations

from . import types_lists, types_numbers, types_texts
from .option_type import TYPES, OptionType
from .references import Secret
from .types_lists import join_list, split_list
from .types_numbers import format_duration, parse_duration

__all__ = [
    "TYPES",
    "OptionType",
    "Secret",
    "format_duration",
    "join_list",
    "parse_duration",
    "split_list",
    "types_lists",
    "types_numbers",
    "types_texts",
]
