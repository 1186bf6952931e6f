"""Two changes of one INI file brought together, option by option. Pure functions on texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from configobj import ConfigObj

from ..common.errors import ConfigError
from .files import parse_ini, render_ini

Side = Literal["mine", "theirs"]
Place = tuple[str, str]
"""Section and option; ("", "") is the file as a whole."""
Choices = Mapping[Place, Side]

WHOLE: Place = ("", "")


@dataclass(frozen=True, slots=True)
class Conflict:
    """One place that both have changed, each in another way. None: it is not there."""

    section: str
    key: str
    base: Any
    mine: Any
    theirs: Any


@dataclass(slots=True)
class Merged:
    """``text`` has both changes; where they collide and nothing was chosen, it has theirs."""

    text: str | None
    conflicts: list[Conflict] = field(default_factory=list)
    theirs: list[Place] = field(default_factory=list)
    """What the others have changed."""


def three_way(
    file: str, base: str | None, mine: str | None, theirs: str | None, choices: Choices | None = None
) -> Merged:
    """Return ``theirs`` with what ``mine`` has changed since ``base``; None stands for no file.

    ``choices``  place -> whose change counts, where both changed it; a conflict that is chosen is none
    Comments and order are those of ``theirs``. Where one of the texts is no INI file, the whole of it collides.
    """
    choices = choices or {}
    if mine in (base, theirs):
        return Merged(theirs, theirs=[WHOLE] if theirs != base else [])
    if theirs == base:
        return Merged(mine)
    if mine is None or theirs is None or base is None:
        return _as_a_whole(base, mine, theirs, choices)
    try:
        return _by_option(file, (base, mine, theirs), choices)
    except ConfigError:
        return _as_a_whole(base, mine, theirs, choices)


def _as_a_whole(base: str | None, mine: str | None, theirs: str | None, choices: Choices) -> Merged:
    side = choices.get(WHOLE)
    # The texts are not put into the conflict: they may hold secrets, and a person decides by the file's name.
    conflicts = [] if side else [Conflict(*WHOLE, *(_there(text) for text in (base, mine, theirs)))]
    return Merged(mine if side == "mine" else theirs, conflicts, [WHOLE])


def _there(text: str | None) -> str | None:
    return None if text is None else "a file"


def _by_option(file: str, texts: tuple[str, str, str], choices: Choices) -> Merged:
    base, mine, theirs = (_flat(parse_ini(text, file)) for text in texts)
    ini = parse_ini(texts[2], file)
    merged = Merged(None)
    # Sections last: one that I have taken out stays when the others have put something into it.
    for place in sorted(dict.fromkeys([*mine, *theirs, *base]), key=lambda one: not one[1]):
        was, own, other = base.get(place), mine.get(place), theirs.get(place)
        if other != was:
            merged.theirs.append(place)
        if own in (was, other):
            continue
        if other != was:
            side = choices.get(place)
            if side is None:
                merged.conflicts.append(Conflict(*place, was, own, other))
            if side != "mine":
                continue
        _put(ini, place, own)
    merged.text = render_ini(ini)
    return merged


def _flat(ini: ConfigObj) -> dict[Place, Any]:
    """Return (section, option) -> value; (section, "") -> "" for the section itself."""
    flat: dict[Place, Any] = {}
    for section in ini.sections:
        flat[section, ""] = ""
        flat.update({(section, key): ini[section][key] for key in ini[section].scalars})
    return flat


def _put(ini: ConfigObj, place: Place, value: Any) -> None:
    section, key = place
    if value is not None:
        inside = ini.setdefault(section, {})
        if key:
            inside[key] = value
    elif key:
        ini.get(section, {}).pop(key, None)
    elif not ini.get(section, {}):
        ini.pop(section, None)
