"""Texts of INI files without their secrets, and the way back: what was hidden and is still hidden keeps its value.

A text is taken apart line by line, not parsed and written anew, so that everything else in it stays as it was. What
cannot be understood is hidden, too: a broken line may hold a password.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from ..common.errors import ConfigError
from .faults import Fault
from .known_options import Visibility

HIDDEN = "***"
NEW = " (new)"

_SECTION = re.compile(r"(\[([^\[\]\"'#]{1,200})\])(.*)")
_OPTION = re.compile(r"([^\[\"'#=][^=]{0,200})=[ \t]*")
_REFERENCE = re.compile(r"\$\{(?:env|file):[^}]+\}")
_QUOTES = ('"""', "'''", '"', "'")
_SHORTEST = 4
"""Secrets shorter than this are not searched for in comments: ``a`` stands everywhere."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line (or the lines of one value): ``head + body + tail``.

    ``key``   of an option; ``#`` of a comment, ``[`` of a section's line, ``?`` if it makes no sense, "" if it is empty
    ``body``  the part that may have to be hidden
    """

    section: str
    key: str
    head: str
    body: str
    tail: str

    @property
    def is_option(self) -> bool:
        return self.key not in ("", "#", "[", "?")


def mask_url(text: str) -> str:
    """Return ``text`` with the passwords of URLs in it hidden."""
    return "".join(_mask_word(word) for word in re.split(r"(\s+)", text)) if "://" in text else text


def _mask_word(word: str) -> str:
    # By hand: a pattern with two open ends takes quadratic time on hostile texts.
    scheme, slashes, rest = word.partition("://")
    login, at, host = rest.rpartition("@")
    user, colon, password = login.partition(":")
    return f"{scheme}{slashes}{user}:{HIDDEN}@{host}" if at and colon and password else word


def shown_value(visibility: Visibility, section: str, key: str, value: object) -> object:
    """Return a parsed value (a text or a list of texts) as people may see it."""
    if isinstance(value, (list, tuple)):
        if not visibility.shows(section, key):
            return HIDDEN
        return [mask_url(str(item)) for item in value]
    text = str(value)
    if visibility.shows(section, key):
        return mask_url(text)
    return text if not text or _REFERENCE.fullmatch(text) else HIDDEN


class Masked:
    """One text of a file, and how people see it."""

    def __init__(self, file: str, text: str) -> None:
        self._visibility = Visibility(file)
        self.pieces = list(_pieces(text))
        self.literals = {word for piece in self.pieces if (word := self._literal(piece))}

    def text(self, *, literals: set[str] | frozenset[str] = frozenset(), against: Masked | None = None) -> str:
        """Return the text without secrets.

        ``literals``  further secrets that no comment may tell
        ``against``   mark what is hidden and differs from that former text
        """
        literals = self.literals | literals
        former: dict[tuple[str, str], set[str]] = defaultdict(set)
        for piece in against.pieces if against else ():
            former[piece.section, piece.key].add(piece.body)
        parts = []
        for piece in self.pieces:
            shown = self._shown(piece, literals)
            is_new = against is not None and shown != piece.body and piece.body not in former[piece.section, piece.key]
            parts.append(piece.head + shown + (NEW if is_new else "") + piece.tail)
        return "".join(parts)

    def hidden(self) -> Iterator[tuple[Piece, str]]:
        """Yield every piece that people see in another way, or that is nothing but stars, and what they see."""
        for piece in self.pieces:
            if (shown := self._shown(piece, self.literals)) != piece.body or self.still_masked(piece):
                yield piece, shown

    def still_masked(self, piece: Piece) -> bool:
        """Return whether a piece that somebody wrote has stars where a value must be."""
        if piece.is_option and self._visibility.shows(piece.section, piece.key):
            return f":{HIDDEN}@" in piece.body
        return (piece.is_option or piece.key == "?") and _plain(piece.body) == HIDDEN

    def _literal(self, piece: Piece) -> str:
        if not piece.is_option or self._visibility.shows(piece.section, piece.key):
            return ""
        text = _plain(piece.body)
        return "" if len(text) < _SHORTEST or text == HIDDEN or _REFERENCE.fullmatch(text) else text

    def _shown(self, piece: Piece, literals: set[str] | frozenset[str]) -> str:
        if piece.key == "?":
            return HIDDEN
        if piece.key in ("#", "["):
            if any(word in piece.body for word in literals):
                return HIDDEN if piece.key == "#" else f" # {HIDDEN}"
            key, equals, value = piece.body.partition("=")
            if equals and value.strip() and piece.key == "#" and self._visibility.sounds_secret(key.strip()):
                return f"{key}= {HIDDEN}"
            return mask_url(piece.body)
        if not piece.is_option:
            return piece.body
        if self._visibility.shows(piece.section, piece.key):
            comment = piece.body.partition("#")[2]
            return HIDDEN if any(word in comment for word in literals) else mask_url(piece.body)
        text = _plain(piece.body)
        if _REFERENCE.fullmatch(text):
            return text  # without a comment behind it, which may tell what the secret was before
        return HIDDEN if piece.body.strip() else piece.body


