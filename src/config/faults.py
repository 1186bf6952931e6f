"""One fault of the configuration as data: people read its text, programs and forms read its fields."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place, and what to do about it.

    ``file``     relative to etc, with ``/``; "" when the fault concerns no file
    ``value``    None when there is none or when it must not be shown (secrets, misspelt options)
    ``remedy``   what to write instead; "" when the problem says it all
    """

    file: str
    section: str = ""
    key: str = ""
    value: object = None
    problem: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        if self.section:
            place.append(f"[{self.section}]")
        if self.key:
            place.append(self.key if self.value is None else f"{self.key} = {shown(self.value)}")
        text = f"{' '.join(place)}: {self.problem}" if place else self.problem
        return one_line(f"{text}; {self.remedy}" if self.remedy else text)


def shown(value: object) -> str:
    """Return the value as the user wrote it: a list with commas, in quotes, not longer than a line."""
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return repr(text if len(text) <= 80 else text[:77] + "...")


def one_line(text: str) -> str:
    """Return ``text`` without control characters, so that hostile names cannot forge lines of a log or terminal."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def suggestion(wrong: str, known: Iterable[str], *, none: str = "none is configured") -> str:
    """Return the remedy for an unknown name: the nearest known one, else all of them."""
    names = sorted(set(known))
    by_fold = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(wrong.casefold(), by_fold, n=1, cutoff=0.6)
    if near:
        return f"did you mean {by_fold[near[0]]!r}?"
    if not names:
        return none
    listed = ", ".join(names[:12])
    return f"known: {listed}, …" if len(names) > 12 else f"known: {listed}"
