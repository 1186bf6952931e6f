"""How things are shown: words, glyphs, colours, tables, times. Imports nothing heavy."""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TextIO

# word of the state -> glyph, colour (ANSI); colour never stands alone, the word is always there
STATES = {
    "on": ("✓", "32"),
    "switching on": ("▲", "36"),
    "switching off": ("▼", "36"),
    "failed": ("!", "31"),
    "gave up": ("✕", "31"),
    "forced on": ("⚑", "35"),
    "forced off": ("⚑", "35"),
    "off": ("–", "2"),
    "unknown": ("?", "33"),
    "not started": ("○", "2"),
}
FAILED_WORDS = frozenset({"failed", "gave up"})
ON_WORDS = frozenset({"on", "forced on"})
OFF_WORDS = frozenset({"off", "forced off"})


LINE = 80
"""Columns that any terminal has."""


def safe(text: object) -> str:
    """Return ``text`` in one line without control characters: names and messages must not steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


def say(text: str = "") -> None:
    """Write a line of the answer (stdout)."""
    print(text, flush=True)


def check_reader() -> None:
    """Raise BrokenPipeError when nobody reads the pipe at stdout any more: `ockle events -f | head -1` is to end."""
    import select

    try:
        number = sys.stdout.fileno()
    except ValueError:  # (UnsupportedOperation is one) stdout is no file: its reader cannot go
        return
    poll = select.poll()
    poll.register(number, 0)  # errors and hang-ups are reported unasked
    if any(seen & (select.POLLERR | select.POLLHUP) for _number, seen in poll.poll(0)):
        raise BrokenPipeError


def tell(text: str = "") -> None:
    """Write a line about what is going on (stderr)."""
    print(text, file=sys.stderr, flush=True)


def emit_json(data: object) -> None:
    say(json.dumps(data, indent=2, ensure_ascii=False))


def coloured(stream: TextIO | None = None) -> bool:
    """Tell whether the stream (default: stdout) is to have colours: a terminal, and NO_COLOR is not set."""
    stream = stream or sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, word: str) -> str:
    """Return ``text`` in the colour of a state, if stdout takes colours."""
    colour = STATES.get(word, ("", ""))[1]
    return f"\x1b[{colour}m{text}\x1b[0m" if colour and coloured() else text


def glyph(word: str) -> str:
    return STATES.get(word, ("?", ""))[0]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return aligned columns under ``heads``, the last one unpadded; "" without rows."""
    lines = [[safe("-" if cell is None or cell == "" else cell) for cell in row] for row in rows]
    if not lines:
        return ""
    lines.insert(0, list(heads))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def indented(text: str, by: int = 4) -> str:
    """Return ``text`` as lines of at most LINE columns, ``by`` from the left and those that go on a little further."""
    from textwrap import wrap  # rarely needed, and not free

    return "\n".join(wrap(text, LINE, initial_indent=" " * by, subsequent_indent=" " * (by + 2)))


def clock(seconds: float | None) -> str:
    """Return a duration as a clock shows it: ``0:31``, ``1:02:03``; ``-`` for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float | None) -> str:
    """Return a duration for reading: ``20 s``, ``1 min 50 s``, ``2 h 3 min``; ``-`` for None."""
    if seconds is None:
        return "-"
    whole = round(max(seconds, 0))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(stamp: float | None) -> str:
    """Return seconds since 1970 as local time: the time of day for today, with the date otherwise."""
    if stamp is None:
        return "-"
    then = time.localtime(stamp)
    same_day = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S", then)


def sentence(event: dict[str, Any]) -> str:
    """Return the text of an event, with the name of its server in front unless it begins with it."""
    server, text = str(event["server"]), str(event["text"])
    return text if not server or text.startswith(server) else f"{server}: {text}"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show(args: Any, data: Any, text: str, names: Iterable[str] = ()) -> None:
    """Write the answer as ``-o`` says: json, names, or the text for people."""
    if args.output == "json":
        emit_json(data)
    elif args.output == "name":
        for name in names:
            say(safe(name))
    elif text:
        say(text)
