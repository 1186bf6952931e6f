"""The syntax check of INI files, in time linear in their size, before ConfigObj sees them.

ConfigObj's regular expressions backtrack: a list of twelve items with an open quote at its end kept it busy for more
than ten seconds, growing by four with every item; a million brackets for more than ten minutes. So only lines that it
accepts at the first try get through, and every fault gets its line and a plain sentence. A few things that ConfigObj
would take are refused: names with quotes, ``#`` or commas, nested sections, empty list items, and a ``#`` that
silently cuts an unquoted value (``password = abc#def``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MAX_LINE = 8192
MAX_FAULTS = 100
"""Of one file; a file of another format would have thousands."""
MAX_VALUE_LINES = 1000

# Names without a quote, # or comma: ConfigObj would write those in quotes.
_SECTION = re.compile(r"\[([^\[\]\"'#,]{1,200})\][ \t]*(?:#.*)?")
_KEY = re.compile(r"([^\[\"'#=,][^\"'#=,]{0,200})=")
_SPACES = re.compile(r"\s{100}")
_TRIPLE = ('"""', "'''")

OPEN_QUOTE = "a quote is not closed, or text follows it"
CUT = "the # begins a comment and cuts the value; put the value in quotes, or a space before the #"


def syntax_faults(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield line number (from 1) and problem of every fault; the text never repeats the line, it may be secret."""
    seen: set[tuple[str, str]] = set()
    section = ""
    numbered = iter(enumerate(lines, 1))
    for number, full in numbered:
        line = full.strip()
        if not line or line.startswith("#"):
            continue
        if len(full) > MAX_LINE:
            yield number, f"longer than {MAX_LINE} characters"
        elif match := _SECTION.fullmatch(line):
            section = match[1].strip()
            if not section:
                yield number, "the section has no name"
            elif (section, "") in seen:
                yield number, "this section stands twice"
            seen.add((section, ""))
        elif match := _KEY.match(line):
            key, value = match[1].strip(), line[match.end() :].strip()
            if (section, key) in seen:
                yield number, "this option stands twice in its section"
            seen.add((section, key))
            problem = _multiline(value, numbered) if value.startswith(_TRIPLE) else _value(value)
            if problem:
                yield number, problem
        else:
            yield number, "neither a [section], nor `option = value`, nor a # comment"


def _multiline(value: str, following: Iterator[tuple[int, str]]) -> str:
    """Return what is wrong with a value in triple quotes, or ""; consumes the lines up to its end."""
    quote, text = value[:3], value[3:]
    for _count in range(MAX_VALUE_LINES):
        if quote in text:
            break
        _number, text = next(following, (0, ""))
    else:
        return f"a value that begins with three quotes does not end with them within {MAX_VALUE_LINES} lines"
    rest = text.split(quote, 1)[1].strip()
    return "" if not rest or rest.startswith("#") else OPEN_QUOTE


def _value(value: str) -> str:
    """Return what is wrong with a value or a list of values (with the comment behind it), or ""."""
    at = 0
    while True:
        at, problem = _item(value, at)
        if problem or at >= len(value) or value[at] == "#":
            return problem
        at += 1  # the comma
        while at < len(value) and value[at].isspace():
            at += 1
        if at >= len(value) or value[at] == "#":  # a comma at the end makes a list of what stands before it
            return ""
        if value[at] == ",":
            return "an item of the list is empty"


def _item(value: str, start: int) -> tuple[int, str]:
    """Return where the item that begins at ``start`` ends (at a comma, a # or the end), and what is wrong with it."""
    if value[start : start + 1] in ('"', "'"):
        close = value.find(value[start], start + 1)
        rest = value[close + 1 :].lstrip()
        if close < 0 or (rest and rest[0] not in ",#"):
            return start, OPEN_QUOTE
        return len(value) - len(rest), ""
    match = re.compile("[,#]").search(value, start)
    end = match.start() if match else len(value)
    if _SPACES.search(value, start, end):
        return end, "100 spaces or more in a row; put the value in quotes"
    if match and match[0] == "#" and end > start and not value[end - 1].isspace():
        return end, CUT
    if match and match[0] == "," and end == start and value[end + 1 :].lstrip()[:1] not in ("", "#"):
        return end, "an item of the list is empty"
    return end, ""
