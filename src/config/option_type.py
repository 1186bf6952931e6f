"""What every type of option is made of, and the registry of all types."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .templates import Option


class OptionType(ABC):
    """How one type reads, writes and describes its values. Without state: one object serves all options."""

    textual: ClassVar[bool] = False
    """Whether ``${env:…}`` and ``${file:…}`` may stand in the value."""
    addresses: ClassVar[bool] = True
    """Whether such an option of an outlet says *which* outlet it is, rather than how it is treated."""
    default_at: ClassVar[int | None] = 1
    """Where in the JSON list the default stands; None: the type has none and the option is required."""
    fallback: ClassVar[object] = None
    """The default when the JSON list ends before ``default_at``."""

    @abstractmethod
    def parse(self, raw: object, option: Option) -> Any:
        """Return the typed value of text, of a list of texts, or of an already typed value.

        Raises ValueError saying what is wrong in a few words; the text never repeats the value, which may be secret.
        """

    def format(self, value: Any) -> str:
        """Return the text which ``parse`` turns into ``value`` again."""
        return str(value)

    @abstractmethod
    def describe(self, option: Option) -> str:
        """Return what is allowed, so that it completes "write …"."""


TYPES: dict[str, OptionType] = {}
"""Name in templates -> its type; complete once ``types`` is imported."""


def register(name: str) -> Callable[[type[OptionType]], type[OptionType]]:
    """Return the decorator that makes a class the type ``name``."""

    def add(kind: type[OptionType]) -> type[OptionType]:
        TYPES[name] = kind()
        return kind

    return add


def text_of(raw: object) -> str:
    """Return one text; ConfigObj makes a list of every value with a comma, which is undone here."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, (list, tuple)) and all(isinstance(item, str) for item in raw):
        return ", ".join(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError("not a text")
