"""What a target means: the name of a series, or a pattern for several.

``*`` and ``?`` stand for any letters and for one, ``{a,b}`` and ``(a|b)`` for one of some texts, a backslash before a
sign for the sign itself. The latter two are how data sources write a variable with several values, or with signs in
its value (Grafana's formats "glob" and "regex").
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from fnmatch import translate
from itertools import islice

from .asked import BadQuery

MOST_ALTERNATIVES, MOST_PATTERNS = 200, 20
_GROUP = re.compile(
    r"(?<!\\)(?:"
    r"\{((?:\\.|[^{}\\])*,(?:\\.|[^{}\\])*)\}"
    r"|\(((?:\\.|[^()\\])*\|(?:\\.|[^()\\])*)\))",
    re.DOTALL,
)
_NOTHING = r"(?!)"


def matcher(text: str) -> Callable[[str], bool]:
    """Return what tells whether a name is meant by ``text``. Raises BadQuery for more patterns than anybody needs."""
    exact, patterns = {text}, list[str]()
    for one in alternatives(text):
        signs = re.findall(r"\\.|.", one, re.DOTALL)
        if "*" in signs or "?" in signs:
            patterns.append("".join(sign if sign in ("*", "?") else glob.escape(sign[-1]) for sign in signs))
        else:
            exact.add("".join(sign[-1] for sign in signs))
    if len(patterns) > MOST_PATTERNS:
        raise BadQuery(f"target: {len(patterns)} patterns are too many, {MOST_PATTERNS} in one target")
    pattern = re.compile("|".join(map(translate, patterns)) or _NOTHING)
    return lambda name: name in exact or pattern.match(name) is not None


def alternatives(text: str) -> list[str]:
    """Return the texts that the groups in ``text`` stand for, not too many."""
    group = _GROUP.search(text)
    if group is None:
        return [text]
    inside, separator = (group[1], ",") if group[1] is not None else (group[2], "|")
    heads = [text[: group.start()] + one for one in re.split(rf"(?<!\\){re.escape(separator)}", inside)]
    tails = alternatives(text[group.end() :])
    return list(islice((head + tail for head in heads for tail in tails), MOST_ALTERNATIVES))
