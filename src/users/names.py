"""What users and tokens may be called, and what may be written down of a client."""

from __future__ import annotations

import unicodedata

from ..common.errors import CommandError

LONGEST = 64


def checked_name(text: object, what: str = "user") -> str:
    """Return the name of a user or a token as it is kept. Raises CommandError when it can be none."""
    if not isinstance(text, str):
        raise CommandError(f"the name of a {what} is a text")
    name = unicodedata.normalize("NFKC", text)
    if not name or len(name) > LONGEST or not all(letter.isalnum() or letter in "._@-" for letter in name):
        raise CommandError(f"the name of a {what} has 1 to {LONGEST} letters, digits, and . _ @ -")
    return name


def folded(text: object) -> str:
    """Return what is the same for all spellings by which a user is found: guesses at one count together."""
    return unicodedata.normalize("NFKC", str(text)[:LONGEST]).casefold()[:LONGEST]


def plain(text: object, longest: int) -> str:
    """Return a text of somebody else in one line without control characters, cut to ``longest``."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
