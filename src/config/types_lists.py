"""Types of options that choose from something, or are lists."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from .option_type import OptionType, register, text_of

if TYPE_CHECKING:
    from .templates import Option


@register("select")
class Select(OptionType):
    """``["select", disabled?]``: one name out of choices that are known only at run time (PDUs, types, …)."""

    textual = False
    addresses = False
    default_at = None

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        if not text:
            raise ValueError("is empty")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "one of the names on offer"


@register("choice")
class Choice(OptionType):
    """``["choice", "fail", ["fail", "cut"]]``"""

    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = text_of(raw).strip()
        by_fold = {choice.casefold(): choice for choice in self.choices(option)}
        if text.casefold() not in by_fold:
            raise ValueError("not one of the choices")
        return by_fold[text.casefold()]

    @override
    def describe(self, option: Option) -> str:
        *most, last = self.choices(option)
        return f"{', '.join(most)} or {last}" if most else last

    @staticmethod
    def choices(option: Option) -> list[str]:
        """Return the choices as the template spells them. Raises ValueError when the template has none."""
        choices = option.args[0] if option.args else None
        if not isinstance(choices, list) or not choices:
            raise ValueError("a choice needs the list of its choices")
        return [str(choice) for choice in choices]


def split_list(raw: object) -> list[str]:
    """Return the items of ``a, "b, c"`` (or of a list), stripped, without empty ones. Raises ValueError."""
    if isinstance(raw, str):
        try:
            rows = list(csv.reader([raw], skipinitialspace=True, strict=True)) if raw.strip() else [[]]
        except csv.Error:
            raise ValueError("not a list: a quote is not closed") from None
        items = [item for row in rows for item in row]
    elif isinstance(raw, (list, tuple)) and all(isinstance(item, str) for item in raw):
        items = list(raw)
    else:
        raise ValueError("not a list of texts")
    items = [item.strip() for item in items if item.strip()]
    if any("\n" in item or "\r" in item for item in items):
        raise ValueError("not a list: a line break inside of an item")
    return items


def join_list(items: list[str]) -> str:
    """Return the text that ``split_list`` takes apart again."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(items)
    return out.getvalue().replace(",", ", ") if not any("," in item for item in items) else out.getvalue()


@register("list")
class TextList(OptionType):
    textual = True
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return split_list(raw)

    @override
    def format(self, value: Any) -> str:
        return join_list(value)

    @override
    def describe(self, option: Option) -> str:
        return "a list with commas between its items"


@register("multilist")
class MultiList(TextList):
    """``["multilist", ordered?, sorted?, "/url/~~name~~", default?]``: names out of choices known only at run time.

    Ordered: the user chooses the order and it counts. Sorted: forms show the choices in alphabetical order.
    """

    textual = False
    default_at = 4
    fallback: ClassVar[object] = ()

    @override
    def describe(self, option: Option) -> str:
        return "a list of names with commas between them"
