"""Host ranges as powerman and ClusterShell users type them: ``web[1-4]``, ``pi[01-16]``, ``n[1,4-5]``, ``pdu-[a-b]``.

A range counts in decimal, zero padding kept, or runs over single letters; there are no steps. Imports nothing heavy:
the command line prints with it.
"""

from __future__ import annotations

import re
from itertools import product

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NAMES = 100_000
"""Names that one text may expand to: a slip such as ``web[1-9999999999]`` must not eat the memory."""
MAX_LETTERS = 4_000_000
"""Letters of all names of one text together, for the same reason: 60 kB of letters before a ``[1-100000]``."""

# texts: re compiles each when it is first used, and most commands use none
_WORD = r"(?:[^\s,\[\]]|\[[^\[\]]*\])+"
_PART = r"\[([^\[\]]*)\]|([^\[\]]+)"
_RANGE = r"([0-9]{1,18})(?:-([0-9]{1,18}))?|([a-z])(?:-([a-z]))?|([A-Z])(?:-([A-Z]))?"
_LAST_NUMBER = r"([0-9]{1,18})(?=[^0-9]*\Z)"
_LAST_LETTER = r"(?<=[^A-Za-z0-9])([A-Za-z])\Z"


def expand(text: str) -> list[str]:
    """Return the names that ``text`` means, in its order, each once.

    Words are separated by commas or blanks outside of brackets. Raises ValueError, with a text for a person, for
    brackets that do not pair or nest, empty or falling ranges, and more than MAX_NAMES names or MAX_LETTERS letters.
    """
    names: dict[str, None] = {}
    letters = MAX_LETTERS
    end = 0
    for match in re.finditer(_WORD, text):
        _check_gap(text, end, match.start())
        end = match.end()
        for name in _expand_word(match.group()):
            names[name] = None
            letters -= len(name)
            if len(names) > MAX_NAMES or letters < 0:
                raise ValueError(f"{text[:80]}: more than {MAX_NAMES} names or {MAX_LETTERS} letters")
    _check_gap(text, end, len(text))
    return list(names)


def _check_gap(text: str, start: int, end: int) -> None:
    if set(text[start:end]) & {"[", "]"}:
        raise ValueError(f"{text[:80]}: a bracket without its partner")


def _expand_word(word: str) -> Iterator[str]:
    shown = word[:80]
    choices: list[list[str]] = []
    size = 1
    for inside, literal in re.findall(_PART, word):
        choices.append([literal] if literal else _expand_bracket(inside, shown))
        size *= len(choices[-1])
        if size > MAX_NAMES:
            raise ValueError(f"{shown}: more than {MAX_NAMES} names")
    return ("".join(parts) for parts in product(*choices))


def _expand_bracket(inside: str, word: str) -> list[str]:
    texts: list[str] = []
    for piece in inside.split(","):
        match = re.fullmatch(_RANGE, piece.strip())
        if match is None:
            raise ValueError(f"{word}: [{inside[:80]}] is no range; write one such as [1-4], [01-16], [1,4-5] or [a-c]")
        low, high = (match.group(group) or match.group(group + 1) for group in _filled(match))
        texts += _count(low, high, word)
        if len(texts) > MAX_NAMES:
            raise ValueError(f"{word}: more than {MAX_NAMES} names")
    return texts


def _filled(match: re.Match[str]) -> tuple[int, int]:
    """Return the groups of the low and the high end; without a high end both are the low one."""
    low = next(group for group in (1, 3, 5) if match.group(group))
    return (low, low + 1) if match.group(low + 1) else (low, low)


def _count(low: str, high: str, word: str) -> Iterable[str]:
    if not low.isdigit():
        first, last = ord(low), ord(high)
        _check_rising(first, last, low, high, word)
        return [chr(number) for number in range(first, last + 1)]
    first, last = int(low), int(high)
    _check_rising(first, last, low, high, word)
    if high != str(last).zfill(len(low)):
        raise ValueError(f"{word}: {low} and {high} are padded differently")
    return [str(number).zfill(len(low)) for number in range(first, last + 1)]


def _check_rising(first: int, last: int, low: str, high: str, word: str) -> None:
    if last < first:
        raise ValueError(f"{word}: {low}-{high} runs backwards")
    if last - first >= MAX_NAMES:
        raise ValueError(f"{word}: more than {MAX_NAMES} names")


def fold_names(names: Iterable[str]) -> list[str]:
    """Return ``names`` with neighbours folded into ranges, in the order of their first appearance.

    The last number of a name counts (``r2n[1-4]``), or a single letter at its end after a separator (``pdu-[a-b]``).
    """
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for name in dict.fromkeys(names):
        match = re.search(_LAST_NUMBER, name) or re.search(_LAST_LETTER, name)
        if match is None or "[" in name or "]" in name:
            groups[name, "", False] = []
        else:
            groups.setdefault((name[: match.start()], name[match.end() :], True), []).append(match.group())
    return [_fold_group(head, tail, texts) for (head, tail, _counts), texts in groups.items()]


def fold(names: Iterable[str]) -> str:
    """Return ``fold_names`` in one line, which ``expand`` undoes unless names hold blanks, commas or brackets."""
    return " ".join(fold_names(names))


def _fold_group(head: str, tail: str, texts: list[str]) -> str:
    if len(texts) <= 1:
        return head + "".join(texts) + tail
    numbers = sorted((text for text in texts if text.isdigit()), key=lambda text: (int(text), len(text)))
    runs = _runs(numbers) + _runs(sorted(text for text in texts if not text.isdigit()))
    pieces = [low if low == high else f"{low}-{high}" for low, high in runs]
    return f"{head}[{','.join(pieces)}]{tail}"


def _runs(texts: list[str]) -> list[tuple[str, str]]:
    """Return (first, last) of each run in which every text follows the one before, padded as the run's first."""
    runs: list[tuple[str, str]] = []
    open_runs: dict[str, int] = {}  # the text that would continue a run -> its place in runs
    for text in texts:
        place = open_runs.pop(text, None)
        if place is None:
            place = len(runs)
            runs.append((text, text))
        else:
            runs[place] = (runs[place][0], text)
        width = len(runs[place][0])
        follower = str(int(text) + 1).zfill(width) if text.isdigit() else chr(ord(text) + 1)
        open_runs[follower] = place
    return runs