def mask(file: str, text: str) -> str:
    """Return the text of ``file`` (relative to etc: its place decides what is secret) as people may see it."""
    return Masked(file, text).text()


def unmask(file: str, text: str, old: str | None) -> str:
    """Return ``text`` with what is still hidden in it as in ``old``, the file's text so far (None: there is none).

    Raises ConfigError naming every option that holds stars and had no value before.
    """
    kept: dict[tuple[str, str, str], deque[str]] = defaultdict(deque)
    for piece, shown in Masked(file, old or "").hidden():
        kept[piece.section, piece.key, shown.strip()].append(piece.body)
    parts, faults = [], []
    new = Masked(file, text)
    for piece in new.pieces:
        bodies = kept.get((piece.section, piece.key, piece.body.strip()))
        if not bodies and new.still_masked(piece):
            problem = f"is {HIDDEN}, and there is no former value to keep"
            faults.append(str(Fault(file, piece.section, piece.key, problem=problem, remedy="write the value itself")))
        parts.append(piece.head + (bodies.popleft() if bodies else piece.body) + piece.tail)
    if faults:
        raise ConfigError(*faults)
    return "".join(parts)


def _plain(body: str) -> str:
    """Return the value without quotes and comment."""
    text = body.strip()
    for quote in _QUOTES:
        if text.startswith(quote):
            return text[len(quote) :].partition(quote)[0]
    return re.split(r"\s#", f" {text}", maxsplit=1)[0].strip()


def _pieces(text: str) -> Iterator[Piece]:
    lines = iter(text.split("\n"))
    section, first = "", True
    for full in lines:
        line = full.removesuffix("\r")
        indent = "" if first else "\n"
        first = False
        rest = line.lstrip()
        indent += line[: len(line) - len(rest)]
        tail = full[len(line) :]
        if not rest:
            yield Piece(section, "", indent, "", tail)
        elif rest.startswith("#"):
            body = rest.lstrip("# \t")
            yield Piece(section, "#", indent + rest[: len(rest) - len(body)], body, tail)
        elif (match := _SECTION.fullmatch(rest)) and match[3].strip()[:1] in ("", "#"):
            section = match[2].strip()
            yield Piece(section, "[", indent + match[1], match[3], tail)
        elif match := _OPTION.match(rest):
            body = rest[match.end() :]
            if body.startswith(_QUOTES[:2]) and body[:3] not in body[3:]:
                body += tail
                for more in lines:
                    body += "\n" + more
                    if body[:3] in more:
                        break
                tail = "\r" if body.endswith("\r") else ""
                body = body.removesuffix("\r")
            yield Piece(section, match[1].strip(), indent + match.group(), body, tail)
        else:
            yield Piece(section, "?", indent, rest, tail)
